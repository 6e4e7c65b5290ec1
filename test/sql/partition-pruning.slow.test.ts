import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { SelectParser } from '../../src/sql/select-parser.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DAY = 86_400_000;
const POLLS_A_DAY = 6;

/**
 * Two datasets of twenty local days, all but the last three sealed, with rows in the first and the last half minute of a
 * day: `log` with the columns id, n, timestamp and date, and `own` with a column `date` of the table's, which SQL's
 * `local_date` stands beside.
 */
async function twentyDays(t: TestContext, timeZone = 'America/New_York'): Promise<SqlWorld> {
  const world = await SqlWorld.start(t, { timeZone });
  const log = await world.table('log', { log: true });
  const own = await world.table('own', { log: true });
  // 05:00 in UTC is midnight in New York.
  const midnight = Date.parse('2026-11-20T05:00:00Z');
  for (let poll = -20 * POLLS_A_DAY; poll <= POLLS_A_DAY / 2; poll++) {
    for (const at of [midnight + (poll * DAY) / POLLS_A_DAY - 1, midnight + (poll * DAY) / POLLS_A_DAY]) {
      if (at > world.time.at) continue;
      const n = String(poll + 20 * POLLS_A_DAY);
      await log.record(readingOf({ id: 'string', n: 'number' }, [['a', n]]), at);
      await own.record(readingOf({ id: 'string', date: 'string' }, [['a', `2026-11-${n}`]]), at);
    }
  }
  for (const { log: dataset } of [log, own]) await world.sealer.seal(dataset!, { keep: 3, retention: null });
  return world;
}

const removeDay = (world: SqlWorld, dataset: string, date: string) =>
  rm(join(world.dataDir, 'history', dataset, `date=${date}`), { recursive: true });

const RECENT: readonly string[] = [
  `SELECT n FROM log WHERE date >= DATE '2026-11-12'`,
  `SELECT n FROM log WHERE date >= '2026-11-12' AND n % 2 = 0`,
  `SELECT n FROM log WHERE '2026-11-12' <= date`,
  `SELECT n FROM log WHERE date = local_day(service_now()) - 7`,
  `SELECT n FROM log WHERE date BETWEEN CAST(date_trunc('week', local_day(service_now())) AS DATE) AND local_day(service_now())`,
  `SELECT n FROM log WHERE date IN (local_day(service_now()), local_day(service_now()) - 7)`,
  `SELECT n FROM log WHERE "timestamp" >= service_now() - INTERVAL 5 DAY`,
  `SELECT n FROM log WHERE "timestamp" >= '2026-11-13T03:00:00Z'`,
  `SELECT count(*) FROM LOG AS l WHERE l.Date > DATE '2026-11-12' GROUP BY date`,
  `SELECT n FROM log JOIN (SELECT 'a' AS id) AS names USING (id) WHERE date >= DATE '2026-11-12'`,
  `WITH days AS (SELECT * FROM log WHERE date > DATE '2026-11-12') SELECT a.n FROM days AS a, days AS b WHERE a.n = b.n`,
  `WITH log AS (SELECT * FROM log WHERE date > DATE '2026-11-12') SELECT n FROM log`,
  `SELECT n FROM log WHERE date = DATE '2026-11-14' UNION ALL SELECT n FROM Log WHERE date = DATE '2026-11-12'`,
  `SELECT (SELECT max(n) FROM log WHERE date >= DATE '2026-11-12') AS n`,
  `SELECT n FROM log WHERE date >= DATE '2026-11-12' -- to the end`,
  `SELECT id FROM own WHERE local_date >= DATE '2026-11-12'`,
  `SELECT log.n FROM log JOIN own ON own."timestamp" = log."timestamp" WHERE log.date > DATE '2026-11-12' AND own.local_date > DATE '2026-11-12'`,
];

test('SQL opens no sealed day that its conditions leave out', async (t) => {
  const world = await twentyDays(t);
  const answers = new Map<string, string>();
  for (const sql of RECENT) answers.set(sql, await world.ask(`SELECT * FROM (${sql}\n) ORDER BY ALL`));
  for (const dataset of ['log', 'own']) {
    for (const date of ['2026-11-01', '2026-11-05', '2026-11-11']) await removeDay(world, dataset, date);
  }
  await assert.rejects(world.ask('SELECT count(*) FROM log'));
  await assert.rejects(world.ask('SELECT count(*) FROM own'));
  for (const [sql, answer] of answers) {
    assert.ok(answer.split('\n').length > 2, sql);
    assert.equal(await world.ask(`SELECT * FROM (${sql}\n) ORDER BY ALL`), answer, sql);
  }
});

test('nor does a view', async (t) => {
  const world = await twentyDays(t);
  const folder = join(await temporaryFolder(t), 'views');
  await mkdir(folder);
  await writeFile(
    join(folder, 'recent.sql'),
    'SELECT min(n) AS n FROM log WHERE date >= local_day(service_now()) - 7',
  );
  const [view] = await world.sql.openViews(folder, 'config/views');
  assert.equal((await view!.content()).bytes.toString(), 'n\n78\n');
  await removeDay(world, 'log', '2026-11-13');
  world.time.at += DAY;
  // A day later that day is not asked for any more.
  assert.equal((await view!.content()).bytes.toString(), 'n\n84\n');
});

/** SELECTs of which a condition on the time leaves out rows that they need all the same. */
const WHOLE: readonly string[] = [
  `SELECT n FROM log WHERE date >= DATE '2026-11-12' OR n = 3`,
  `SELECT n FROM log WHERE NOT date >= DATE '2026-11-12'`,
  `SELECT count(*) AS n FROM log WHERE date >= DATE '2026-11-12' UNION ALL SELECT count(*) FROM log`,
  `SELECT count(*) AS n FROM log WHERE date >= DATE '2026-11-12' UNION ALL SELECT count(*) FROM LOG`,
  `SELECT count(*) FILTER (WHERE date >= DATE '2026-11-12') AS n, count(*) AS m FROM log`,
  `SELECT day FROM (SELECT DATE '2026-11-19' AS date, 'a' AS day) AS l ANTI JOIN log ON log.date < DATE '2026-11-05' WHERE date > DATE '2026-11-12'`,
  `SELECT n FROM log AS l(a, n, "timestamp", date) WHERE n > 100`,
  `SELECT id, date FROM own WHERE date < '2026-11-3'`,
  `SELECT n FROM log WHERE date >= (SELECT min(date) FROM log)`,
  `SELECT n FROM log AS a WHERE EXISTS (SELECT 1 FROM log AS b WHERE b.date < a.date AND b.n = a.n - 50)`,
  `SELECT a.n FROM log AS a JOIN log AS b ON a.n = b.n + 60 WHERE b.date < DATE '2026-11-12'`,
  `WITH l AS (SELECT '2026-11-09' AS date) SELECT count(*) AS n FROM l JOIN log USING (date) WHERE date <= '2026-11-1'`,
  `WITH l AS (SELECT '2026-11-09' AS date) SELECT count(*) AS n FROM l NATURAL JOIN log WHERE date <= '2026-11-1'`,
  `WITH l AS (SELECT '2026-11-09' AS date) SELECT count(*) AS n FROM log RIGHT JOIN l USING (date) WHERE date <= '2026-11-1'`,
  `SELECT n FROM log WHERE date >= NULL OR date <= '2026-11-04'`,
  `SELECT n FROM log WHERE date >= CASE WHEN n > 50 THEN DATE '2026-11-12' ELSE DATE '2026-10-01' END`,
];

test('pruning never drops a day that the answer needs', async (t) => {
  const world = await twentyDays(t);
  for (const sql of [...WHOLE, ...RECENT]) await assertSame(world, sql);
});

for (const timeZone of ['America/New_York', 'Asia/Tokyo', 'Pacific/Kiritimati']) {
  test(`whatever the conditions are, in ${timeZone}`, async (t) => {
    const world = await twentyDays(t, timeZone);
    await fc.assert(
      fc.asyncProperty(condition, condition, (one, two) =>
        assertSame(
          world,
          `SELECT n FROM log WHERE ${one} UNION ALL SELECT a.n FROM log AS a LEFT JOIN own AS b
            ON a."timestamp" = b."timestamp" WHERE ${two.replaceAll(/(date|"timestamp")/g, 'a.$1')}`,
        ),
      ),
      { numRuns: 60 },
    );
  });
}

/** The same answer as behind a subquery without conditions, through which no day is left out. */
async function assertSame(world: SqlWorld, sql: string): Promise<void> {
  const whole = sql.replaceAll(
    /(FROM|JOIN) (log|own)\b(?! AS)/gi,
    (_, word, name) => `${word} (FROM ${name}) AS ${name}`,
  );
  const named = whole.replaceAll(/(FROM|JOIN) (log|own) AS/gi, '$1 (FROM $2) AS');
  assert.ok(named !== sql, sql);
  const ask = (text: string) => world.ask(`SELECT * FROM (${text}\n) ORDER BY ALL`);
  assert.equal(await ask(sql), await ask(named), sql);
}

const moment = fc
  .integer({ min: -22 * 48, max: 3 * 48 })
  .map((halfHours) => new Date(Date.parse('2026-11-20T00:00:00Z') + (halfHours * DAY) / 48));
const days = fc.integer({ min: -1, max: 22 });
/** Values as people write them, of every type that a day or a time can be compared with. */
const value = fc.oneof(
  moment.map((at) => `DATE '${at.toISOString().slice(0, 10)}'`),
  moment.map((at) => `TIMESTAMP '${at.toISOString().slice(0, 19)}'`),
  moment.map((at) => `TIMESTAMPTZ '${at.toISOString()}'`),
  moment.map((at) => `to_timestamp(${at.getTime() / 1000})`),
  days.map((count) => `local_day(service_now()) - ${count}`),
  days.map((count) => `service_now() - INTERVAL (${count}) DAY`),
  days.map((count) => `local_midnight(local_day(service_now()) - ${count})`),
  fc.constantFrom(`DATE 'infinity'`, `DATE '-infinity'`, 'CAST(NULL AS DATE)', `DATE '12026-01-01'`),
);
const text = moment.map((at) => `'${at.toISOString().slice(0, 10)}'`);
const instant = moment.map((at) => `'${at.toISOString()}'`);
const comparison = fc
  .tuple(
    fc.constantFrom('=', '<', '<=', '>', '>=', '<>'),
    fc.constantFrom('date', '"timestamp"'),
    fc.oneof(value, text),
  )
  .map(([operator, column, to]) => `${column} ${operator} ${to}`);
const condition: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: comparison },
  fc.tuple(fc.constantFrom('<', '>='), instant).map(([operator, at]) => `"timestamp" ${operator} ${at}`),
  fc.tuple(comparison, comparison).map(([one, two]) => `${one} AND n % 2 = 0 AND ${two}`),
  fc.tuple(comparison, comparison).map(([one, two]) => `(${one} OR ${two})`),
  fc.tuple(text, text).map(([from, to]) => `date BETWEEN ${from} AND ${to}`),
  fc.tuple(moment, moment).map(([from, to]) => {
    const [one, two] = [from, to].map((at) => `TIMESTAMPTZ '${at.toISOString()}'`);
    return `"timestamp" BETWEEN ${one} AND ${two}`;
  }),
  fc
    .array(
      moment.map((at) => `DATE '${at.toISOString().slice(0, 10)}'`),
      { minLength: 1, maxLength: 3 },
    )
    .map((list) => `date IN (${list.join(', ')})`),
);

test('a value that is not a day is an error in the SQL, with its position', async (t) => {
  const world = await twentyDays(t);
  await assert.rejects(
    world.ask(`SELECT n\nFROM log\nWHERE date >= 5`),
    (error: Error) => /line 3/.test(error.message) && /DATE/.test(error.message),
  );
  await assert.rejects(world.ask(`SELECT n FROM log WHERE date >= 'yesterday'`), /yesterday/);
});

let parser: SelectParser;
before(async () => {
  parser = await SelectParser.open();
});
after(() => parser.close());

test('values of any type are taken apart', async () => {
  const values = [
    "'a'",
    '1',
    '-1',
    '1.5',
    '1e5',
    '1e300',
    '12345678901',
    '9007199254740993',
    '99999999999999999999',
  ];
  values.push(
    'true',
    'NULL',
    "DATE '2026-11-12'",
    "TIME '12:00'",
    "INTERVAL '3 days'",
    "'\\xAA'::BLOB",
    '[1, 2]',
  );
  values.push(
    "{'a': 1}",
    "'101'::BIT",
    'uuid()',
    "MAP {'a': 1}",

    '1_000',
    "E'\\n'",
    "date '2026-1-1' + 3",
  );
  for (const value of values) {
    const { tables } = await parser.parse(`SELECT 1 FROM a WHERE x >= ${value} AND date > '2026-11-12'`);
    assert.deepEqual(tables, ['a'], value);
  }
});

test('long lists and thousands of conditions are no more than they were', async () => {
  const numbers = Array.from({ length: 1_500 }, (_, index) => index);
  const { references } = await parser.parse(
    `SELECT 1 FROM a WHERE x IN (${numbers.join(', ')}) AND y > 1 AND ${numbers.map((n) => `z > ${n}`).join(' AND ')}`,
  );
  const columns = references[0]!.conditions.map(({ column }) => column);
  assert.ok(columns.includes('y') && !columns.includes('x'));
  assert.ok(columns.length <= 200);
});

test('which conditions count depends on their place in the SELECT', async () => {
  const { references } = await parser.parse(
    `SELECT * FROM "A" AS x, b WHERE x.d BETWEEN 1 AND 2 + 3 AND 4 >= e AND lower(f) = 'g' AND h = random()`,
  );
  assert.deepEqual(references, [
    {
      table: 'a',
      conditions: [
        { column: 'd', side: 'from', values: ['1'] },
        { column: 'd', side: 'to', values: ['(2 + 3)'] },
        { column: 'e', side: 'to', values: ['4'] },
      ],
    },
    { table: 'b', conditions: [{ column: 'e', side: 'to', values: ['4'] }] },
  ]);
});
