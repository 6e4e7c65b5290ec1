import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { httpOver } from '../support/sql-http.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

/** More than are computed and may wait together. */
const MANY = 1_300;

async function start(t: TestContext) {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones', { log: true });
  await zones.record(readingOf({ id: 'string', count: 'number' }, [['a', '1']]), world.time.at);
  const http = await httpOver(t, world);
  const address = await http.listen({ port: 0 });
  return { http, address };
}

test('with too many different windows at once some get 503; health and plain datasets do not', async (t) => {
  const { http, address } = await start(t);
  const asked = Array.from({ length: MANY }, (_, n) => http.inject(`/csv/zones?count__lt=${n + 2}`));
  for (const path of ['/healthz', '/csv/zones']) {
    const { status } = await fetch(`${address}${path}`);
    assert.equal(status, 200, path);
  }
  const answers = await Promise.all(asked);
  const turnedAway = answers.filter(({ statusCode }) => statusCode === 503);
  assert.ok(turnedAway.length > 0);
  assert.ok(turnedAway.length < MANY);
  for (const { headers, body } of turnedAway) {
    assert.equal(headers['retry-after'], '5');
    assert.match(body, /^Too many queries are waiting to be computed; ask again in a few seconds/);
  }
  const answered = answers.filter(({ statusCode }) => statusCode !== 503);
  for (const { body } of answered) assert.equal(body, 'id,count,timestamp\na,1,2026-11-20T12:00:00.000Z\n');
  assert.equal((await http.inject('/csv/zones?count__lt=77')).statusCode, 200, 'there is room again');
});

test('equal windows at the same time are computed once, and all are answered', async (t) => {
  const { http } = await start(t);
  const asked = Array.from({ length: MANY }, () => http.inject('/csv/zones?count__lt=9'));
  for (const { statusCode } of await Promise.all(asked)) assert.equal(statusCode, 200);
});

test('ad-hoc SQL has a queue of its own', async (t) => {
  const { http } = await start(t);
  const sql = (n: number) => `/csv?sql=${encodeURIComponent(`SELECT ${n} AS n FROM zones`)}`;
  const asked = Array.from({ length: 200 }, (_, n) => http.inject(sql(n)));
  const window = await http.inject('/csv/zones?count__lt=5');
  assert.equal(window.statusCode, 200);
  const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 503]);
});
