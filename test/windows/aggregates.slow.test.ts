import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { LocalDays } from '../../src/base/local-days.js';
import type { Cell } from '../../src/csv/rows.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Queries } from '../../src/datasets/queries.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { SqlWorld } from '../support/sql-world.js';
import { NOW } from './duckdb-table.js';

const MINUTE = 60_000;
/** The nights in which New York's clocks go forward and back, and now. */
const MOMENTS = ['2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z', '2026-11-24T15:00:00Z'].map(Date.parse);

const COLUMNS = [
  column('zone'),
  column('reading', 'number'),
  column('word'),
  column('timestamp', 'time'),
] as const;

const numbers = fc.oneof(
  fc.integer({ min: -5, max: 20 }).map(String),
  fc.constantFrom('0.1', '0.2', '0.7', '-1.25', '1e-12', '123456789012', '9007199254740992', '1e+30'),
);

/** Rows of one zone at different times each: DuckDB's own `first` leaves open which of two equal times is first. */
const rows = fc
  .uniqueArray(
    fc
      .tuple(fc.constantFrom(...MOMENTS), fc.integer({ min: -90, max: 90 }))
      .map(([moment, steps]) => moment + steps * 29 * MINUTE),
    { minLength: 1, maxLength: 40 },
  )
  .chain((times) =>
    fc.tuple(
      ...times
        .sort((a, b) => a - b)
        .map((time) =>
          fc.tuple(
            fc.constantFrom('a', 'b', ''),
            fc.option(numbers, { freq: 4 }),
            fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 4 }),
            fc.constant(new Date(time).toISOString()),
          ),
        ),
    ),
  ) as fc.Arbitrary<Cell[][]>;

/** Both ways in which a window of one dataset is answered, and DuckDB itself beside them. */
async function bothWays(t: TestContext) {
  const world = await SqlWorld.start(t, { now: NOW, timeZone: 'America/New_York' });
  const refuse = () => Promise.reject(new Error('handed over to DuckDB'));
  const direct = new WindowQueries({
    clock: world.time,
    localDays: new LocalDays('America/New_York'),
    next: { window: refuse, sql: refuse },
  });
  const things = new ScriptedDataset({
    name: 'things',
    kind: 'log',
    columns: COLUMNS,
    timeColumn: 'timestamp',
  });
  world.registry.add(things);
  const ask = async (queries: Queries, search: string) => {
    const query = await queries.window(things as Dataset, [...new URLSearchParams(search)]);
    const parts: Buffer[] = [];
    for await (const part of (await query.run(new AbortController().signal)).body) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  return {
    things,
    /** The answer, which is the same both ways. */
    ask: async (search: string) => {
      const answer = await ask(direct, search);
      assert.equal(answer, await ask(world.sql.queries, search), search);
      return answer;
    },
    own: async (sql: string) => JSON.parse(await world.ask(sql, 'format=json')) as readonly object[],
  };
}

/** Numbers of floating point differ in their last digits by the order in which they were added. */
function assertClose(actual: readonly object[], expected: readonly object[], message: string): void {
  assert.equal(actual.length, expected.length, message);
  for (const [index, row] of expected.entries()) {
    const given = Object.entries(actual[index]!);
    for (const [place, [name, value]] of Object.entries(row).entries()) {
      const [, cell] = given[place]!;
      if (typeof value !== 'number' || typeof cell !== 'number') {
        assert.equal(cell, value, `${message}: ${name} of row ${index}`);
        continue;
      }
      // What is left of numbers that cancel out each other is as uncertain as they are.
      const scale = Math.max(Math.abs(value), Math.abs(cell), 1e-9);
      assert.ok(
        Math.abs(cell - value) <= scale * 1e-6,
        `${message}: ${name} of row ${index}: ${cell}, ${value}`,
      );
    }
  }
}

const BUCKETS = [
  ['1h', `time_bucket(INTERVAL 1 HOUR, "timestamp")`],
  ['7m', `time_bucket(INTERVAL 7 MINUTE, "timestamp", TIMESTAMPTZ '1970-01-01 00:00:00Z')`],
  ['1d', `CAST(CAST("timestamp" AS DATE) AS TIMESTAMPTZ)`],
  ['1w', `CAST(date_trunc('week', CAST("timestamp" AS DATE)) AS TIMESTAMPTZ)`],
  [null, `NULL`],
] as const;

const BY = [[], ['zone'], ['zone', 'word']] as const;

const AGGREGATES = [
  'count',
  'count:reading',
  'sum:reading',
  'avg:reading',
  'min:reading',
  'max:reading',
  'median:reading',
  'p95:reading',
  'p99:reading',
  'stddev:reading',
  'distinct:word',
  'first:word',
  'last:word',
  'first:reading',
];
const NUMBER = 'TRY_CAST(reading AS DOUBLE)';
const OWN = [
  'count(*)',
  'count(reading)',
  `fsum(${NUMBER})`,
  `favg(${NUMBER})`,
  `min(${NUMBER})`,
  `max(${NUMBER})`,
  `quantile_cont(${NUMBER}, 0.5)`,
  `quantile_cont(${NUMBER}, 0.95)`,
  `quantile_cont(${NUMBER}, 0.99)`,
  `stddev(${NUMBER})`,
  'count(DISTINCT word)',
  'arg_min(word, "timestamp")',
  'arg_max(word, "timestamp")',
  `arg_min(${NUMBER}, "timestamp")`,
];

test('aggregates are those that DuckDB gives, both ways, at both changes of the clocks', async (t) => {
  const { things, ask, own } = await bothWays(t);
  await fc.assert(
    fc.asyncProperty(rows, async (cells) => {
      await things.land(cells);
      for (const [every, bucket] of BUCKETS) {
        for (const by of BY) {
          const keys = [...(every === null ? [] : ['step']), ...by];
          const group = keys.length === 0 ? '' : ` GROUP BY ${keys.join()} ORDER BY ALL NULLS LAST`;
          const columns = OWN.map((sql, index) => `${sql} AS v${index}`).join(', ');
          const expected = await own(
            `SELECT ${[...keys, ''].join()}${columns} FROM (SELECT *, ${bucket} AS step FROM things)${group}`,
          );
          const search = `agg=${AGGREGATES.join()}&format=json${every === null ? '' : `&every=${every}`}${by.length === 0 ? '' : `&by=${by.join()}`}`;
          assertClose(JSON.parse(await ask(search)), expected, search);
        }
      }
    }),
    { numRuns: 8, seed: 2026 },
  );
});

test('increase is the sum of the rises of a counter that is set back, and rate what it is per second', async (t) => {
  const { things, ask, own } = await bothWays(t);
  await fc.assert(
    fc.asyncProperty(rows, async (cells) => {
      await things.land(cells);
      for (const [every, bucket] of BUCKETS.slice(0, 3)) {
        const expected = await own(`
          SELECT step, zone,
            sum(CASE WHEN n >= before THEN n - before WHEN before IS NOT NULL THEN n END) AS increase,
            increase / nullif(sum(epoch_ms("timestamp") - epoch_ms(since)) / 1000, 0) AS rate
          FROM (
            SELECT *, ${bucket} AS step, lag(n) OVER w AS before, lag("timestamp") OVER w AS since
            FROM (SELECT *, ${NUMBER} AS n FROM things) WHERE n IS NOT NULL
            WINDOW w AS (PARTITION BY zone ORDER BY "timestamp")
          ) GROUP BY ALL ORDER BY step, zone`);
        const search = `agg=increase:reading,rate:reading&by=zone&every=${every}&reading__isnull=false&format=json`;
        assertClose(JSON.parse(await ask(search)), expected, search);
      }
    }),
    { numRuns: 15, seed: 2026 },
  );
});

test('fill gives every series every step of the window, both ways, at both changes of the clocks', async (t) => {
  const { things, ask, own } = await bothWays(t);
  const steps = {
    '1h': `SELECT unnest(generate_series(TIMESTAMPTZ '@from', TIMESTAMPTZ '@last', INTERVAL 1 HOUR)) AS step`,
    '1d': `SELECT CAST(CAST(unnest(generate_series(CAST(TIMESTAMPTZ '@from' AS DATE), CAST(TIMESTAMPTZ '@last' AS DATE), INTERVAL 1 DAY)) AS DATE) AS TIMESTAMPTZ) AS step`,
  };
  const ranges = fc
    .tuple(fc.constantFrom(...MOMENTS), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }))
    .map(([moment, before, after]) => [moment - before * 60 * MINUTE, moment + after * 60 * MINUTE] as const);
  await fc.assert(
    fc.asyncProperty(rows, ranges, async (cells, [from, to]) => {
      await things.land(cells);
      for (const [every, bucket] of [BUCKETS[0], BUCKETS[2]] as const) {
        const bound = (text: string) =>
          text
            .replaceAll('@from', new Date(from).toISOString())
            .replaceAll('@last', new Date(to - 1).toISOString());
        const known = `SELECT ${bucket} AS step, zone, count(*) AS rows, max(${NUMBER}) AS most FROM things
          WHERE "timestamp" >= TIMESTAMPTZ '@from' AND "timestamp" < TIMESTAMPTZ '${new Date(to).toISOString()}' GROUP BY ALL`;
        const before = 'last_value(row IGNORE NULLS) OVER (PARTITION BY zone ORDER BY step)';
        for (const [fill, count, most] of [
          ['null', 'row.rows', 'row.most'],
          ['0', 'coalesce(row.rows, 0)', 'CASE WHEN row IS NULL THEN 0 ELSE row.most END'],
          ['previous', `(${before}).rows`, `(${before}).most`],
        ] as const) {
          const expected = await own(
            bound(`WITH known AS (${known}), steps AS (${steps[every]})
              SELECT step, zone, ${count} AS count, ${most} AS most
              FROM steps CROSS JOIN (SELECT DISTINCT zone FROM known)
              LEFT JOIN (SELECT step, zone, {'rows': rows, 'most': most} AS row FROM known) USING (step, zone)
              ORDER BY step, zone`),
          );
          const search = `agg=count,max:reading&by=zone&every=${every}&fill=${fill}&from=${from}&to=${to}&format=json`;
          assertClose(JSON.parse(await ask(search)), expected, search);
        }
      }
    }),
    { numRuns: 20, seed: 2026 },
  );
});

test('a sum is the same in whatever order rows come, and exact for whole numbers', async (t) => {
  const { things, ask } = await bothWays(t);
  const row = (reading: string, index: number) => ['a', reading, null, new Date(NOW - index).toISOString()];
  const cases = [
    [['0.1', '0.2', '0.3', '1e+30', '-1e+30'], '0.6'],
    [['0.1', '1e-12', '-0.1', '3e-12'], '0.000000000004'],
    // Exactly between two doubles.
    [['0.2', '0.2', '0.2'], '0.6000000000000001'],
    [['9007199254740991', '-9007199254740990', '0.5'], '1.5'],
    [Array.from({ length: 1000 }, (_, i) => String(2_000_000_000_000 + i)), '2000000000499500'],
  ] as const;
  for (const [readings, sum] of cases) {
    const sums = new Set<string>();
    for (const order of [readings, readings.toReversed(), readings.toSorted()]) {
      await things.land(order.map(row));
      sums.add(await ask('agg=sum:reading'));
    }
    assert.deepEqual([...sums], [`reading_sum\n${sum}\n`]);
  }
});
