import assert from 'node:assert/strict';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { at, get, put, testDynamoDb, until } from '../app/world.js';
import { keysIn, useS3 } from '../support/s3-servers.js';
import { type RunningService, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writtenArchive } from '../support/written-archive.js';

/** The service with an archive, as a user runs it: processes, real files, moto's S3. */

const s3 = useS3();

async function world(t: TestContext) {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' });
  await database.put(table, [
    { id: { N: '1' }, state: { S: 'free' } },
    { id: { N: '2' }, state: { S: 'taken' } },
  ]);
  const bucket = await s3.newBucket();
  const config = `
tables: { ${table}: { log: true, changes: true, interval: 500ms } }
archive: { bucket: ${bucket}, prefix: fleet/, every: 500ms }
`;
  const env = { ...at(database.endpoint), AWS_ENDPOINT_URL_S3: s3.endpoint };
  const points = async () => (await keysIn(s3.endpoint, bucket, 'fleet/points/')).length;
  return { database, table, bucket, config, env, points };
}

/** Resolves when the service has taken a point that began after everything so far. */
async function archived({ url }: RunningService): Promise<void> {
  const called = Date.now();
  await until(await url, '/healthz', ({ asked, text }) => {
    const { age } = (JSON.parse(text) as Health).archive!;
    // The answer is from later than the question.
    return age !== null && asked - age * 1_000 > called;
  });
}

interface Health {
  readonly archive?: { readonly age: number | null; readonly location: string; readonly error: unknown };
}

test('the machine is lost: another one goes on with log, changes and snapshot', {
  skip: s3.skip,
}, async (t) => {
  const { database, table, bucket, config, env, points } = await world(t);
  const first = await startService(t, { config, env });
  const url = await first.url;
  await until(url, `/csv/${table}`, ({ text }) => text.includes('taken'));
  await put(database.endpoint, table, { id: { N: '3' }, state: { S: 'free' } });
  await until(url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,3'));
  await archived(first);
  assert.ok((await points()) > 0);
  const health = JSON.parse((await get(url, '/healthz')).text) as Health;
  assert.equal(health.archive!.location, `s3://${bucket}/fleet/`);
  assert.equal(health.archive!.error, null);
  assert.match((await get(url, '/metrics')).text, /^dynamo_csv_archive_age_seconds \d/m);
  const changes = (await get(url, `/csv/${table}-changes`)).text;
  await first.end('SIGKILL');
  const lost = await readFile(join(first.dataDir, `${table}.csv`), 'utf8');

  // Without DynamoDB: what it serves comes from the archive.
  const second = await startService(t, {
    config,
    env: { ...env, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' },
  });
  const { text } = await get(await second.url, `/csv/${table}-changes`);
  assert.equal(text, changes);
  const log = (await get(await second.url, `/csv/${table}`)).text;
  assert.ok(lost.startsWith(log));
  assert.ok(log.includes('3,free'));
  await second.logged(({ msg }) => msg === 'restored the data folder from the archive');
  assert.deepEqual(await second.end(), { code: 0, signal: null });
});

test('restore and verify work on what the configuration names', { skip: s3.skip }, async (t) => {
  const { table, config, env } = await world(t);
  const service = await startService(t, { config, env });
  await until(await service.url, `/csv/${table}`, ({ text }) => text.includes('taken'));
  await archived(service);
  const report = await startService(t, { config, env, args: ['--check'] });
  assert.equal((await report.exit).code, 0, report.errors());
  assert.match(
    report.output(),
    /archive s3:\/\/bucket-\S+\/fleet\/ +- +\d+ +[\d.]+ \w+ +500ms .* last point at 20/,
  );
  const checked = await startService(t, { config, env, args: ['verify'] });
  assert.equal((await checked.exit).code, 0, checked.errors());
  assert.match(checked.output(), /^\d+ files are as they were archived\n$/);
  const folder = join(await temporaryFolder(t), 'restored');
  const restored = await startService(t, { config, env, args: ['restore', '--to', folder] });
  assert.equal((await restored.exit).code, 0, restored.errors());
  assert.match(restored.errors(), /^Point \d+ of s3:.*\n(.*MB\n)*(\d+) of \2 files, /m);
  const csv = await readFile(join(folder, `${table}.csv`), 'utf8');
  assert.ok((await readFile(join(service.dataDir, `${table}.csv`), 'utf8')).startsWith(csv));

  await writeFile(join(folder, 'other.csv'), 'id\n');
  const again = await startService(t, { config, env, args: ['restore', '--to', folder] });
  assert.equal((await again.exit).code, 1);
  assert.match(again.errors(), /is not empty: it has .*; name a folder that is empty/);
  const early = await startService(t, { config, env, args: ['verify', '--at', '2020-01-01T00:00:00Z'] });
  assert.equal((await early.exit).code, 1);
  assert.match(early.errors(), /has nothing as old as 2020-01-01T00:00:00Z/);
  const wrong = await startService(t, { config, env, args: ['restore', '--to'] });
  assert.equal((await wrong.exit).code, 78);
  // Without a zone it is UTC: on a machine that is 14 hours ahead of it nothing would be as old.
  const now = new Date().toISOString().slice(0, 19);
  const args = ['verify', '--at', now];
  const ahead = await startService(t, { config, env: { ...env, TZ: 'Pacific/Kiritimati' }, args });
  assert.equal((await ahead.exit).code, 0, ahead.errors());
  const vague = await startService(t, { config, env, args: ['verify', '--at', 'Nov 24'] });
  assert.equal((await vague.exit).code, 78);
  assert.match(vague.errors(), /--at Nov 24 is not a time; write it as 2026-11-24T10:00:00Z/);
});

test('verify finds a day that was archived as it was, and cannot be read', { skip: s3.skip }, async (t) => {
  const { bucket, config, env } = await world(t);
  const place = { endpoint: s3.endpoint, bucket, prefix: 'fleet/' };
  const { days, takePoint } = await writtenArchive(t, place, ['2026-11-16', '2026-11-17']);
  await takePoint();
  const whole = await startService(t, { config, env, args: ['verify'] });
  assert.equal((await whole.exit).code, 0, whole.errors());
  assert.equal(
    whole.output(),
    '3 files are as they were archived, and all 3,000 rows of 2 sealed days can be read\n',
  );
  await truncate(days[1]!, 100);
  await takePoint();
  const broken = await startService(t, { config, env, args: ['verify'] });
  assert.equal((await broken.exit).code, 1);
  assert.match(
    broken.errors(),
    /^s3:\S+\/2026-11-17\.parquet is damaged: it cannot be read: .+; restore that object/m,
  );
  assert.equal(broken.output(), '1 of 3 files is not as archived, or cannot be read\n');
});

test('verify compares the rows of each day with those of the point', { skip: s3.skip }, async (t) => {
  const { bucket, config, env } = await world(t);
  const place = { endpoint: s3.endpoint, bucket, prefix: 'fleet/' };
  const { takePoint } = await writtenArchive(t, place, ['2026-11-16', '2026-11-17']);
  await takePoint(Date.now(), 1_499);
  const verified = await startService(t, { config, env, args: ['verify'] });
  assert.equal((await verified.exit).code, 1);
  assert.match(
    verified.errors(),
    /2026-11-16\.parquet is damaged: it has 1500 rows, and had 1499 when it was archived; restore that object/,
  );
  assert.equal(verified.output(), '2 of 3 files are not as archived, or cannot be read\n');
});

test('a bucket that is not there: data is served, and /healthz says why it is not archived', {
  skip: s3.skip,
}, async (t) => {
  const { table, config, env, bucket } = await world(t);
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'orders.csv'), 'id\n1\n');
  const service = await startService(t, {
    config: config.replace(bucket, 'bucket-that-is-not-there'),
    env,
    dataDir: folder,
  });
  const url = await service.url;
  await until(url, `/csv/${table}`, ({ text }) => text.includes('taken'));
  const { text } = await until(url, '/healthz', ({ text }) => text.includes('ARCHIVE_NO_BUCKET'));
  assert.match(text, /s3:\/\/bucket-that-is-not-there\/fleet\/archive\.json: there is no such bucket/);
  assert.ok((await readdir(folder)).includes('orders.csv'));
});
