import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type TestContext, test } from 'node:test';
import { sqlTooManyRows } from '../../src/sql/errors.js';
import { COUNTS, createWorld, pieces, START } from './world.js';

const MiB = 1_024 * 1_024;

/** A promise and the function that resolves it. */
function signal(): { readonly came: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const came = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { came, give };
}

test('anything but pad and null is a window, with its parameters as they were written', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const response = await world.http.inject('/csv/flags?last=10m&id__in=%7Ba,b+c%7D&pad=1&last=5m&null');
  assert.equal(response.body, 'one\n1\n');
  assert.deepEqual(world.queries.asked, [
    {
      what: 'flags',
      parameters: [
        ['last', '10m'],
        ['id__in', '{a,b c}'],
        ['pad', '1'],
        ['last', '5m'],
        ['null', ''],
      ],
    },
  ]);
  assert.equal(response.headers.age, '0');
  assert.match(String(response.headers.etag), /^"[0-9a-f]{16}"$/);
});

test('a window is kept while its version is, and until its time is over', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const ask = (headers = {}) => world.http.inject({ url: '/csv/flags?limit=1', headers });
  const first = await ask();
  const again = await ask({ 'if-none-match': String(first.headers.etag) });
  assert.equal(again.statusCode, 304);
  assert.equal(world.queries.runs, 1);
  world.queries.details = { version: '2' };
  await ask();
  assert.equal(world.queries.runs, 2);
  world.queries.details = { version: '3', until: START + 5_000 };
  await ask();
  world.now = START + 4_999;
  await ask();
  assert.equal(world.queries.runs, 3);
  world.now = START + 5_000;
  await ask();
  assert.equal(world.queries.runs, 4);
});

test('equal windows that are asked for at the same time are computed once', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const all = await Promise.all(Array.from({ length: 10 }, () => world.http.inject('/csv/flags?limit=1')));
  assert.deepEqual(new Set(all.map(({ body }) => body)), new Set(['one\n1\n']));
  assert.equal(world.queries.runs, 1);
});

test('a client that disconnects stops a query only if no other client waits for it', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const go = signal();
  const begun = signal();
  let stopped: AbortSignal | undefined;
  world.queries.answer = async function* (_parameters, abort) {
    stopped = abort;
    begun.give();
    await go.came;
    abort.throwIfAborted();
    yield Buffer.from('late\n');
  };
  const leaver = new AbortController();
  const left = fetch(`${base}/csv/flags?limit=1`, { signal: leaver.signal }).catch(() => 'left');
  await begun.came;
  const stayed = fetch(`${base}/csv/flags?limit=1`);
  while (world.queries.asked.length < 2) await new Promise(setImmediate);
  leaver.abort();
  assert.equal(await left, 'left');
  await (await fetch(`${base}/healthz`)).text();
  assert.equal(stopped?.aborted, false);
  go.give();
  assert.equal(await (await stayed).text(), 'late\n');
  assert.equal(world.queries.runs, 1);
});

test('a query is stopped when its only client goes away, and that is no error', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const begun = signal();
  const stopped = signal();
  world.queries.answer = async function* (_parameters, abort) {
    abort.addEventListener('abort', stopped.give);
    begun.give();
    await stopped.came;
    abort.throwIfAborted();
    yield Buffer.from('never');
  };
  const leaver = new AbortController();
  const left = fetch(`${base}/csv/flags?limit=1`, { signal: leaver.signal }).catch(() => 'left');
  await begun.came;
  leaver.abort();
  await left;
  await stopped.came;
  world.queries.answer = () => pieces('again\n');
  assert.equal(await (await fetch(`${base}/csv/flags?limit=1`)).text(), 'again\n');
  assert.deepEqual(
    world.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('a large window comes in pieces, as fast as it is read and no faster', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const total = 200;
  let made = 0;
  world.queries.answer = async function* () {
    for (made = 0; made < total; made += 1) yield Buffer.alloc(MiB / 4, `${made % 10}`);
  };
  const request = get(`${base}/csv/flags?limit=1`);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.headers.etag, undefined);
  assert.equal(response.headers['transfer-encoding'], 'chunked');
  // Nobody reads: what sockets and streams hold is all that is computed.
  let before = -1;
  while (before !== made) {
    before = made;
    await (await fetch(`${base}/healthz`)).text();
  }
  assert.ok(made < total, `${made} pieces of ${total}`);
  let bytes = 0;
  for await (const piece of response) bytes += (piece as Buffer).length;
  assert.equal(bytes, (total * MiB) / 4);
});

test('of those who wait for a large window together each gets all of it', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  world.queries.answer = async function* () {
    for (let piece = 0; piece < 5; piece += 1) yield Buffer.alloc(MiB, `${piece}`);
  };
  const bodies = await Promise.all(
    Array.from({ length: 3 }, async () => (await fetch(`${base}/csv/flags?limit=1`)).text()),
  );
  for (const body of bodies) assert.equal(body, [0, 1, 2, 3, 4].map((n) => `${n}`.repeat(MiB)).join(''));
});

/** A world in which an answer was begun, and cut off when its query failed so. */
async function brokenOffBy(t: TestContext, error: Error): ReturnType<typeof createWorld> {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  world.queries.answer = async function* () {
    yield Buffer.alloc(2 * MiB);
    throw error;
  };
  const response = await fetch(`${base}/csv/flags?limit=1`);
  assert.equal(response.status, 200);
  await assert.rejects(response.arrayBuffer());
  return world;
}

test('an answer that fails half way is cut off, never ended', async (t) => {
  const world = await brokenOffBy(t, new Error('the disk is gone'));
  const [line] = world.log.filter(({ level }) => level === 'error');
  assert.equal(line?.msg, 'response aborted half way');
});

test('an answer that breaks off at a limit of the service is a line in the log, without a trace', async (t) => {
  const world = await brokenOffBy(t, sqlTooManyRows(7));
  const line = world.log.find(({ msg }) => String(msg).includes('aborted half way'));
  assert.deepEqual(
    [line?.level, line?.msg, line?.err],
    [
      'warn',
      'response aborted half way: The answer has more than 7 rows; add a LIMIT or a filter',
      undefined,
    ],
  );
});

test('an answer that fails at its beginning has a status', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  world.queries.answer = async function* () {
    yield Buffer.from('a');
    throw new Error('secret detail');
  };
  const response = await world.http.inject('/csv/flags?limit=1');
  assert.equal(response.statusCode, 500);
  assert.match(response.body, /^something went wrong in this service \(req-\w+\); see the service log\n$/);
  world.queries.answer = () => pieces('well\n');
  assert.equal((await world.http.inject('/csv/flags?limit=1')).body, 'well\n');
});

test('the client that goes away during a stream stops its query', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const stopped = signal();
  world.queries.answer = async function* (_parameters, abort) {
    abort.addEventListener('abort', stopped.give);
    for (;;) yield Buffer.alloc(MiB);
  };
  const leaver = new AbortController();
  const response = await fetch(`${base}/csv/flags?limit=1`, { signal: leaver.signal });
  assert.equal(response.status, 200);
  leaver.abort();
  await stopped.came;
});

test('HEAD of a large window does not compute all of it', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const stopped = signal();
  world.queries.answer = async function* (_parameters, abort) {
    abort.addEventListener('abort', stopped.give);
    for (;;) yield Buffer.alloc(MiB);
  };
  const response = await fetch(`${base}/csv/flags?limit=1`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8');
  await stopped.came;
});

test('HEAD of a large window ends the query, whatever it holds open', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const ended = signal();
  world.queries.answer = async function* () {
    try {
      for (;;) yield Buffer.alloc(MiB);
    } finally {
      ended.give();
    }
  };
  assert.equal((await fetch(`${base}/csv/flags?limit=1`, { method: 'HEAD' })).status, 200);
  await ended.came;
});

test('JSON and Parquet have their own types; Parquet is not compressed again', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  world.queries.answer = () => pieces('x'.repeat(5_000));
  const get = (format: string) =>
    world.http.inject({ url: `/csv/flags?format=${format}`, headers: { 'accept-encoding': 'gzip' } });
  world.queries.details = { contentType: 'application/json' };
  const json = await get('json');
  assert.equal(json.headers['content-type'], 'application/json');
  assert.equal(json.headers['content-encoding'], 'gzip');
  world.queries.details = { contentType: 'application/vnd.apache.parquet' };
  const parquet = await get('parquet');
  assert.equal(parquet.headers['content-type'], 'application/vnd.apache.parquet');
  assert.equal(parquet.headers['content-encoding'], undefined);
});

test('SQL is answered where it is allowed, by its URL or as a body', async (t) => {
  const world = await createWorld(t, { config: { allowSql: true } });
  const post = (type: string, payload: string, query = '') =>
    world.http.inject({ method: 'POST', url: `/sql${query}`, headers: { 'content-type': type }, payload });
  assert.equal((await world.http.inject('/csv?sql=SELECT+1%2B1&format=json')).body, 'one\n1\n');
  assert.equal((await post('text/plain', 'SELECT 2', '?null=null')).body, 'one\n1\n');
  assert.equal((await post('application/json', '{"sql":"SELECT 3"}')).body, 'one\n1\n');
  assert.deepEqual(world.queries.asked, [
    { what: 'SELECT 1+1', parameters: [['format', 'json']] },
    { what: 'SELECT 2', parameters: [['null', 'null']] },
    { what: 'SELECT 3', parameters: [] },
  ]);
  const posted = await world.http.inject({
    method: 'POST',
    url: '/sql',
    headers: { 'if-none-match': '*' },
    payload: { sql: 'SELECT 2' },
  });
  assert.equal(posted.statusCode, 200);
  for (const response of [
    await world.http.inject('/csv'),
    await world.http.inject('/csv?sql='),
    await post('text/plain', ' '),
    await post('application/json', '{"sql":7}'),
    await post('application/json', '{"sql":'),
  ]) {
    assert.equal(response.statusCode, 400);
    assert.match(response.body, /^[^\n]+\n$/);
  }
  const form = await post('application/x-www-form-urlencoded', 'SELECT 4');
  assert.equal(form.statusCode, 415);
  assert.match(form.body, /^[^\n]+\n$/);
});

test('SQL that is not allowed says how to allow it', async (t) => {
  const world = await createWorld(t);
  for (const response of [
    await world.http.inject('/csv?sql=SELECT+1'),
    await world.http.inject({ method: 'POST', url: '/sql', payload: { sql: 'SELECT 1' } }),
  ]) {
    assert.equal(response.statusCode, 404);
    assert.match(response.body, /^this service does not allow SQL requests; set ALLOW_SQL=true.*\n$/);
  }
  assert.equal(world.queries.asked.length, 0);
});
