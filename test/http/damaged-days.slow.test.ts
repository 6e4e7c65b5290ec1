import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { httpOver } from '../support/sql-http.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const BROKEN_DAY = '2026-11-14';
const FOLDER = `history/log/date=${BROKEN_DAY}`;
const FILE = `${FOLDER}/${BROKEN_DAY}.parquet`;
const sql = (text: string) => `/csv?sql=${encodeURIComponent(text)}`;

/** Windows, views and SQL that need no rows of the damaged day, each with its answer. */
const UNTOUCHED: readonly (readonly [url: string, body: string])[] = [
  ['/csv/log?last=1m', 'id,n,timestamp\na,0,2026-11-20T12:00:00.000Z\n'],
  ['/csv/log?columns=n&from=2026-11-15T05:00:00Z&to=2026-11-17T05:00:00Z', 'n\n5\n4\n'],
  ['/csv/log?columns=n&to=2026-11-13T05:00:00Z', 'n\n9\n8\n'],
  ['/csv/since', 'n\n5\n'],
  [sql(`SELECT count(*) AS n FROM log WHERE date < '${BROKEN_DAY}'`), 'n\n3\n'],
  ['/csv/other?limit=1', 'id,n\na,1\n'],
];
/** Those that do. */
const NEEDING = [
  '/csv/log?from=2026-11-13&to=2026-11-16',
  '/csv/log?from=2000-01-01&format=parquet',
  '/csv/all',
  '/csv/all?limit=1',
  sql('SELECT count(*) AS n FROM log'),
  sql(`SELECT count(*) AS n FROM log WHERE date = '${BROKEN_DAY}'`),
];

/** HTTP over a log of ten days, the first eight of them sealed, another table and two views. */
async function start(t: TestContext, dataDir?: string) {
  const world = await SqlWorld.start(t, { now: NOW, ...(dataDir === undefined ? {} : { dataDir }) });
  const log = await world.table('log', { log: true });
  const other = await world.table('other');
  await world.sealer.restore(log.log!);
  const add = (name: string, text: string) => world.sql.addView({ name, file: `${name}.sql`, sql: text });
  await add('since', `SELECT count(*) AS n FROM log WHERE date > '${BROKEN_DAY}' AND date < '2026-11-20'`);
  await add('all', 'SELECT count(*) AS n FROM log');
  const http = await httpOver(t, world);
  const get = async (url: string): Promise<{ readonly statusCode: number; readonly body: string }> => {
    const { statusCode, body } = await http.inject(url);
    return { statusCode, body };
  };
  const path = join(world.dataDir, FILE);
  return { world, log, other, get, path };
}

async function startWithDays(t: TestContext) {
  const service = await start(t);
  const { world, log, other } = service;
  const types = { id: 'string', n: 'number' } as const;
  for (let day = 9; day >= 0; day--)
    await log.record(readingOf(types, [['a', String(day)]]), NOW - day * DAY);
  await other.record(readingOf(types, [['a', '1']]), NOW);
  await world.sealer.seal(log.log!, { keep: 2, retention: null });
  return service;
}

type Service = Awaited<ReturnType<typeof start>>;

async function assertDayIsMissing({ world, get, path }: Service): Promise<void> {
  for (const [url, body] of UNTOUCHED) assert.deepEqual(await get(url), { statusCode: 200, body }, url);
  for (const url of NEEDING) {
    const answer = await get(url);
    assert.equal(answer.statusCode, 500, url);
    assert.match(
      answer.body,
      /^"log" lacks the day 2026-11-14 \(2026-11-14\.parquet (is damaged|cannot be read)/,
      url,
    );
  }
  for (const [url, body] of UNTOUCHED) assert.deepEqual(await get(url), { statusCode: 200, body }, url);
  const health = JSON.parse((await get('/healthz')).body);
  assert.equal(health.status, 'degraded');
  const catalogue = JSON.parse((await get('/datasets')).body);
  for (const { datasets } of [health, catalogue]) {
    const missing = datasets.filter((dataset: { missingDays: string[] }) => dataset.missingDays.length > 0);
    assert.deepEqual(
      missing.map(({ name, missingDays }: { name: string; missingDays: string[] }) => [name, missingDays]),
      [['log', [BROKEN_DAY]]],
    );
  }
  const line = world.logged.find(({ day }) => day === BROKEN_DAY);
  assert.deepEqual([line?.dataset, line?.level], ['log', 50]);
  await assert.rejects(readFile(path), { code: 'ENOENT' });
}

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'is cut off': (path) => truncate(path, 100),
  'is empty': (path) => truncate(path, 0),
  'is something else': (path) => writeFile(path, 'id,n\na,5\n'.repeat(100)),
  'has other bytes in its table of contents': async (path) => {
    const bytes = await readFile(path);
    bytes.fill(0x5a, bytes.length - 200, bytes.length - 8);
    await writeFile(path, bytes);
  },
  'is a folder': async (path) => {
    await rm(path);
    await mkdir(path);
  },
  'is a named pipe': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [path]);
  },
  'is a link to itself': async (path) => {
    await rm(path);
    await symlink(basename(path), path);
  },
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`a sealed file that ${what} is set aside and named; what does not need its day is answered`, async (t) => {
    const first = await startWithDays(t);
    await damage(first.path);
    const second = await start(t, first.world.dataDir);
    await assertDayIsMissing(second);
    const kept = join(first.world.dataDir, 'damaged', FILE);
    assert.ok((await readdir(join(kept, '..'))).includes(`${BROKEN_DAY}.parquet`));
    // Also at the next start, where nobody reads the day before its state is asked for.
    await assertDayIsMissing(await start(t, first.world.dataDir));
  });
}

test('a sealed file that is damaged or vanishes while the service runs', async (t) => {
  for (const damage of [(path: string) => rm(path), DAMAGES['is something else']!]) {
    const service = await startWithDays(t);
    assert.deepEqual(await service.get('/csv/all'), { statusCode: 200, body: 'n\n10\n' });
    await damage(service.path);
    // A write in the same second as the last one would go unnoticed by DuckDB.
    await utimes(service.path, NOW / 1_000, NOW / 1_000).catch(() => undefined);
    assert.equal(
      (await service.get(sql("SELECT sum(n) AS n FROM log WHERE date < '2026-11-15'"))).statusCode,
      500,
    );
    await assertDayIsMissing(service);
  }
});

test('a sealed file that is put back is read again at the next start', async (t) => {
  const first = await startWithDays(t);
  const backup = join(await temporaryFolder(t), 'day.parquet');
  await writeFile(backup, await readFile(first.path));
  await truncate(first.path, 50);
  const second = await start(t, first.world.dataDir);
  await assertDayIsMissing(second);
  await rename(backup, second.path);
  const third = await start(t, first.world.dataDir);
  assert.deepEqual(await third.get('/csv/all'), { statusCode: 200, body: 'n\n10\n' });
  assert.equal(JSON.parse((await third.get('/healthz')).body).status, 'ok');
});

test('a damaged sealed file whose rows are still in the CSV file stops neither the start nor sealing', async (t) => {
  const first = await startWithDays(t);
  const csv = join(first.world.dataDir, 'log.csv');
  // As if the process had died between the Parquet files and the CSV file, and the disk had lost a page.
  const rows = `a,6,${new Date(NOW - 6 * DAY).toISOString()}\n`;
  const [header, ...unsealed] = (await readFile(csv, 'utf8')).split(/(?<=\n)/);
  await first.log.close();
  await writeFile(csv, [header, rows, ...unsealed].join(''));
  await truncate(first.path, 60);
  const second = await start(t, first.world.dataDir);
  assert.equal(await second.world.sealer.seal(second.log.log!, { keep: 2, retention: null }), true);
  const names = await readdir(join(first.world.dataDir, FOLDER));
  assert.deepEqual(names, [`${BROKEN_DAY}-2.parquet`]);
  const health = JSON.parse((await second.get('/healthz')).body);
  assert.equal(health.status, 'degraded');
  // The rows were sealed again: without the damaged file the day is whole.
  await rm(join(first.world.dataDir, 'damaged'), { recursive: true });
  const third = await start(t, first.world.dataDir);
  assert.deepEqual(await third.get('/csv/all'), { statusCode: 200, body: 'n\n10\n' });
});

test('wrong SQL examines no file and sets none aside', async (t) => {
  const { world, get, path } = await startWithDays(t);
  for (const text of [
    "SELECT error('x') FROM log",
    'SELECT nope FROM log',
    'SELECT CAST(id AS INT) FROM log',
  ])
    assert.equal((await get(sql(text))).statusCode, 400);
  assert.ok((await readFile(path)).length > 0);
  assert.equal(world.logged.length, 0);
});
