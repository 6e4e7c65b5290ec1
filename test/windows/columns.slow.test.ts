import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { LocalDays } from '../../src/base/local-days.js';
import type { Cell } from '../../src/csv/rows.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Queries } from '../../src/datasets/queries.js';
import { HeldColumns } from '../../src/sql/held-columns.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { NOW } from './duckdb-table.js';

const MINUTE = 60_000;
const TIME_ZONE = 'America/New_York';
/** The nights in which New York's clocks go forward and back, and now. */
const MOMENTS = ['2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z', '2026-11-24T15:00:00Z'].map(Date.parse);

async function ask(queries: Queries, dataset: Dataset, search: string): Promise<string> {
  const query = await queries.window(dataset, [...new URLSearchParams(search)]);
  const parts: Buffer[] = [];
  for await (const part of (await query.run(new AbortController().signal)).body) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** The three ways in which a window with aggregates is answered: rows in memory, DuckDB, columns. */
async function threeWays(t: TestContext) {
  const world = await SqlWorld.start(t, { now: NOW, timeZone: TIME_ZONE });
  const refuse = () => Promise.reject(new Error('handed over to DuckDB'));
  const direct = new WindowQueries({
    clock: world.time,
    localDays: new LocalDays(TIME_ZONE),
    next: { window: refuse, sql: refuse },
  });
  const tableFor = t.mock.method(HeldColumns.prototype, 'tableFor');
  const isFromColumns = async () => (await tableFor.mock.calls.at(-1)?.result) != null;
  return {
    world,
    /** Asks as often as it takes until columns answer; all answers have to be the same. */
    threeTimes: async (dataset: Dataset, search: string) => {
      const answer = await ask(direct, dataset, search);
      for (let times = 1; times <= 3; times++) {
        assert.equal(
          await ask(world.sql.queries, dataset, search),
          answer,
          `${search}, asked ${times} times`,
        );
        if (await isFromColumns()) return answer;
      }
      return assert.fail(`${search}: not answered from columns`);
    },
    isFromColumns,
  };
}

/** Numbers of one kind each: a column of whole numbers adds up in another way than one with decimals. */
const numbers = fc.constantFrom(
  fc.integer({ min: -5, max: 20 }).map(String),
  fc.integer({ min: 0, max: 2_000_000_000_000 }).map(String),
  fc.integer({ min: -9_999, max: 99_999 }).map((n) => String(n / 100)),
  fc.double({ min: -1_000, max: 1_000, noNaN: true }).map((n) => String(Number(n.toFixed(9)))),
  fc.double({ min: -2e12, max: 2e12, noNaN: true }).map((n) => String(Number(n.toFixed(3)))),
  fc.constantFrom('0', '0.1', '0.2', '0.3', '-0.7'),
);

/** Cells that DuckDB has as numbers, and any text: `-0` and exponents are for `both-ways.slow.test.ts`. */
const plain = (cell: string) => (cell === '-0' || cell.includes('e') ? '0' : cell);

const times = fc
  .array(fc.tuple(fc.constantFrom(...MOMENTS), fc.integer({ min: -90, max: 90 })), {
    minLength: 1,
    maxLength: 60,
  })
  .chain((all) => {
    const instants = all.map(([moment, steps]) => moment + steps * 29 * MINUTE);
    return fc.constantFrom(
      instants,
      instants.toSorted((a, b) => a - b),
    );
  });

const cases = fc
  .tuple(times, numbers)
  .chain(([instants, number]) =>
    fc.tuple(
      ...instants.map((time) =>
        fc.tuple(
          fc.constantFrom('a', 'b', '', 'ü, "x"'),
          fc.option(number.map(plain), { freq: 6 }),
          fc.option(fc.integer({ min: 1, max: 3 }).map(String), { freq: 6 }),
          fc.constant(new Date(time).toISOString()),
        ),
      ),
    ),
  ) as fc.Arbitrary<Cell[][]>;

const questions = fc
  .record({
    every: fc.constantFrom('', '&every=1h', '&every=7h', '&every=1d', '&every=1w'),
    by: fc.constantFrom('', '&by=zone', '&by=zone,place', '&by=place'),
    range: fc.constantFrom(
      '',
      '&from=2026-03-08T05:00:00Z',
      '&to=2026-11-01T06:30:00Z',
      '&from=2026-10-31&to=2026-11-02',
    ),
    filter: fc.constantFrom(
      '',
      '&zone=a',
      '&place__in=1,2',
      '&zone__ne=b&place__gte=2',
      '&zone__isnull=false',
    ),
    agg: fc.constantFrom(
      'avg:reading',
      'count,sum:reading',
      'min:reading,max:reading,count:reading',
      'median:reading,p95:reading,p99:reading',
    ),
    shape: fc.constantFrom('', '&format=json', '&null=null&sort=-zone'),
  })
  .map(
    ({ every, by, range, filter, agg, shape }) =>
      // `sort` needs a column of the result.
      `agg=${agg}${every}${by}${range}${filter}${by.startsWith('&by=zone') ? shape : shape.replace('&sort=-zone', '')}`,
  );

test('aggregates from columns are those from rows and from DuckDB, at both changes of the clocks', async (t) => {
  const { threeTimes } = await threeWays(t);
  const things = new ScriptedDataset({
    name: 'things',
    kind: 'log',
    columns: [
      column('zone'),
      column('reading', 'number'),
      column('place', 'number'),
      column('timestamp', 'time'),
    ],
    timeColumn: 'timestamp',
  });
  const holds = async (rows: Cell[][], searches: readonly string[]) => {
    await things.land(rows);
    for (const search of searches) await threeTimes(things, search);
  };
  await fc.assert(fc.asyncProperty(cases, fc.array(questions, { minLength: 6, maxLength: 6 }), holds), {
    numRuns: 60,
    endOnFailure: true,
    seed: 2026,
  });
});

test('columns follow a log as it grows, with values never seen before', async (t) => {
  const { world, threeTimes, isFromColumns } = await threeWays(t);
  const table = await world.table('log', { log: true });
  const log = () => world.dataset('log');
  const search = 'every=1m&agg=avg:n,count,max:n&by=id';
  for (let poll = 0; poll < 6; poll++) {
    const rows = Array.from({ length: poll + 1 }, (_, device) => [`device-${device}`, `${poll}.${device}5`]);
    await table.record(readingOf({ id: 'string', n: 'number' }, rows), world.time.at);
    world.time.at += 20_000;
    // The first answer after a poll is from columns, too.
    if (poll > 0) await ask(world.sql.queries, log(), search);
    assert.equal(await isFromColumns(), poll > 0);
    const answer = await threeTimes(log(), search);
    assert.ok(answer.includes(`device-${poll}`), answer);
  }
  await table.record(readingOf({ id: 'string', n: 'number' }, [['device-0', 'N/A']]), world.time.at);
  assert.match(await threeTimes(log(), search), /,device-0,,1,\n$/);
});

test('a column with too many different values is left to DuckDB', async (t) => {
  const { world, isFromColumns } = await threeWays(t);
  const many = new ScriptedDataset({
    name: 'many',
    columns: [column('id'), column('n', 'number')],
    keys: ['id'],
  });
  await many.land(Array.from({ length: 10_001 }, (_, index) => [`i${index}`, '1']));
  for (let times = 0; times < 3; times++) {
    const answer = await ask(world.sql.queries, many, 'agg=count&by=id&limit=1&columns=count');
    assert.equal(answer, 'count\n1\n');
    assert.equal(await isFromColumns(), false);
  }
  for (let times = 0; times < 2; times++)
    assert.equal(await ask(world.sql.queries, many, 'agg=sum:n'), 'n_sum\n10001\n');
  assert.equal(await isFromColumns(), true);
});

test('a window of more steps, series and columns than fit into memory is left to DuckDB', async (t) => {
  const { world, isFromColumns } = await threeWays(t);
  const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
  const wide = new ScriptedDataset({
    name: 'wide',
    kind: 'log',
    columns: [column('id'), ...names.map((name) => column(name, 'number')), column('timestamp', 'time')],
    timeColumn: 'timestamp',
  });
  const rowAt = (minute: number) => new Date(NOW - minute * MINUTE).toISOString();
  await wide.land(Array.from({ length: 300 }, (_, row) => [`i${row}`, ...names.map(() => '1'), rowAt(row)]));
  const answers = async (columns: readonly string[]) => {
    const sums = columns.map((name) => `sum:${name}`).join();
    const found = new Set<string>();
    for (let times = 0; times < 3; times++)
      found.add(await ask(world.sql.queries, wide, `every=1m&by=id&agg=${sums}`));
    assert.equal(found.size, 1);
    return isFromColumns();
  };
  assert.equal(await answers(names.slice(0, 1)), true);
  assert.equal(await answers(names), false);
});
