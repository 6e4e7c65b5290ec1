import fc from 'fast-check';
import type { Cell, ColumnType } from '../../src/csv/rows.js';
import { text } from '../csv/cells.js';
import { NOW, type TestTable } from './duckdb-table.js';

/** A kind of column as it stands in SQL: its types, and texts that it gives back as they are. */
interface Kind {
  readonly type: ColumnType;
  readonly sqlType: string;
  readonly cell: fc.Arbitrary<string>;
  readonly seen?: boolean;
}

const digits = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength })
    .map((d) => d.join('').replace(/^0+(?=\d)/, ''));

/** Plain decimals as DynamoDB gives them: up to 38 digits, far above and below one, negative ones. */
export const plainDecimal: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: -3, max: 12 }).map(String),
  digits(38),
  digits(38).map((whole) => (whole === '0' ? whole : `-${whole}`)),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      digits(20),
      digits(17).map((d) => `${d}5`),
    )
    .map(([sign, a, b]) => `${sign}${a}.${b}`),
  fc
    .tuple(
      digits(5).filter((d) => d !== '0'),
      fc.integer({ min: 0, max: 120 }),
    )
    .map(([d, zeros]) => d + '0'.repeat(zeros)),
  fc
    .tuple(fc.constantFrom('', '-'), fc.integer({ min: 0, max: 125 }))
    .map(([sign, zeros]) => `${sign}0.${'0'.repeat(zeros)}7`),
);

/** Numbers whose DOUBLE is written as they are. */
const doubleText = fc
  .oneof(
    fc.integer({ min: -20, max: 20 }).map((n) => n / 4),
    fc.double({ min: 1e-3, max: 1e14, noNaN: true }),
  )
  .map(String);

export const instant: fc.Arbitrary<string> = fc.oneof(
  fc.integer({ min: -40, max: 4 }).map((quarters) => new Date(NOW + quarters * 900_000).toISOString()),
  fc.integer({ min: -6e12, max: 6e12 }).map((ms) => new Date(ms).toISOString()),
);

export const KINDS: readonly Kind[] = [
  { type: 'string', sqlType: 'VARCHAR', cell: fc.oneof(text, fc.constantFrom('', 'a', 'b', 'A')) },
  {
    type: 'number',
    sqlType: 'BIGINT',
    cell: fc.oneof(
      fc.integer({ min: -3, max: 12 }).map(String),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    ),
  },
  { type: 'number', sqlType: 'DOUBLE', cell: doubleText },
  { type: 'number', sqlType: 'VARCHAR', cell: plainDecimal },
  { type: 'boolean', sqlType: 'BOOLEAN', cell: fc.boolean().map(String) },
  { type: 'time', sqlType: 'TIMESTAMPTZ', cell: instant },
  { type: 'time', sqlType: 'VARCHAR', cell: instant.map((at) => at.replace('.000Z', 'Z')) },
  { type: 'string', sqlType: 'VARCHAR', cell: text, seen: false },
];

/** A column's name: anything, and what a window or its SQL might take for something else. */
const columnName = fc.oneof(
  text,
  fc.constantFrom(
    'count',
    'Count',
    'limit',
    'where.limit',
    'c0',
    'position',
    'value',
    'time',
    'a__gt',
    '-a',
    'a,b',
    '"',
    'v0',
    '$1',
  ),
);

/** A table of 1 to 6 columns of any kinds with rows, without a time column. */
export const anyTable: fc.Arbitrary<TestTable> = fc
  .array(fc.record({ name: columnName, kind: fc.constantFrom(...KINDS) }), { minLength: 1, maxLength: 6 })
  .map((columns) => columns.filter(({ name }, i) => columns.findIndex((other) => other.name === name) === i))
  .chain((columns) => {
    const cells = columns.map(({ kind }) => (kind.seen === false ? fc.constant(null) : fc.option(kind.cell)));
    return fc.record({
      dataset: fc.constant({
        name: 'things',
        columns: columns.map(({ name, kind }) => ({ name, type: kind.type, seen: kind.seen ?? true })),
        keys: [],
        timeColumn: null,
      }),
      types: fc.constant(columns.map(({ kind }) => kind.sqlType)),
      rows: fc.array(fc.tuple(...cells) as fc.Arbitrary<Cell[]>, { maxLength: 12 }),
    });
  });
