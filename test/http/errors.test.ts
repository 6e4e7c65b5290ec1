import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { createLogger } from '../../src/base/logger.js';
import type { Http } from '../../src/http/options.js';
import { registerErrors } from '../../src/http/plugins/errors.js';
import { registerUnderPressure } from '../../src/http/plugins/under-pressure.js';
import { COUNTS, createWorld } from './world.js';

test('every error is one line of text with its status', async (t) => {
  const world = await createWorld(t);
  await (await world.table('zone-count')).poll(COUNTS, [['a', '1']]);
  const cases: [url: string, status: number, line: RegExp, method?: 'POST' | 'DELETE'][] = [
    ['/csv/zone-cuont', 404, /there is no dataset "zone-cuont"; did you mean zone-count\?/],
    ['/csv/zone-cuont.csv', 404, /did you mean zone-count\?/],
    ['/csv/nothing%0Alike%22it', 404, /there is no dataset "nothing\\nlike\\"it"; see \/datasets/],
    ['/csv/..%2F..%2Fetc%2Fpasswd', 404, /there is no dataset/],
    [`/csv/${'a'.repeat(300)}`, 404, /there is no dataset/],
    ['/nowhere?token=secret', 404, /there is nothing at "\/nowhere"; see \/datasets/],
    ['/csv/zone-count', 405, /"\/csv\/zone-count" does not take POST; use GET or HEAD/, 'POST'],
    ['/healthz', 405, /does not take DELETE/, 'DELETE'],
    ['/csv/%zz', 400, /this URL is not percent-encoded as UTF-8; write a percent sign as %25/],
    ['/csv/zone-count?x=100%', 400, /this URL is not percent-encoded/],
    ['/csv/zone-count?wrong=1', 400, /wrong: there is no such parameter; leave it out/],
    [`/csv/zone-count?x=${'a'.repeat(9_000)}`, 414, /this URL has 90\d\d characters; the limit is 8192/],
    [`/csv/${'a'.repeat(9_000)}`, 414, /this URL has 90\d\d characters/],
  ];
  for (const [url, status, line, method = 'GET'] of cases) {
    const response = await world.http.inject({ method, url });
    assert.equal(response.statusCode, status, url);
    assert.match(response.body, /^[^\r\n]+\n$/, url);
    assert.match(response.body, line);
    assert.equal(response.headers['content-type'], 'text/plain; charset=utf-8');
    if (status === 405) assert.match(String(response.headers.allow), /GET, HEAD/);
  }
});

test('an unreadable body gets one line that says what to send instead', async (t) => {
  const { http } = await createWorld(t, { config: { allowSql: true } });
  const cases = [
    ['application/xml', '<a/>', 415, /this Content-Type is not accepted; send the SELECT as text\/plain/],
    ['application/json', '{bad', 400, /the body is not JSON; send {"sql": "SELECT…"}/],
    ['text/plain', 'a'.repeat(300_000), 413, /the body is larger than 262144 bytes; send a shorter SELECT/],
  ] as const;
  for (const [type, payload, status, line] of cases) {
    const headers = { 'content-type': type };
    const response = await http.inject({ method: 'POST', url: '/sql', headers, payload });
    assert.equal(response.statusCode, status);
    assert.match(response.body, /^[^\r\n]+\n$/);
    assert.match(response.body, line);
  }
});

test('a bug of the service is in the service log, not in the response', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  table.datasets[0]!.content = async () => {
    throw new Error('password hunter2\nat line 2');
  };
  const response = await world.http.inject('/csv/flags?pad=1');
  assert.equal(response.statusCode, 500);
  assert.match(response.body, /^something went wrong in this service \((req-\w+)\); see the service log\n$/);
  const line = world.log.find(({ level }) => level === 'error');
  assert.ok(response.body.includes(String(line?.request)));
  assert.equal(line?.path, '/csv/flags');
  assert.match(JSON.stringify(line?.err), /hunter2/);
});

test('requests are one line at debug, without what could be a secret', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, []);
  await world.http.inject({
    url: '/csv/flags?limit=1&token=hidden-1',
    headers: { authorization: 'Bearer hidden-2' },
  });
  const lines = world.log.filter(({ msg }) => msg === 'request');
  assert.equal(lines.length, 1);
  const { method, path, status } = lines[0]!;
  assert.deepEqual({ method, path, status }, { method: 'GET', path: '/csv/flags', status: 200 });
  assert.doesNotMatch(JSON.stringify(world.log), /hidden/);
});

test('an invalid HTTP request, or one with too large headers, gets one line too', async (t) => {
  const world = await createWorld(t);
  const { port } = new URL(await world.listen());
  const answers = [
    ['NONSENSE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ] as const;
  for (const [request, status] of answers) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.setEncoding('utf8').end(request);
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(head, /Content-Type: text\/plain; charset=utf-8/);
    assert.match(body, /^[^\r\n]+\n$/);
  }
});

test('an overloaded service refuses work and says when to retry', async (t) => {
  const http = fastify() as unknown as Http;
  t.after(() => http.close());
  registerErrors(http, createLogger({ level: 'silent' }));
  // Any event loop is later than this.
  await registerUnderPressure(http, Number.MIN_VALUE);
  http.get('/work', () => {
    http.refuseIfOverloaded();
    return 'done';
  });
  let response = await http.inject('/work');
  assert.equal(response.statusCode, 200);
  // The event loop is looked at twice a second; it is late when something holds it up.
  while (response.statusCode === 200) {
    const until = performance.now() + 30;
    while (performance.now() < until);
    await new Promise(setImmediate);
    response = await http.inject('/work');
  }
  assert.equal(response.statusCode, 503);
  assert.equal(response.headers['retry-after'], '5');
  assert.equal(response.body, 'the service is overloaded; try again in a few seconds\n');
});
