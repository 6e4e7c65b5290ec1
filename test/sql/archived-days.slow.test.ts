import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { OneSchema } from '../../src/history/one-schema.js';
import { ArchivedHistory } from '../archive/archived-days.js';
import { MemoryObjects } from '../archive/memory-objects.js';
import { readingOf as readingOfRows, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { itemsOf, readingOf } from '../support/true-polls.js';
import { unsyncedFiles } from '../support/unsynced-files.js';

/*
 * Sealed days in an archive give the same answers as on the local disk: windows, SQL and views, also when no day is here,
 * and with columns that come, widen and hold hard cells.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Midnight in New York. */
const FIRST = Date.parse('2026-08-20T04:00:00Z');
const DAYS = 24;
const NOW = FIRST + DAYS * DAY + HOUR;
const KEEPING = { keep: 4, retention: null };

const POLLS = Array.from({ length: DAYS * 4 }, (_, n) => ({
  at: FIRST + n * 6 * HOUR + 7,
  reading: readingOf(
    itemsOf({
      a: { count: String(n), exact: `${n}00000000000000000000001`, place: `-74.1${n}00` },
      b: { count: n > 50 && n % 10 === 1 ? 'many' : '0', text: n % 2 === 0 ? '' : '🚕' },
      ...(n > 30 ? { c: { area: 'null', flag: n % 7 === 0 ? 'true' : 'false' } } : {}),
    }),
  ),
}));

const VIEWS = {
  'by-day': 'SELECT date, count(*) AS n, max("timestamp") AS latest FROM flags GROUP BY date ORDER BY date',
  together: 'SELECT (SELECT count(*) FROM flags) AS n, max(n) AS most FROM "by-day"',
  recent: 'SELECT count(*) AS n FROM flags WHERE date >= local_day(service_now()) - 6',
  // More rows than are kept.
  large: 'SELECT id, date, "range" AS n FROM flags CROSS JOIN range(1200)',
  'of-large': 'SELECT date, count(*) AS n FROM large GROUP BY date ORDER BY date',
} as const;

const WINDOWS = [
  'from=2000-01-01T00:00:00Z&sort=timestamp,id',
  'from=2026-08-22T00:00:00Z&to=2026-08-25T12:00:00Z&sort=timestamp,id',
  'last=8d&columns=id,count,place,timestamp&sort=timestamp,id',
  'to=2026-09-01T00:00:00Z&every=1d&agg=avg:exact,count:id',
  'last=1h',
] as const;

const SELECTS = [
  'SELECT count(*) AS n, count(DISTINCT date) AS days FROM flags',
  `SELECT * FROM flags WHERE date BETWEEN DATE '2026-08-24' AND DATE '2026-08-26' ORDER BY ALL`,
  `SELECT a.date, count(*) AS n FROM flags AS a JOIN flags AS b USING (date, id) GROUP BY ALL ORDER BY ALL`,
  `SELECT id, max(place) AS place, avg(count) AS mean FROM flags WHERE date < DATE '2026-08-28' GROUP BY id ORDER BY id`,
  'SELECT n FROM "by-day" ORDER BY ALL',
  `SELECT count(*) AS n FROM large WHERE date = DATE '2026-08-23'`,
];

async function start(t: TestContext, dataDir: string, history?: ArchivedHistory) {
  const store = history === undefined ? {} : { store: history.store };
  const world = await SqlWorld.start(t, { now: NOW, dataDir, ...store });
  const recorder = await world.table('flags', { log: true, files: unsyncedFiles });
  t.after(() => recorder.close());
  await world.sealer.restore(recorder.log!);
  const folder = join(await temporaryFolder(t), 'views');
  await mkdir(folder);
  for (const [name, sql] of Object.entries(VIEWS)) await writeFile(join(folder, `${name}.sql`), sql);
  await world.sql.openViews(folder, 'views');
  return { world, recorder };
}

/** Every answer, in that order. */
async function answers(world: SqlWorld): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const search of WINDOWS) found[search] = await world.window('flags', search);
  for (const name of ['by-day', 'together', 'recent', 'of-large'])
    found[name] = (await world.dataset(name).content()).bytes.toString();
  for (const sql of SELECTS) found[sql] = await world.ask(sql);
  return found;
}

/** Twenty-one sealed days on a local disk, with the answers there. */
async function local(t: TestContext) {
  const dataDir = await temporaryFolder(t);
  const { world, recorder } = await start(t, dataDir);
  for (const { reading, at } of POLLS) assert.deepEqual((await recorder.record(reading, at)).problems, []);
  assert.equal(await world.sealer.seal(recorder.log!, KEEPING), true);
  const expected = await answers(world);
  assert.match(expected[SELECTS[0]!]!, /^n,days\n257,24\n$/);
  return { dataDir, expected };
}

function oneSchemaOf(world: SqlWorld, { store }: ArchivedHistory): OneSchema {
  return new OneSchema({
    store,
    parquet: world.sql.parquet,
    clock: world.time,
    logger: pino({ level: 'silent' }),
    setAside: (file) => world.sealer.setAside(file),
  });
}

/** A copy of that folder on a machine of its own. */
async function machine(t: TestContext, dataDir: string, without: RegExp = /^$/): Promise<string> {
  const other = await temporaryFolder(t);
  await cp(dataDir, other, { recursive: true, filter: (path) => !without.test(path) });
  return other;
}

test('windows, SQL and views answer the same wherever the sealed days are', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const first = await machine(t, dataDir);
  const history = await ArchivedHistory.open({ dataDir: first, objects });
  const { world, recorder } = await start(t, first, history);
  assert.deepEqual(await answers(world), expected, 'all days are here');
  await history.archiveAll((path) => world.sql.describeDay(path));
  assert.deepEqual(await history.here(), [], 'nobody holds a day when all answers were read');
  assert.deepEqual(await answers(world), expected, 'all days left while the service runs');
  await recorder.close();

  const second = await machine(t, first, /\.parquet$/);
  const elsewhere = await ArchivedHistory.open({ dataDir: second, objects });
  const { world: other } = await start(t, second, elsewhere);
  const gets: string[] = [];
  objects.before = (_, key) => gets.push(key.slice(-18, -8));
  const [, range = '', , , latest = ''] = WINDOWS;
  assert.equal(await other.window('flags', latest), expected[latest]);
  assert.deepEqual(gets, [], 'columns and types are known without the files');
  assert.equal(await other.window('flags', range), expected[range]);
  assert.deepEqual(gets.sort(), ['2026-08-21', '2026-08-22', '2026-08-23', '2026-08-24', '2026-08-25']);
  assert.deepEqual(await answers(other), expected, 'another machine');
  assert.equal(gets.length, 21, 'each day was fetched once');
});

test('days of which nothing but the name is known are looked at, some at a time', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const history = await ArchivedHistory.open({ dataDir, objects });
  await history.archiveAll();
  const size = Math.max(...[...history.days].map((day) => day.size));
  // Nine days at a time: no answer needs more, but looking at all at once would.
  const again = await ArchivedHistory.open({ dataDir, objects, limit: 9 * size });
  const { world } = await start(t, dataDir, again);
  const [, range = ''] = WINDOWS;
  assert.equal(await world.window('flags', range), expected[range]);
  assert.ok(
    [...again.days].every(({ columns }) => columns !== null),
    'it is remembered',
  );
  await assert.rejects(world.ask('SELECT count(*) FROM flags'), {
    code: 'ARCHIVE_CACHE_TOO_SMALL',
    message: /^21 archived days are needed at once, the day 2026-08-20 of "flags" among them/,
  });
});

test('a day that cannot be fetched is an error that names it, and the rest answers', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const history = await ArchivedHistory.open({ dataDir, objects });
  const { world } = await start(t, dataDir, history);
  await history.archiveAll((path) => world.sql.describeDay(path));
  const lost = 'history/flags/date=2026-08-24/2026-08-24.parquet';
  const bytes = objects.objects.get(lost)!;
  objects.objects.delete(lost);
  const [all = '', range = '', recent = '', , latest = ''] = WINDOWS;
  for (const search of [all, range]) {
    await assert.rejects(world.window('flags', search), {
      code: 'DAY_NOT_FETCHED',
      message: /^The day 2026-08-24 of "flags" cannot be fetched: .* is missing$/,
    });
  }
  await assert.rejects(world.ask(SELECTS[0]!), { code: 'DAY_NOT_FETCHED' });
  await assert.rejects(world.dataset('by-day').content(), { code: 'DAY_NOT_FETCHED' });
  for (const search of [recent, latest]) assert.equal(await world.window('flags', search), expected[search]);
  assert.equal((await world.dataset('recent').content()).bytes.toString(), expected.recent);
  // It is back: nothing was set aside.
  objects.objects.set(lost, bytes);
  world.time.at += 6_000;
  assert.equal(await world.window('flags', range), expected[range]);
  assert.equal((await world.dataset('by-day').content()).bytes.toString(), expected['by-day']);
  assert.deepEqual(world.logged, []);
});

test('a copy that rots on the disk is fetched again, within the same answer', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const history = await ArchivedHistory.open({ dataDir, objects });
  const { world } = await start(t, dataDir, history);
  await history.archiveAll((path) => world.sql.describeDay(path));
  const [, range = ''] = WINDOWS;
  assert.equal(await world.window('flags', range), expected[range]);
  const copy = join(dataDir, 'history/flags/date=2026-08-24/2026-08-24.parquet');
  await writeFile(copy, 'rot');
  assert.equal(await world.window('flags', range), expected[range]);
  assert.match(String(world.logged[0]?.msg), /damaged and is fetched again: 2026-08-24.parquet/);
});

test('days that leave while answers are being read leave afterwards', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const history = await ArchivedHistory.open({ dataDir, objects });
  const { world } = await start(t, dataDir, history);
  const query = await world.sql.queries.window(world.dataset('flags'), [...new URLSearchParams(WINDOWS[0])]);
  const { body } = await query.run(new AbortController().signal);
  await history.archiveAll((path) => world.sql.describeDay(path));
  assert.equal((await history.here()).length, 21);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), expected[WINDOWS[0]]);
  while ((await history.here()).length > 0) await new Promise(setImmediate);
});

test('days in the archive only are written again in one schema, and answer the same', async (t) => {
  const { dataDir, expected } = await local(t);
  const objects = new MemoryObjects();
  const history = await ArchivedHistory.open({ dataDir, objects });
  const { world, recorder } = await start(t, dataDir, history);
  await history.archiveAll((path) => world.sql.describeDay(path));
  assert.deepEqual(await answers(world), expected);
  assert.equal(await oneSchemaOf(world, history).unify(recorder.log!), true);
  assert.deepEqual(await answers(world), expected, 'written again here');
  await history.archiveAll((path) => world.sql.describeDay(path));
  const schemas = new Set(
    [...history.days].map(({ columns }) =>
      typesOf((columns ?? []).filter(({ isSealedAs }) => isSealedAs !== true)),
    ),
  );
  assert.equal(schemas.size, 1, [...schemas].join('\n'));
  await recorder.close();
  const second = await machine(t, dataDir, /\.parquet$/);
  const elsewhere = await ArchivedHistory.open({ dataDir: second, objects });
  const { world: other } = await start(t, second, elsewhere);
  assert.deepEqual(await answers(other), expected, 'another machine');
});

test('a column that another service gives another name in older days is the same column for a follower', async (t) => {
  const dataDir = await temporaryFolder(t);
  const recording = await SqlWorld.start(t, { now: Date.parse('2026-11-01T17:00:00Z'), dataDir });
  const recorder = await recording.table('zones', { log: true });
  for (const poll of [
    readingOfRows({ id: 'string', zone: 'string' }, [['a', 'north']]),
    readingOfRows({ id: 'string', Zone: 'number', zone: 'string' }, [['a', '4', 'south']]),
    readingOfRows({ id: 'string', Zone: 'number', zone: 'string' }, [['a', '5', 'east']]),
  ]) {
    await recorder.record(poll, recording.time.at);
    recording.time.at += DAY;
    await recording.sealer.seal(recorder.log!, { keep: 1, retention: null });
  }
  await recorder.close();
  const objects = new MemoryObjects();
  const collector = await ArchivedHistory.open({ dataDir, objects });
  await collector.archiveAll((path) => recording.sql.describeDay(path));
  const elsewhere = await machine(t, dataDir, /\.parquet$/);
  const follower = await ArchivedHistory.open({ dataDir: elsewhere, objects });
  const now = recording.time.at;
  const world = await SqlWorld.start(t, { now, dataDir: elsewhere, store: follower.store });
  const followed = (await world.table('zones', { log: true })).log!;
  await world.sealer.restore(followed);
  const seen = async () => [
    await world.ask('SELECT id, zone_2, "Zone", date FROM zones ORDER BY date'),
    await world.window('zones', 'last=30d&columns=zone,Zone'),
  ];
  const before = await seen();
  assert.match(before[0]!, /a,north,,2026-11-01/);

  const rewriting = await SqlWorld.start(t, { now, dataDir, store: collector.store });
  const rewritten = (await rewriting.table('zones', { log: true })).log!;
  await rewriting.sealer.restore(rewritten);
  assert.equal(await oneSchemaOf(rewriting, collector).unify(rewritten), true);
  await collector.archiveAll((path) => rewriting.sql.describeDay(path));
  await follower.cache.replace([...collector.days]);
  assert.deepEqual(await seen(), before);
});

function typesOf(columns: readonly { readonly name: string; readonly type: string }[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}
