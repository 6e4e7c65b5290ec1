import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { hashOf } from '../../src/base/hash.js';
import { COUNTS, createWorld, START } from './world.js';

const many = Array.from({ length: 500 }, (_, index) => [`item-${String(index).padStart(4, '0')}`, '7']);

test('a dataset is served as it is, with its entity tag, its age and when it was read', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, [['dispatch', '1']]);
  world.now += 12_345;
  const response = await world.http.inject('/csv/flags');
  assert.equal(response.statusCode, 200);
  assert.equal(response.body, 'id,count\ndispatch,1\n');
  assert.equal(response.headers['content-type'], 'text/csv; charset=utf-8');
  assert.equal(response.headers.etag, `"${await hashOf(response.rawPayload)}"`);
  assert.equal(response.headers['last-modified'], 'Tue, 24 Nov 2026 09:30:00 GMT');
  assert.equal(response.headers.age, '12');
  assert.equal(response.headers['cache-control'], 'no-cache');
  assert.equal(response.headers.vary, 'Accept-Encoding');
  assert.equal(response.headers['content-length'], '20');
});

test('the suffix .csv is optional, and an exact name with it takes precedence', async (t) => {
  const world = await createWorld(t);
  for (const name of ['a', 'a.csv', 'x.y']) await (await world.table(name)).poll(COUNTS, [[name, '1']]);
  const served = async (url: string) => (await world.http.inject(url)).body.split('\n')[1];
  assert.equal(await served('/csv/a'), 'a,1');
  assert.equal(await served('/csv/a.csv'), 'a.csv,1');
  assert.equal(await served('/csv/a.csv.csv'), 'a.csv,1');
  assert.equal(await served('/csv/x.y'), 'x.y,1');
  assert.equal(await served('/csv/x%2Ey.csv'), 'x.y,1');
});

test('HEAD has the same head and no body', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, many);
  const base = await world.listen();
  const get = await fetch(`${base}/csv/flags`, { headers: { 'accept-encoding': 'gzip' } });
  await get.text();
  const head = await fetch(`${base}/csv/flags`, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
  assert.equal(await head.text(), '');
  const comparable = (response: Response) =>
    [...response.headers].filter(([name]) => !['date', 'age', 'connection', 'keep-alive'].includes(name));
  assert.deepEqual(comparable(head), comparable(get));
});

test('who has the bytes already gets 304, however the tags are written', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, [['dispatch', '1']]);
  const etag = String((await world.http.inject('/csv/flags')).headers.etag);
  for (const value of [etag, `W/${etag}`, `"other", ${etag}`, `"a",W/${etag} ,"b"`, '*']) {
    const response = await world.http.inject({ url: '/csv/flags', headers: { 'if-none-match': value } });
    assert.equal(response.statusCode, 304, value);
    assert.equal(response.body, '');
    assert.equal(response.headers.etag, etag);
    assert.equal(response.headers['content-type'], undefined);
  }
  for (const value of ['"other"', etag.slice(1, -1), `${etag.slice(0, -1)}-gzip"`]) {
    const response = await world.http.inject({ url: '/csv/flags', headers: { 'if-none-match': value } });
    assert.equal(response.statusCode, 200, value);
  }
});

test('a poll that found the same again is no news, but its time is', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, [['dispatch', '1']]);
  const etag = String((await world.http.inject('/csv/flags')).headers.etag);
  world.now += 30_000;
  const before = await world.http.inject({ url: '/csv/flags', headers: { 'if-none-match': etag } });
  assert.equal(before.headers.age, '30');
  world.now += 1_000;
  await table.poll(COUNTS, [['dispatch', '1']]);
  const after = await world.http.inject({ url: '/csv/flags', headers: { 'if-none-match': etag } });
  assert.equal(after.statusCode, 304);
  assert.equal(after.headers.age, '0');
  assert.equal(after.headers['last-modified'], 'Tue, 24 Nov 2026 09:30:31 GMT');
  await table.poll(COUNTS, [['dispatch', '2']]);
  const changed = await world.http.inject({ url: '/csv/flags', headers: { 'if-none-match': etag } });
  assert.equal(changed.statusCode, 200);
  assert.equal(changed.body, 'id,count\ndispatch,2\n');
});

test('gzip and brotli have the same bytes under other tags; small bodies stay as they are', async (t) => {
  const world = await createWorld(t);
  await (await world.table('large')).poll(COUNTS, many);
  await (await world.table('small')).poll(COUNTS, [['a', '1']]);
  const get = (url: string, encoding: string) =>
    world.http.inject({ url, headers: { 'accept-encoding': encoding } });
  const plain = await get('/csv/large', 'identity');
  const gzip = await get('/csv/large', 'gzip');
  const brotli = await get('/csv/large', 'gzip, deflate, br');
  assert.deepEqual(gunzipSync(gzip.rawPayload), plain.rawPayload);
  assert.deepEqual(brotliDecompressSync(brotli.rawPayload), plain.rawPayload);
  assert.equal(gzip.headers['content-encoding'], 'gzip');
  assert.equal(brotli.headers['content-encoding'], 'br');
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(new Set([plain, gzip, brotli].map(({ headers }) => headers.etag)).size, 3);
  const again = await world.http.inject({
    url: '/csv/large',
    headers: { 'accept-encoding': 'gzip', 'if-none-match': String(gzip.headers.etag) },
  });
  assert.equal(again.statusCode, 304);
  assert.equal((await get('/csv/small', 'gzip')).headers['content-encoding'], undefined);
});

test('requests at the same time share one reading and one encoding', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags', { log: true });
  await table.poll(COUNTS, many);
  const dataset = table.datasets[0]!;
  let readings = 0;
  const content = dataset.content.bind(dataset);
  dataset.content = () => {
    readings += 1;
    return content();
  };
  const all = await Promise.all(
    Array.from({ length: 20 }, () =>
      world.http.inject({ url: '/csv/flags', headers: { 'accept-encoding': 'gzip' } }),
    ),
  );
  assert.equal(readings, 1);
  assert.equal(new Set(all.map(({ rawPayload }) => rawPayload.toString('latin1'))).size, 1);
  await table.poll(COUNTS, many);
  assert.notEqual((await world.http.inject('/csv/flags')).headers.etag, all[0]!.headers.etag);
  assert.equal(readings, 2);
});

test('rows of a poll that landed while the dataset was read are never taken for those of the poll before', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, [['a', '1']]);
  const dataset = table.datasets[0]!;
  const content = dataset.content.bind(dataset);
  dataset.content = async () => {
    dataset.content = content;
    await table.poll(COUNTS, [['a', '2']]);
    return content();
  };
  assert.equal((await world.http.inject('/csv/flags')).body, 'id,count\na,2\n');
  await table.poll(COUNTS, [['a', '1']]);
  assert.equal((await world.http.inject('/csv/flags')).body, 'id,count\na,1\n');
});

test('pad and null shape the CSV, each shape under its own tag', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, [['a', null]]);
  const get = (query: string) => world.http.inject(`/csv/flags${query}`);
  assert.equal((await get('')).body, 'id,count\na,\n');
  assert.equal((await get('?null=null')).body, 'id,count\na,null\n');
  assert.equal((await get('?pad=1&null=n%20a')).body, 'id,count\na,n a\n');
  assert.equal((await get('?null=a&null=b+c')).body, 'id,count\na,b c\n');
  assert.notEqual((await get('')).headers.etag, (await get('?null=null')).headers.etag);
  await table.poll(COUNTS, []);
  assert.equal((await get('')).body, 'id,count\n');
  assert.equal((await get('?pad=1&null=null')).body, 'id,count\n,null\n');
  assert.equal((await get('?pad=0')).body, 'id,count\n');
  const wrong = await get('?pad=perhaps');
  assert.equal(wrong.statusCode, 400);
  assert.match(wrong.body, /^pad.*perhaps.*\n$/);
  assert.equal(world.queries.asked.length, 0);
});

test('a value seen for the first time gives absent ones their text, though the bytes are as before', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  const [dataset] = table.datasets;
  await table.poll(COUNTS, [['a', null]]);
  const original = await dataset!.content();
  const unseen = original.columns.map((column) => ({ ...column, seen: column.name === 'id' }));
  let columns = unseen;
  Object.defineProperty(dataset, 'columns', { get: () => columns });
  dataset!.content = async () => ({ ...original, columns });
  assert.equal((await world.http.inject('/csv/flags?null=null')).body, 'id,count\na,\n');
  columns = unseen.map((column) => ({ ...column, seen: true }));
  assert.equal((await world.http.inject('/csv/flags?null=null')).body, 'id,count\na,null\n');
});

test('the cache counts its answers, and the dataset its response times', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  for (let request = 0; request < 3; request += 1) await world.http.inject('/csv/flags');
  const metrics = await world.metrics.registry.metrics();
  assert.match(metrics, /dynamo_csv_response_cache_total\{result="miss"\} 1/);
  assert.match(metrics, /dynamo_csv_response_cache_total\{result="hit"\} 2/);
  assert.match(metrics, /request_duration_seconds_count\{method="GET",route="\/csv\/:name",status="200"\} 3/);
  const times = world.responseTimes.of('flags');
  assert.ok(times !== null && times.p50 > 0 && times.p50 <= times.p99);
  assert.equal(world.responseTimes.of('other'), null);
  world.now = START + 700_000;
  assert.equal(world.responseTimes.of('flags'), null);
});

test('slashes that repeat count as one, so a data source URL may end with one', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  for (const url of ['/csv//flags', '//csv/flags.csv', '/csv//flags?limit=1']) {
    const { statusCode } = await world.http.inject(`http://localhost${url}`);
    assert.equal(statusCode, 200, url);
  }
});
