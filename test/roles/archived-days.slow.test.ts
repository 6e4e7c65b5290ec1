import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readArchivedDays } from '../../src/history/archived-days.js';
import { nodeFiles } from '../../src/volume/files.js';
import { archivedDaysFile, dayOfPath } from '../../src/volume/layout.js';
import { at, get, testDynamoDb, until, untilSo } from '../app/world.js';
import { useS3 } from '../support/s3-servers.js';
import { type RunningService, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { Answers, hasRole } from './world.js';

/** Services that follow one whose older days are in the archive only: processes, real files, moto's S3. */

const s3 = useS3();

const DAY = 86_400_000;
const DAYS = 14;
const LOCAL = 4;

const noonOf = (daysAgo: number) => `${dateOf(daysAgo)}T12:00:00Z`;
const dateOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);
const between = (from: number, to: number) => `from=${dateOf(from)}T00:00:00Z&to=${dateOf(to)}T00:00:00Z`;
const EVER = 'from=2000-01-01T00:00:00Z';

/** A table with an item of each of the last days, a view over days that are in the archive only, and services. */
async function world(t: TestContext) {
  const services: RunningService[] = [];
  t.after(async () => {
    for (const service of services) await service.end('SIGKILL');
  });
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'S' });
  const put = (id: string, daysAgo: number, more: Readonly<Record<string, string>> = {}) =>
    database.put(table, [
      {
        id: { S: id },
        created_at: { S: noonOf(daysAgo) },
        fare: { N: `${daysAgo}.50` },
        ...Object.fromEntries(Object.entries(more).map(([name, number]) => [name, { N: number }])),
      },
    ]);
  for (let daysAgo = 1; daysAgo < DAYS; daysAgo += 1) await put(`item ${daysAgo}`, daysAgo);
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'views'));
  await writeFile(
    join(folder, 'views', 'old-days.sql'),
    `SELECT date, sum(fare) AS fares FROM "${table}" WHERE date <= DATE '${dateOf(10)}' GROUP BY date ORDER BY date\n`,
  );
  const config = `
timeZone: UTC
tables: { ${table}: { log: append, time: created_at, interval: 500ms, keep: 1 } }
views: ${join(folder, 'views')}
archive: { bucket: ${await s3.newBucket()}, prefix: fleet/, every: 500ms, localDays: ${LOCAL} }
`;
  const start = async (role: string, dataDir?: string, more: Readonly<Record<string, string>> = {}) => {
    const env = { ...more, ROLE: role, ...at(database.endpoint), AWS_ENDPOINT_URL_S3: s3.endpoint };
    const where = dataDir ?? join(await temporaryFolder(t), 'data');
    const service = await startService(t, { config, env, dataDir: where });
    services.push(service);
    return service;
  };
  return { table, put, start };
}

/** The days whose files are in a data folder, oldest first. */
async function datesIn({ dataDir }: RunningService, table: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'history', table), { recursive: true }).catch(() => []);
  return names.flatMap((name) => /\/(\d{4}-\d\d-\d\d)\.parquet$/.exec(name)?.[1] ?? []).sort();
}

/** The days that a service has copies of in the system's temporary folder, oldest first. */
async function copiesIn(temporary: string): Promise<string[]> {
  const names = await readdir(temporary, { recursive: true });
  return names.flatMap((name) => /-days-.*\/(\d{4}-\d\d-\d\d)\.parquet$/.exec(name)?.[1] ?? []).sort();
}

/** The hashes of the days that a folder lists as archived, by local day. */
async function listedIn({ dataDir }: RunningService, table: string): Promise<Map<string, string>> {
  const days = await readArchivedDays(nodeFiles, archivedDaysFile(dataDir, table));
  return new Map(days.map(({ path, hash }) => [dayOfPath(path)!.file.slice(0, 10), hash]));
}

/** The listed days whose copies in the folder are not what the archive has. */
async function staleIn({ dataDir }: RunningService, table: string): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, hash } of await readArchivedDays(nodeFiles, archivedDaysFile(dataDir, table))) {
    const bytes = await readFile(join(dataDir, path)).catch(() => null);
    if (bytes !== null && createHash('sha256').update(bytes).digest('hex') !== hash) stale.push(path);
  }
  return stale;
}

async function untilOldOnesLeft(service: RunningService, table: string): Promise<void> {
  await untilSo('the older days are in the archive only', async () => {
    return (await listedIn(service, table)).size >= DAYS - 1 - LOCAL;
  });
}

/** Starts the one that collects, and waits until its older days are in the archive only. Resolves with all its rows. */
async function collecting({ table, start }: Awaited<ReturnType<typeof world>>) {
  const service = await start('auto');
  await service.logged(({ msg }) => msg === 'removed local copies of archived days');
  // They leave in several steps if that takes long.
  await untilOldOnesLeft(service, table);
  const { text } = await until(await service.url, `/csv/${table}?${EVER}&sort=id`, ({ text }) =>
    text.includes('item 13'),
  );
  return { service, whole: text };
}

test('a follower of the archive fetches the days that it needs, answers the same after they were written again, and takes over', {
  skip: s3.skip,
}, async (t) => {
  const there = await world(t);
  const { table, put, start } = there;
  const all = `/csv/${table}?${EVER}&sort=id`;
  const { service: first, whole } = await collecting(there);
  const view = (await get(await first.url, '/csv/old-days')).text;
  assert.equal(view.split('\n').length, DAYS - 10 + 2);
  const second = await start('auto');
  const url = await second.url;
  await hasRole(second, 'follow');
  const window = `/csv/${table}?${between(9, 8)}`;
  assert.match((await get(url, window)).text, /item 9,/);
  assert.equal((await get(url, '/csv/old-days')).text, view);
  assert.deepEqual(await datesIn(second, table), [13, 12, 11, 10, 9].map(dateOf), 'what was asked for');
  assert.equal((await get(url, all)).text, whole);

  const oldest = dateOf(13);
  const before = (await listedIn(first, table)).get(oldest);
  assert.notEqual(before, undefined);

  // The other one collects. An item of a day that was sealed, with a column that no day has, changes all files.
  // It is there before the other one is: days are sealed once, ten seconds after that.
  assert.equal((await first.end()).code, 0);
  await put('late', 9, { tip: '1.25' });
  await hasRole(second, 'collect');
  const again = await start('auto', first.dataDir);
  await hasRole(again, 'follow');
  const other = await again.url;
  assert.match((await get(other, window)).text, /item 9,/);
  await second.logged(({ msg }) => msg === 'wrote sealed days again, in one schema');
  const { text } = await until(url, all, ({ text }) => text.includes('late,'));
  await until(other, all, (answer) => answer.text === text);
  await untilSo('the oldest day is the one that was written again', async () => {
    return (await listedIn(again, table)).get(oldest) !== before;
  });
  assert.equal((await get(other, all)).text, text);
  // Points that were taken meanwhile come one after the other; the copies leave once a point has other days.
  await untilSo('no copy is of a day as it was', async () => (await staleIn(again, table)).length === 0);
  assert.equal((await get(other, '/csv/old-days')).text, view);
  assert.match((await get(other, window)).text, /^late,.*,1\.25/m);

  // And the first one again, which lets the days of localDays stay.
  await second.end('SIGKILL');
  await hasRole(again, 'collect');
  await again.logged(({ msg, left }) => msg === 'fetched sealed days' && left === 0);
  assert.equal((await get(other, all)).text, text);
  const dates = await datesIn(again, table);
  for (const daysAgo of [4, 3, 2, 1]) assert.ok(dates.includes(dateOf(daysAgo)), dateOf(daysAgo));
  assert.deepEqual(
    again.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg),
    [],
  );
});

test('a follower on the shared folder fetches the days that are in the archive only to a folder of its own', {
  skip: s3.skip,
}, async (t) => {
  const there = await world(t);
  const { table, put, start } = there;
  const all = `/csv/${table}?${EVER}&sort=id`;
  const { service: first, whole } = await collecting(there);
  const view = (await get(await first.url, '/csv/old-days')).text;
  // What the collector has fetched may leave at any time.
  assert.match((await get(await first.url, `/csv/${table}?${between(9, 8)}`)).text, /item 9,/);
  const files = await datesIn(first, table);
  const temporary = await temporaryFolder(t);
  const second = await start('auto', first.dataDir, { TMPDIR: temporary });
  const url = await second.url;
  await hasRole(second, 'follow');
  assert.match((await get(url, `/csv/${table}?${between(9, 8)}`)).text, /item 9,/);
  // The view is computed at the start, too.
  const wanted = [13, 12, 11, 10, 9].map(dateOf);
  const copies = await copiesIn(temporary);
  assert.ok(copies.includes(dateOf(9)));
  assert.deepEqual(
    copies.filter((date) => !wanted.includes(date)),
    [],
    'what was asked for, and nothing else',
  );
  assert.equal((await get(url, all)).text, whole);
  assert.equal((await get(url, '/csv/old-days')).text, view);
  assert.deepEqual(await copiesIn(temporary), [13, 12, 11, 10, 9, 8, 7, 6, 5].map(dateOf));
  assert.deepEqual(await datesIn(first, table), files, 'it writes nothing to the data folder');
  assert.match((await get(url, '/metrics')).text, /^dynamo_csv_archive_cache_bytes [1-9]/m);
  const { datasets } = JSON.parse((await get(url, '/datasets')).text);
  const one = datasets.find(({ name }: { name: string }) => name === table);
  assert.deepEqual(one.missingDays, []);
  assert.equal(JSON.parse((await get(url, '/healthz')).text).status, 'ok');

  // The next one that collects writes all days again: they have an item of a sealed day, with a column that no day has.
  await put('late', 9, { tip: '1.25' });
  const { text } = await until(await first.url, all, ({ text }) => text.includes('late,'));
  const third = await start('follow', first.dataDir);
  for (const one of [url, await third.url]) await until(one, all, (answer) => answer.text === text);
  const asked = new Answers(await third.url, all);
  await first.end('SIGKILL');
  await hasRole(second, 'collect');
  await second.logged(({ msg }) => msg === 'wrote sealed days again, in one schema');
  assert.equal((await get(url, all)).text, text);
  assert.deepEqual(await copiesIn(temporary), [], 'it has its own in the data folder now');
  assert.deepEqual(await asked.end(), [text]);
  assert.equal((await second.end()).code, 0);
  assert.deepEqual(
    second.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg),
    [],
  );
});

test('a follower on the shared folder answers the same while days leave that folder', {
  skip: s3.skip,
}, async (t) => {
  const { table, start } = await world(t);
  const all = `/csv/${table}?${EVER}&sort=id`;
  const first = await start('auto');
  const { text } = await until(await first.url, all, ({ text }) => text.includes('item 13'));
  const second = await start('follow', first.dataDir);
  const url = await second.url;
  await until(url, all, (answer) => answer.text === text);
  const asked = new Answers(url, all);
  await untilOldOnesLeft(first, table);
  await until(url, '/metrics', ({ text }) => /^dynamo_csv_archive_cache_bytes [1-9]/m.test(text));
  assert.deepEqual(await asked.end(), [text]);
});
