import type { CsvRows } from '../data/rows.js';
import type { ColumnJson } from '../types.js';

/** Rows that are sampled, because the service does not return the types of computed columns. */
const SAMPLE = 500;

const NUMBER = /^-?\d+(\.\d+)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

/** The columns of a response: those in `known`, others with types inferred from their cells. */
export function resultColumns(rows: CsvRows, known: readonly ColumnJson[]): ColumnJson[] {
  const types = new Map(known.map(({ name, type }) => [name, type]));
  if (rows.header.every((name) => types.has(name))) {
    return rows.header.map((name) => ({ name, type: types.get(name)! }));
  }
  const sample = Array.from({ length: Math.min(SAMPLE, rows.count) }, (_, index) => rows.row(index));
  return rows.header.map((name, column) => {
    const type = types.get(name);
    if (type !== undefined) return { name, type };
    const cells = sample.map((row) => row[column]).filter((cell) => typeof cell === 'string');
    return { name, type: typeOf(cells) };
  });
}

function typeOf(cells: readonly string[]): ColumnJson['type'] {
  // A pivot column without values in the sample is a number column too: a pivot creates no others.
  if (cells.every((cell) => NUMBER.test(cell))) return 'number';
  if (cells.every((cell) => TIME.test(cell))) return 'time';
  return cells.every((cell) => cell === 'true' || cell === 'false') ? 'boolean' : 'string';
}
