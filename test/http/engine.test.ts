import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Http } from '../../src/http/server.js';
import { httpOver } from '../support/sql-http.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const TYPES = { zone_id: 'number', count: 'number' } as const;

/** HTTP over the real SQL engine, with a log of two polls and a view. */
async function start(
  t: TestContext,
): Promise<{ world: SqlWorld; http: Http; poll(count: string): Promise<void> }> {
  const world = await SqlWorld.start(t);
  const table = await world.table('zones', { log: true });
  const poll = async (count: string) => {
    await table.record(
      readingOf(TYPES, [
        ['4', count],
        ['12', null],
      ]),
      world.time.now(),
    );
  };
  await poll('3');
  world.time.at += 30_000;
  await poll('4');
  const views = join(world.dataDir, 'views');
  await mkdir(views);
  await writeFile(
    join(views, 'latest.sql'),
    'SELECT zone_id, max(count) AS most FROM zones GROUP BY zone_id ORDER BY zone_id',
  );
  await writeFile(join(views, 'broken.sql'), 'SELECT cuont\nFROM zones');
  await world.sql.openViews(views, 'config/views');
  const http = await httpOver(t, world);
  return { world, http, poll };
}

test('the same rows are the same bytes under the same tag, plainly and through a window', async (t) => {
  const { http } = await start(t);
  const plain = await http.inject('/csv/zones');
  const window = await http.inject('/csv/zones?limit=100');
  assert.equal(
    plain.body,
    'zone_id,count,timestamp\n4,3,2026-11-20T12:00:00.000Z\n12,,2026-11-20T12:00:00.000Z\n' +
      '4,4,2026-11-20T12:00:30.000Z\n12,,2026-11-20T12:00:30.000Z\n',
  );
  assert.equal(window.body, plain.body);
  assert.equal(window.headers.etag, plain.headers.etag);
  const shaped = await http.inject('/csv/zones?null=null&limit=100');
  assert.equal(shaped.body, (await http.inject('/csv/zones?null=null')).body);
});

test('a snapshot has the tag of its bytes, plainly and through a window', async (t) => {
  const { http, world } = await start(t);
  const table = await world.table('now');
  await table.record(readingOf(TYPES, [['4', '3']]), world.time.now());
  const plain = await http.inject('/csv/now');
  const window = await http.inject('/csv/now?limit=100');
  assert.equal(plain.body, 'zone_id,count\n4,3\n');
  assert.equal(window.body, plain.body);
  assert.equal(window.headers.etag, plain.headers.etag);
});

test('a poll is in the next window, and another window is not', async (t) => {
  const { http, world, poll } = await start(t);
  const ask = async () => (await http.inject('/csv/zones?zone_id=4&columns=count&last=1h')).body;
  assert.equal(await ask(), 'count\n3\n4\n');
  world.time.at += 30_000;
  await poll('5');
  assert.equal(await ask(), 'count\n3\n4\n5\n');
  assert.equal((await http.inject('/csv/zones?zone_id=12&columns=count&null=-&limit=1')).body, 'count\n-\n');
});

test('a view is served like any dataset, and a broken one reports where', async (t) => {
  const { http } = await start(t);
  const view = await http.inject('/csv/latest');
  assert.equal(view.body, 'zone_id,most\n4,4\n12,\n');
  const again = await http.inject({
    url: '/csv/latest',
    headers: { 'if-none-match': String(view.headers.etag) },
  });
  assert.equal(again.statusCode, 304);
  assert.equal((await http.inject('/csv/latest?most__gt=1')).body, 'zone_id,most\n4,4\n');
  for (const url of ['/csv/broken', '/csv/broken?limit=1']) {
    const broken = await http.inject(url);
    assert.equal(broken.statusCode, 500);
    assert.match(broken.body, /^config\/views\/broken\.sql, line 1: [^\n]+\n$/);
  }
  const { datasets, status } = (await http.inject('/healthz')).json();
  assert.equal(status, 'degraded');
  assert.equal(
    datasets.find(({ name }: { name: string }) => name === 'broken').lastError.code,
    'VIEW_BROKEN',
  );
});

test('SQL answers over HTTP, and every refusal is one line', async (t) => {
  const { http } = await start(t);
  const ask = (sql: string) => http.inject(`/csv?sql=${encodeURIComponent(sql)}`);
  assert.equal((await ask('SELECT sum(count) AS all FROM zones')).body, 'all\n7\n');
  for (const sql of [
    "SELECT * FROM read_csv('/etc/passwd')",
    'SELECT 1; SELECT 2',
    'DROP TABLE zones',
    'SELECT * FROM zoness',
    'SELEC',
  ]) {
    const refused = await ask(sql);
    assert.ok([400, 404].includes(refused.statusCode), `${sql}: ${refused.statusCode}`);
    assert.match(refused.body, /^[^\n]+\n$/);
  }
  const json = await http.inject({
    method: 'POST',
    url: '/sql?format=json',
    payload: { sql: 'SELECT 1 AS one' },
  });
  assert.deepEqual(json.json(), [{ one: 1 }]);
});
