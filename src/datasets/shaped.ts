/** A whole dataset in the shape that a request asks for, for the rooms that see datasets and not how CSV is written. */
export { type Shape, shapeCsv } from '../csv/shape.js';
