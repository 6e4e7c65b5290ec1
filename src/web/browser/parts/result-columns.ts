import type { CsvRows } from '../data/rows.js';
import type { ColumnJson } from '../types.js';

/** Rows that are looked at; the service does not say the types of a computed answer. */
const SAMPLE = 500;

const NUMBER = /^-?\d+(\.\d+)?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

/** The columns of an answer: as `known` has them, otherwise by what stands in them. */
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
  // A column of a pivot without any value in sight is one of numbers too: that is all a pivot makes.
  if (cells.every((cell) => NUMBER.test(cell))) return 'number';
  if (cells.every((cell) => TIME.test(cell))) return 'time';
  return cells.every((cell) => cell === 'true' || cell === 'false') ? 'boolean' : 'string';
}
