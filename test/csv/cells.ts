import fc from 'fast-check';
import type { Cell, Column } from '../../src/csv/rows.js';

/** Text with everything that CSV, UTF-8 and readers find hard, in small measure so that failures stay readable. */
export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((s) => Buffer.from(s).toString()),
  fc.string({
    unit: fc.constantFrom('"', ',', '\n', '\r', 'a', ' ', '\u2028', '\0', '\uFEFF', '🚕', 'é', ';', "'"),
    maxLength: 8,
  }),
);

export const cell: fc.Arbitrary<Cell> = fc.oneof(fc.constant(null), fc.constant(''), text);

/** A table of 1 to 6 columns with rows of that width. */
export const table = fc
  .uniqueArray(
    text.filter((name) => name !== ''),
    { minLength: 1, maxLength: 6 },
  )
  .chain((names) =>
    fc.record({
      columns: fc.constant(names.map(stringColumn)),
      rows: fc.array(fc.array(cell, { minLength: names.length, maxLength: names.length }), { maxLength: 12 }),
    }),
  );

export function stringColumn(name: string): Column {
  return { name, type: 'string', seen: true };
}

export function numberColumn(name: string): Column {
  return { name, type: 'number', seen: true };
}

/** What comes back of a row: a single absent cell is written, and so read, as the empty string. */
export function asReadBack(row: readonly Cell[]): Cell[] {
  return row.length === 1 ? [row[0] ?? ''] : [...row];
}
