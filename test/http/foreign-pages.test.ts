import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { COUNTS, createWorld, type World } from './world.js';

const REFUSED = [
  'evil.example',
  'evil.example:8080',
  'EVIL.example.',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'local.example',
  'notlocal.example',
  'a.localhosts',
  'xn--caf-dma.example',
  '[::1].evil.example',
  'user@evil.example',
];

const ANSWERED = [
  'localhost',
  'LocalHost:18080',
  'localhost.',
  '127.0.0.1:8080',
  '127.1',
  '10.0.0.7',
  '[::1]:8080',
  '[fe80::1%eth0]',
  'dynamo-csv:8080',
  'my-machine',
  'nas.local',
  'data.internal:80',
  'a.b.localhost',
  'server.home.arpa.',
  'ci.test',
];

test('without a token only host names that nobody else can own are accepted', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  for (const url of ['/csv/flags', '/csv/flags?limit=1', '/healthz', '/datasets', '/docs/', '/nowhere']) {
    for (const method of ['GET', 'HEAD'] as const) {
      for (const host of REFUSED) {
        const response = await world.http.inject({ url, method, headers: { host } });
        assert.equal(response.statusCode, 421, `${method} ${url} of ${host}`);
      }
    }
  }
  for (const host of ANSWERED) {
    const { statusCode, body } = await world.http.inject({ url: '/csv/flags', headers: { host } });
    assert.deepEqual([statusCode, body], [200, 'id,count\na,1\n'], host);
  }
  assert.equal(
    (await world.http.inject({ url: '/', headers: { host: 'Evil.example:8080' } })).body,
    'this service is not known as "evil.example"; if that is its name, add it to ALLOWED_HOSTS; or set API_TOKEN\n',
  );
  const forwarded = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
  assert.equal((await world.http.inject({ url: '/csv/flags', headers: forwarded })).statusCode, 421);
});

test('ALLOWED_HOSTS adds names, and with a token every name is answered', async (t) => {
  const named = await createWorld(t, { config: { allowedHosts: ['data.example.org'] } });
  const withToken = await createWorld(t, { config: { apiToken: 'a-token' } });
  const ask = async ({ http }: World, host: string) =>
    (await http.inject({ url: '/healthz', headers: { host } })).statusCode;
  assert.equal(await ask(named, 'Data.Example.org:8443'), 200);
  assert.equal(await ask(named, 'other.example.org'), 421);
  assert.equal(await ask(named, 'sub.data.example.org'), 421);
  assert.equal(await ask(withToken, 'evil.example'), 200);
});

test('a load balancer that sends no host name is answered', async (t) => {
  const world = await createWorld(t);
  const { port } = new URL(await world.listen());
  const socket = connect(Number(port), '127.0.0.1');
  socket.setEncoding('utf8').end('GET /healthz HTTP/1.0\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [string];
  assert.match(answer, /^HTTP\/1\.[01] 200 /);
});

const ORIGIN = 'https://grafana.example.org';

/** Headers of requests for SQL, and whether it is run. */
const SQL_REQUESTS: readonly (readonly [headers: Record<string, string>, runs: boolean])[] = [
  [{}, true],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  [{ 'sec-fetch-site': 'cross-site', origin: ORIGIN }, true],
  [{ host: '10.0.0.7:8080', origin: 'http://10.0.0.7:8080' }, true],
  [{ host: '10.0.0.7:8080', origin: 'http://10.0.0.7:3000' }, false],
  [{ host: '10.0.0.7:8080', origin: 'http://evil.example' }, false],
  [{ host: '10.0.0.7:8080', origin: 'null' }, false],
];

test("a browser sends SQL from the service's own page only, or from an origin in CORS_ORIGIN", async (t) => {
  const world = await createWorld(t, { config: { allowSql: true, corsOrigin: [ORIGIN] } });
  for (const [headers, runs] of SQL_REQUESTS) {
    for (const request of [
      { url: '/csv?sql=SELECT+1', method: 'GET' },
      { url: '/csv?sql=SELECT+1', method: 'HEAD' },
      { url: '/sql', method: 'POST', payload: 'SELECT 1', type: 'text/plain' },
      { url: '/sql', method: 'POST', payload: '{"sql":"SELECT 1"}', type: 'application/json' },
    ] as const) {
      const { url, method } = request;
      const content = 'type' in request ? { 'content-type': request.type } : {};
      const before = world.queries.asked.length;
      const response = await world.http.inject({
        url,
        method,
        headers: { host: 'localhost:80', ...content, ...headers },
        ...('payload' in request ? { payload: request.payload } : {}),
      });
      const what = `${method} ${url} ${JSON.stringify(headers)}`;
      assert.equal(response.statusCode, runs ? 200 : 403, what);
      assert.equal(world.queries.asked.length - before, runs ? 1 : 0, what);
      if (!runs && method !== 'HEAD')
        assert.match(response.body, /^pages of other origins [^\n]+CORS_ORIGIN\n$/);
    }
  }
});

test('pages of other origins may show datasets in a link or a picture, which starts no SQL', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const headers = { 'sec-fetch-site': 'cross-site' };
  assert.equal((await world.http.inject({ url: '/csv/flags', headers })).statusCode, 200);
});
