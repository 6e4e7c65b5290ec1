import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { encodeHeader, encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { column, NOW, TestDuckDb, type TestTable } from './duckdb-table.js';
import { compareCells, everyRows, type FilterCase, keeps, pivotRows } from './reference.js';
import { anyTable, KINDS, plainDecimal } from './tables.js';

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

function csv(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  return encodeHeader(columns).toString() + encodeRows(columns, rows).body.toString();
}

/** The parameter's name that reaches a column whatever it is called. */
function where({ name }: Column): string {
  return `where.${name}`;
}

const OPERATORS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'isnull'] as const;

/** A filter on a column of the table, most often with a value that a row has. */
function filterOf(table: TestTable): fc.Arbitrary<FilterCase> {
  return fc.integer({ min: 0, max: table.dataset.columns.length - 1 }).chain((index) => {
    const { type, seen } = table.dataset.columns[index]!;
    const kind = KINDS.find((kind) => kind.type === type && (kind.seen ?? true) === seen)!;
    const present = table.rows.map((row) => row[index]!).filter((cell) => cell !== null);
    const other = type === 'number' ? plainDecimal : kind.cell;
    const value = present.length === 0 ? other : fc.oneof(fc.constantFrom(...present), other);
    const operators = type === 'boolean' ? (['eq', 'ne', 'in', 'contains', 'isnull'] as const) : OPERATORS;
    return fc.constantFrom(...operators).chain((operator): fc.Arbitrary<FilterCase> => {
      if (operator === 'isnull') {
        return fc.boolean().map((absent) => ({ index, operator, values: [String(absent)] }));
      }
      const size = operator === 'in' ? { maxLength: 3 } : { minLength: 1, maxLength: 1 };
      return fc.array(value, size).map((values) => ({ index, operator, values }));
    });
  });
}

function parameterOf({ index, operator, values }: FilterCase, { dataset }: TestTable): [string, string] {
  const name = where(dataset.columns[index]!) + (operator === 'eq' ? '' : `__${operator}`);
  const quoted = values.map((value) => `"${value.replaceAll('"', '""')}"`);
  return [name, operator === 'in' ? quoted.join(',') : values[0]!];
}

/** Tables in which no name can be read as another one's name with an operator. */
const plainlyNamed = anyTable.map((table) => ({
  ...table,
  dataset: {
    ...table.dataset,
    columns: table.dataset.columns.map((c, i) => ({ ...c, name: `${c.name}${i}` })),
  },
}));

test('filters keep the rows that a plain comparison keeps, in their order', async () => {
  const cases = plainlyNamed.chain((table) =>
    fc.tuple(fc.constant(table), fc.array(filterOf(table), { minLength: 1, maxLength: 3 })),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([table, filters]) => {
      await db.load(table);
      const { columns } = table.dataset;
      const expected = table.rows.filter((row) =>
        filters.every((filter) => keeps(filter, row[filter.index]!, columns[filter.index]!)),
      );
      assert.equal(await db.ask(filters.map((filter) => parameterOf(filter, table))), csv(columns, expected));
    }),
    { numRuns: 400 },
  );
});

interface Key {
  readonly name: string;
  readonly descending: boolean;
}

test('sort, offset, limit and columns do what they do to an array', async () => {
  const cases = anyTable.chain((table) => {
    const names = table.dataset.columns.map(({ name }) => name).filter((name) => !name.startsWith('-'));
    const name = fc.constantFrom(...(names.length === 0 ? [null] : names));
    const keys = fc.uniqueArray(fc.record({ name, descending: fc.boolean() }), {
      maxLength: 3,
      selector: (key) => key.name,
    });
    return fc.record({
      table: fc.constant(table),
      sort: keys.map((found) => found.filter((key): key is Key => key.name !== null)),
      offset: fc.option(fc.integer({ min: 0, max: 8 })),
      limit: fc.option(fc.integer({ min: 0, max: 8 })),
      shown: fc.shuffledSubarray([...table.dataset.columns], { minLength: 1 }),
    });
  });
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(cases, async ({ table, sort, offset, limit, shown }) => {
      await db.load(table);
      const { columns } = table.dataset;
      const indexOf = (name: string) => columns.findIndex((other) => other.name === name);
      // `-a` is the column of that name where there is one, and `a` downwards only where there is none.
      const meant = sort.map(({ name, descending }) =>
        descending && indexOf(`-${name}`) !== -1
          ? { name: `-${name}`, descending: false }
          : { name, descending },
      );
      const sorted = [...table.rows].sort((a, b) => {
        for (const { name, descending } of meant) {
          const at = indexOf(name);
          const order = compareCells(columns[at]!, a[at]!, b[at]!, descending);
          if (order !== 0) return order;
        }
        return 0;
      });
      const start = offset ?? 0;
      const page = sorted.slice(start, limit === null ? undefined : start + limit);
      const answer = await db.ask([
        ['columns', shown.map(({ name }) => quoted(name)).join(',')],
        ...(sort.length === 0
          ? []
          : [
              [
                'sort',
                sort.map(({ name, descending }) => quoted(`${descending ? '-' : ''}${name}`)).join(','),
              ] as const,
            ]),
        ...(offset === null ? [] : [['offset', String(offset)] as const]),
        ...(limit === null ? [] : [['limit', String(limit)] as const]),
      ]);
      assert.equal(
        answer,
        csv(
          shown,
          page.map((row) => shown.map(({ name }) => row[indexOf(name)]!)),
        ),
      );
    }),
    { numRuns: 300 },
  );
});

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** A log: two keys, a number, a time; times come twice, out of order, and not at all. */
const log: fc.Arbitrary<TestTable> = fc
  .array(
    fc.tuple(
      fc.constantFrom('dispatch', 'pickup', 'timestamp', ''),
      fc.option(fc.constantFrom('1', '2', '10'), { freq: 9 }),
      fc.option(fc.integer({ min: 0, max: 99 }).map(String), { freq: 6 }),
      fc
        .option(
          fc.oneof(
            fc.integer({ min: -12, max: 2 }).map((n) => NOW + n * 5 * MINUTE),
            // Around the night of 1 November 2026, when New York's clocks went back.
            fc
              .integer({ min: -40, max: 40 })
              .map((n) => Date.parse('2026-11-01T06:00:00Z') + n * 47 * MINUTE),
          ),
          { freq: 12 },
        )
        .map((at) => (at === null ? null : new Date(at).toISOString())),
    ),
    { maxLength: 25 },
  )
  .map((rows) => ({
    dataset: {
      name: 'log',
      columns: [
        column('counter_type'),
        column('zone', 'number'),
        column('count', 'number'),
        column('timestamp', 'time'),
      ],
      keys: ['counter_type', 'zone'],
      timeColumn: 'timestamp',
    },
    types: ['VARCHAR', 'BIGINT', 'BIGINT', 'TIMESTAMPTZ'],
    rows,
  }));

test('last, from and to keep the rows of that time', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 0, max: 9 }),
      async (table, a, b) => {
        await db.load(table);
        const { columns } = table.dataset;
        const within = (from: number, to: number) =>
          table.rows.filter(
            (row) => row[3] !== null && Date.parse(row[3]!) >= from && Date.parse(row[3]!) < to,
          );
        assert.equal(await db.ask(`last=${a * 5}m`), csv(columns, within(NOW - a * 5 * MINUTE, NOW + 1)));
        const from = NOW - (a + b) * 5 * MINUTE;
        const to = NOW - b * 5 * MINUTE;
        assert.equal(
          await db.ask(`from=${from}&to=${new Date(to).toISOString()}`),
          csv(columns, within(from, to)),
        );
        assert.equal(await db.ask(`to=${to}`), csv(columns, within(-Infinity, to)));
      },
    ),
    { numRuns: 60 },
  );
});

const steps = fc.constantFrom(
  ['5m', 5 * MINUTE],
  ['7m', 7 * MINUTE],
  ['6h', 6 * 60 * MINUTE],
  ['1d', DAY],
  ['2d', 2 * DAY],
  ['1w', 7 * DAY],
) as fc.Arbitrary<[string, number]>;

test('every keeps the last row of each step and series', async () => {
  await fc.assert(
    fc.asyncProperty(log, steps, async (table, [every, length]) => {
      await db.load(table);
      const { columns } = table.dataset;
      assert.equal(await db.ask(`every=${every}`), csv(columns, everyRows(table.rows, length)));
      const byCount = everyRows(table.rows, length).sort((a, b) =>
        compareCells(columns[2]!, a[2]!, b[2]!, true),
      );
      assert.equal(
        await db.ask(`every=${every}&sort=-count&limit=3&columns=count`),
        csv(
          [columns[2]!],
          byCount.slice(0, 3).map((row) => [row[2]!]),
        ),
      );
    }),
    { numRuns: 150 },
  );
});

test('pivot makes a column of each value, with every per step', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.option(steps),
      fc.constantFrom('counter_type', 'zone'),
      async (table, every, by) => {
        await db.load(table);
        const { names, rows } = pivotRows(table, by, every?.[1] ?? null);
        const columns = [column('timestamp', 'time'), ...names.map((name) => column(name, 'number'))];
        assert.equal(
          await db.ask(`pivot=${by}:count${every === null ? '' : `&every=${every[0]}`}`),
          csv(columns, rows),
        );
        const descending = [...rows].reverse().slice(0, 2);
        assert.equal(
          await db.ask(
            `pivot=${by}:count${every === null ? '' : `&every=${every[0]}`}&sort=-timestamp&limit=2`,
          ),
          csv(columns, descending),
        );
      },
    ),
    { numRuns: 150 },
  );
});
