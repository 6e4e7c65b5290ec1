import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { at, get, testDynamoDb, until, untilSo } from '../app/world.js';
import { S3_SERVERS, useS3 } from '../support/s3-servers.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startBucketProxy } from './bucket-proxy.js';

/** A service whose older days are in the archive only, as a user runs it: processes, real files, S3 behind a proxy. */

interface Catalogue {
  readonly datasets: readonly { readonly name: string; readonly missingDays: readonly string[] }[];
}

const DAY = 86_400_000;
const DAYS = 14;
const LOCAL = 4;

const dateOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);

/** The days whose files are in a data folder, oldest first. */
async function datesIn(dataDir: string, table: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'history', table), { recursive: true }).catch(() => []);
  return names.flatMap((name) => /\/(\d{4}-\d\d-\d\d)\.parquet$/.exec(name)?.[1] ?? []).sort();
}

/** Waits until these are the days whose files are there. */
async function untilDates(dataDir: string, table: string, dates: readonly string[]): Promise<void> {
  const expected = dates.join();
  await untilSo(`these days are here: ${expected}`, async () => {
    return (await datesIn(dataDir, table)).join() === expected;
  });
}

for (const server of S3_SERVERS) {
  const { name, skip } = server;
  const s3 = useS3(server);

  /** A table with an item of each of the last days. */
  async function world(t: TestContext) {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'S' });
    const items = Array.from({ length: DAYS }, (_, daysAgo) => ({
      id: { S: `item ${daysAgo}` },
      created_at: { S: new Date(Date.now() - daysAgo * DAY).toISOString() },
      fare: { N: `${daysAgo}.50` },
    }));
    await database.put(table, items);
    const proxy = await startBucketProxy(s3.endpoint);
    t.after(() => proxy.close());
    const bucket = await s3.newBucket();
    const config = `
timeZone: UTC
tables: { ${table}: { log: append, time: created_at, interval: 500ms, keep: 1 } }
archive: { bucket: ${bucket}, prefix: fleet/, every: 500ms, localDays: ${LOCAL}, cache: 1MB }
`;
    // One attempt, so that a bucket that is away is seen at once.
    const env = {
      ...at(database.endpoint),
      AWS_ENDPOINT_URL_S3: proxy.endpoint,
      AWS_MAX_ATTEMPTS: '1',
      ALLOW_SQL: 'true',
    };
    return { table, proxy, config, env };
  }

  const between = (from: number, to: number) => `from=${dateOf(from)}T00:00:00Z&to=${dateOf(to)}T00:00:00Z`;

  test(`${name}: days leave the disk, answers stay; another machine starts without them; a bucket that fails`, {
    skip,
  }, async (t) => {
    const { table, proxy, config, env } = await world(t);
    const first = await startService(t, { config, env });
    const url = await first.url;
    const all = `/csv/${table}?from=2000-01-01T00:00:00Z&sort=id`;
    const { text: whole } = await until(url, all, ({ text }) => text.includes('item 13'));
    // They are sealed one after another, and leave in several steps if that takes long.
    await untilDates(first.dataDir, table, [4, 3, 2, 1].map(dateOf));
    await first.logged(
      ({ msg, before }) => msg === 'removed local copies of archived days' && before !== undefined,
    );
    proxy.asked.length = 0;
    assert.equal((await get(url, all)).text, whole);
    assert.equal(new Set(proxy.asked).size, DAYS - 1 - LOCAL, 'only what was not here');
    assert.match((await get(url, '/metrics')).text, /^dynamo_csv_archive_cache_bytes [1-9]/m);
    const checked = await startService(t, { config, env, args: ['verify'] });
    assert.equal((await checked.exit).code, 0, checked.errors());
    await first.end('SIGKILL');

    // Another machine, with nothing: it answers before any day was fetched.
    proxy.days = 'away';
    const second = await startService(t, { config, env });
    const other = await second.url;
    const sql = (text: string) => get(other, `/csv?sql=${encodeURIComponent(text)}`);
    const today = `/csv/${table}?from=${dateOf(0)}T00:00:00Z`;
    const recent = await until(other, today, ({ status }) => status === 200);
    assert.match(recent.text, /item 0,/);
    const old = await get(other, `/csv/${table}?${between(9, 8)}`);
    assert.equal(old.status, 503);
    assert.match(
      old.text,
      new RegExp(`The day ${dateOf(9)} of "${table}" cannot be fetched: s3://.*ask for other days`),
    );
    const counted = await sql(`SELECT count(*) AS n FROM "${table}"`);
    assert.equal(counted.status, 503);
    assert.match(counted.text, /The day .* cannot be fetched/);
    assert.equal(
      (await sql(`SELECT count(*) AS n FROM "${table}" WHERE date = DATE '${dateOf(0)}'`)).text,
      'n\n1\n',
    );
    proxy.days = 'lies';
    const lie = await get(other, `/csv/${table}?${between(9, 8)}`);
    assert.equal(lie.status, 500);
    assert.match(lie.text, new RegExp(`The day ${dateOf(9)} of .* is damaged`));
    await second.logged(({ msg }) => msg.startsWith('an archived day is lost: s3://'));
    const lostDays = async () => JSON.parse((await get(other, '/healthz')).text).archive.lostDays as number;
    assert.ok((await lostDays()) > 0);
    const named = async (path: string): Promise<readonly string[]> =>
      (JSON.parse((await get(other, path)).text) as Catalogue).datasets.find(({ name }) => name === table)!
        .missingDays;
    for (const path of ['/healthz', '/datasets'])
      assert.ok((await named(path)).includes(dateOf(9)), `${path} names the day`);
    const rows = (await get(other, `/csv/collector?dataset=${table}&columns=missing_days`)).text;
    assert.match(rows, /^missing_days\n[1-9]/);
    assert.equal(JSON.parse((await get(other, '/healthz')).text).archive.degraded, true);
    assert.match((await get(other, '/metrics')).text, /^dynamo_csv_archive_lost_days [1-9]/m);
    proxy.days = 'lost';
    assert.match((await get(other, `/csv/${table}?${between(9, 8)}`)).text, /parquet is missing/);
    assert.ok(!(await datesIn(second.dataDir, table)).includes(dateOf(9)));
    proxy.days = { slow: 300 };
    const [slow, quick] = await Promise.all([
      get(other, `/csv/${table}?${between(9, 8)}`),
      get(other, today),
    ]);
    assert.match(slow.text, /item 9,/);
    assert.match(quick.text, /item 0,/);
    proxy.days = 'passes';
    assert.equal((await get(other, all)).text, whole);
    assert.equal((await sql(`SELECT count(*) AS n FROM "${table}"`)).text, `n\n${DAYS}\n`);
    // Days of localDays come back by themselves.
    await second.logged(({ msg, left }) => msg === 'fetched sealed days' && left === 0);
    assert.equal(await lostDays(), 0);
    assert.deepEqual(await second.end(), { code: 0, signal: null });

    const folder = join(await temporaryFolder(t), 'restored');
    const args = ['restore', '--to', folder, '--days', '2'];
    const restored = await startService(t, { config, env, args });
    assert.equal((await restored.exit).code, 0, restored.errors());
    assert.deepEqual(await datesIn(folder, table), [2, 1].map(dateOf));
    const wrong = await startService(t, { config, env, args: ['restore', '--to', folder, '--days', 'many'] });
    assert.equal((await wrong.exit).code, 78);

    // Without the archive its days are named as missing, and the others answer.
    const alone = await startService(t, {
      config: config.replace(/^archive:.*$/m, ''),
      env,
      dataDir: folder,
    });
    const lonely = await alone.url;
    assert.match(
      (await until(lonely, `/csv/${table}?${between(2, 1)}`, ({ status }) => status === 200)).text,
      /item 2,/,
    );
    const missing = await get(lonely, `/csv/${table}?${between(9, 8)}`);
    assert.match(missing.text, /lacks the day .*it is in an archive, and none is configured/);
  });
}
