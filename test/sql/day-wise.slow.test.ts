import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { SelectParser } from '../../src/sql/select-parser.js';
import type { ViewDataset } from '../../src/sql/view-dataset.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const DAY = 86_400_000;
const POLLS_A_DAY = 4;
const KEEPING = { keep: 3, retention: null };
/** Midnight in New York. */
const MIDNIGHT = Date.parse('2026-11-20T05:00:00Z');

let parser: SelectParser;
before(async () => {
  parser = await SelectParser.open();
});
after(() => parser.close());

/** Polls of one local day, counted from the 20th: three items whose numbers rise, one of them absent now and then. */
async function pollDay(log: TableRecorder, day: number, types = TYPES): Promise<void> {
  for (let poll = 0; poll < POLLS_A_DAY; poll++) {
    const n = day * POLLS_A_DAY + poll;
    const rows = ['a', 'b', 'c'].map((id, index) => {
      const price = (n * 7 + index) % 5 === 0 ? null : String((n * 7 + index) / 4);
      return [id, String(n * (index + 1)), price, '1'].slice(0, Object.keys(types).length);
    });
    await log.record(readingOf(types, rows, ['id']), MIDNIGHT + day * DAY + (poll * DAY) / POLLS_A_DAY);
  }
}

const TYPES = { id: 'string', n: 'number', price: 'number' } as const;

/** Fifteen local days of a log, all but the last three sealed. */
async function fifteenDays(
  t: TestContext,
): Promise<{ readonly world: SqlWorld; readonly log: TableRecorder }> {
  const world = await SqlWorld.start(t, { now: MIDNIGHT + DAY });
  const log = await world.table('log', { log: true });
  for (let day = -14; day <= 0; day++) await pollDay(log, day);
  await world.sealer.seal(log.log!, KEEPING);
  return { world, log };
}

/** The days whose files are in the volume. */
function folderOf(world: SqlWorld, date: string): string {
  return join(world.dataDir, 'history', 'log', `date=${date}`);
}

async function viewOf(world: SqlWorld, name: string, sql: string): Promise<ViewDataset> {
  return world.sql.addView({ name, file: `${name}.sql`, sql });
}

function sortedLines(csv: string): readonly string[] {
  const [header, ...lines] = csv.trimEnd().split('\n');
  return [header!, ...lines.sort()];
}

/** A view has the rows that its SQL has where nothing is kept. */
async function assertSame(world: SqlWorld, view: ViewDataset): Promise<readonly string[]> {
  const { sql } = view.definition!;
  const lines = sortedLines((await view.content()).bytes.toString());
  assert.deepEqual(lines, sortedLines(await world.ask(sql)), sql);
  return lines;
}

const BY_DAY: readonly string[] = [
  'SELECT date, count(*) AS rows FROM log GROUP BY date',
  'SELECT date, id, sum(n) AS total, avg(price) AS price FROM log GROUP BY date, id',
  'SELECT id, max(n) - min(n) AS span, date AS day FROM log GROUP BY ALL',
  'SELECT date, count(*) FILTER (WHERE n % 2 = 0) AS even FROM log GROUP BY 1 HAVING count(*) > 1',
  'SELECT date, count(price) AS prices FROM LOG WHERE date >= local_day(service_now()) - 5 GROUP BY date',
  `SELECT date, sum(n) AS n FROM log WHERE date BETWEEN DATE '2026-11-08' AND DATE '2026-11-19' AND id <> 'b' GROUP BY date`,
  `SELECT date, sum(n) AS n FROM log WHERE date IN (local_day(service_now()), local_day(service_now()) - 7) GROUP BY date`,
  `SELECT date, sum(n) AS n FROM log WHERE dayofweek(date) = 1 OR date > DATE '2026-11-18' GROUP BY date`,
  'SELECT date, sum(n) AS n FROM log GROUP BY date ORDER BY date DESC LIMIT 4',
  'WITH l AS (SELECT date AS day, n * 2 AS twice FROM log WHERE n > 3) SELECT day, sum(twice) AS n FROM l GROUP BY day',
  `WITH l AS (SELECT * FROM log WHERE date > local_day(service_now()) - 8) SELECT date, arg_max(n, "timestamp") AS last FROM l GROUP BY date`,
  `WITH log AS (SELECT * FROM log WHERE id = 'a') SELECT date, count(*) AS n FROM log GROUP BY date`,
  'SELECT max(n) AS most FROM (SELECT date, sum(n) AS n FROM log GROUP BY date)',
  `WITH days AS (SELECT date, sum(n) AS n FROM log GROUP BY date), more AS (SELECT date, count(*) AS c FROM log WHERE id = 'c' GROUP BY date)
   SELECT days.date, days.n, more.c, (SELECT count(*) FROM log) AS all_rows FROM days JOIN more USING (date)`,
  'SELECT date, local_hour_start("timestamp") AS hour, nullif(sum(n), 0) AS n FROM log GROUP BY date, hour',
];

const NOT_BY_DAY: readonly string[] = [
  'SELECT id, sum(n) AS n FROM log GROUP BY id',
  'SELECT date, sum(n) AS n, sum(sum(n)) OVER (ORDER BY date) AS so_far FROM log GROUP BY date',
  'SELECT date, count(*) AS n FROM log WHERE "timestamp" > service_now() - INTERVAL 36 HOUR GROUP BY date',
  'SELECT date, count(*) AS n FROM log WHERE n > (SELECT avg(n) FROM log) GROUP BY date',
  'SELECT date, count(*) AS n FROM log WHERE local_day(service_now()) - date < 5 OR n < 0 GROUP BY date',
  'SELECT date + 1 AS date, count(*) AS n FROM log GROUP BY date',
  'SELECT date, count(*) AS n FROM log GROUP BY GROUPING SETS ((date), ())',
  'SELECT date, count(*) AS n FROM (SELECT DISTINCT date, id FROM log) GROUP BY date',
  'SELECT date, count(*) AS n FROM (SELECT * FROM log ORDER BY n LIMIT 20) GROUP BY date',
  'SELECT date, count(*) AS n FROM (SELECT date, lag(n) OVER (ORDER BY "timestamp", id) AS before FROM log) WHERE before > 3 GROUP BY date',
  'SELECT date, random() < 2 AS r, count(*) AS n FROM log GROUP BY date, r',
  'SELECT date, count(*) AS n FROM log TABLESAMPLE 100 PERCENT GROUP BY date',
  'SELECT a.date, count(*) AS n FROM log AS a JOIN log AS b ON a.n = b.n + 3 GROUP BY a.date',
  `WITH log AS (SELECT DATE '2026-11-20' AS date, 1 AS n) SELECT date, sum(n) AS n FROM log GROUP BY date`,
];

test('what is computed day by day is recognised, and what is not', async () => {
  for (const sql of BY_DAY) assert.notEqual(await parser.dayWise(await parser.parse(sql)), null, sql);
  for (const sql of NOT_BY_DAY) assert.equal(await parser.dayWise(await parser.parse(sql)), null, sql);
});

test('views that keep sealed days have the rows that their SQL has, whatever happens to the days', async (t) => {
  const { world, log } = await fifteenDays(t);
  const views: ViewDataset[] = [];
  for (const [index, sql] of [...BY_DAY, ...NOT_BY_DAY].entries())
    views.push(await viewOf(world, `view-${index}`, sql));
  const assertAll = async (what: string) => {
    await t.test(what, async () => {
      for (const view of views) assert.ok((await assertSame(world, view)).length > 1, view.definition!.sql);
    });
  };
  const nextDay = async (day: number, types?: typeof TYPES) => {
    world.time.at = MIDNIGHT + (day + 1) * DAY;
    await pollDay(log, day, types);
  };
  await assertAll('at first');
  await assertAll('from the kept days');
  await nextDay(1);
  await assertAll('after new rows');
  await world.sealer.seal(log.log!, KEEPING);
  await assertAll('after another day was sealed');
  // Times before those of sealed days, as after a clock was set back: their rows are in the file and in the log.
  await log.record(readingOf(TYPES, [['a', '1', '2']], ['id']), MIDNIGHT + 2 * DAY);
  await nextDay(3);
  await assertAll('after a gap');
  await world.sealer.seal(log.log!, { keep: 3, retention: 10 });
  await assertAll('after the oldest days were deleted');
  await nextDay(4, { ...TYPES, more: 'number' } as typeof TYPES);
  await assertAll('after a column was added');
});

test('days are computed again where a column has become text', async (t) => {
  const { world, log } = await fifteenDays(t);
  const view = await viewOf(world, 'most', 'SELECT date, max(n) AS most FROM log GROUP BY date');
  const numbers = await assertSame(world, view);
  world.time.at += DAY;
  await pollDay(log, 1, { ...TYPES, n: 'string' as 'number' });
  const texts = await assertSame(world, view);
  assert.notDeepEqual(texts.slice(0, numbers.length), numbers);
});

test('a day of which there are unsealed rows too is computed from both', async (t) => {
  const { world, log } = await fifteenDays(t);
  const view = await viewOf(world, 'rows', 'SELECT date, count(*) AS rows FROM log GROUP BY date');
  world.time.at = MIDNIGHT + 2 * DAY;
  await world.sealer.seal(log.log!, { keep: 1, retention: null });
  const sealed = await assertSame(world, view);
  assert.equal(sealed.at(-1), '2026-11-20,12');
  // A poll that was on its way while its day was sealed.
  await log.record(readingOf(TYPES, [['a', '1', '2']], ['id']), MIDNIGHT + 0.9 * DAY);
  const both = await assertSame(world, view);
  assert.equal(both.at(-1), '2026-11-20,13');
});

test('a view does not read a sealed day twice', async (t) => {
  const { world, log } = await fifteenDays(t);
  const view = await viewOf(world, 'rows', 'SELECT date, sum(n) AS n FROM log GROUP BY date');
  const before = await assertSame(world, view);
  await rm(folderOf(world, '2026-11-10'), { recursive: true });
  await pollDay(log, 1);
  world.time.at += DAY;
  const lines = sortedLines((await view.content()).bytes.toString());
  assert.equal(lines.length, before.length + 1);
  assert.deepEqual(lines.slice(0, before.length), before);
});

test('a day that is found damaged is missed by the view as by its SQL', async (t) => {
  const { world, log } = await fifteenDays(t);
  await world.sealer.restore(log.log!);
  const sql = `SELECT date, sum(n) AS n FROM log WHERE date >= DATE '2026-11-08' GROUP BY date`;
  await writeFile(join(folderOf(world, '2026-11-10'), '2026-11-10.parquet'), 'not Parquet');
  const view = await viewOf(world, 'sums', sql);
  await assert.rejects(view.content(), { code: 'DAY_MISSING' });
  await assert.rejects(world.ask(sql), { code: 'DAY_MISSING' });
});

test('an error is reported for the SQL as it was written', async (t) => {
  const { world } = await fifteenDays(t);
  const view = await viewOf(
    world,
    'wrong',
    'SELECT date,\n  CAST(sum(nn) AS BIGINT) AS n\nFROM log GROUP BY date',
  );
  await assert.rejects(view.content(), { code: 'VIEW_BROKEN', message: /line 2.*nn/s });
});

/** Parts of SELECTs that are computed day by day. */
const condition = fc.constantFrom(
  'true',
  `date >= DATE '2026-11-12'`,
  'date < local_day(service_now()) - 3',
  `date <> DATE '2026-11-15'`,
  'n % 3 = 1',
  'price IS NULL',
  `date > DATE '2026-11-09' AND n > 5`,
  `(id = 'a' OR date = DATE '2026-11-18')`,
);
const aggregate = fc.constantFrom(
  'count(*)',
  'sum(n)',
  'avg(price)',
  'max(n) - min(n)',
  'count(DISTINCT id)',
  'arg_min(price, "timestamp")',
  'sum(n) FILTER (WHERE price IS NOT NULL)',
);
const group = fc.constantFrom(['date'], ['date', 'id'], ['id', 'date'], ['date', 'n % 2']);

test('whatever is grouped by day', async (t) => {
  const { world, log } = await fifteenDays(t);
  let day = 1;
  let number = 0;
  const property = fc.asyncProperty(condition, condition, aggregate, group, async (one, two, value, by) => {
    const columns = by.map((key, index) => (key === 'date' ? 'date' : `${key} AS key_${index}`)).join(', ');
    const sql = `WITH rows AS (SELECT * FROM log WHERE ${one})
      SELECT ${columns}, ${value} AS value FROM rows WHERE ${two} GROUP BY ${by.join(', ')}`;
    number += 1;
    const view = await viewOf(world, `made-${number}`, sql);
    await assertSame(world, view);
    if (number % 10 !== 0) return;
    world.time.at += DAY;
    await pollDay(log, day);
    await world.sealer.seal(log.log!, KEEPING);
    day += 1;
    for (const made of world.registry.list())
      if (made.kind === 'view') await assertSame(world, made as ViewDataset);
  });
  await fc.assert(property, { numRuns: 60, seed: 2026 });
});
