import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.js';
import { COUNTS, createWorld } from './world.js';

const TOKEN = 'a-token-of-24-characters';
const ORIGIN = 'https://grafana.example.org';

test('with a token every route needs it, but health and the files of the page', async (t) => {
  const webDir = await temporaryFolder(t);
  await writeFile(join(webDir, 'index.html'), '<!doctype html>');
  const world = await createWorld(t, { webDir, config: { apiToken: TOKEN, allowSql: true } });
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const open = new Set(['/healthz', '/readyz', '/', '/index.html']);
  const seen = new Set<string>();
  for (const [route, methods] of world.http.methodsByUrl) {
    const url = route.replace(':name', 'flags').replace('*', 'swagger-ui.css');
    for (const method of methods) {
      const ask = (authorization?: string) =>
        world.http.inject({
          method: method as 'GET',
          url,
          headers: authorization === undefined ? {} : { authorization },
        });
      for (const wrong of [undefined, 'Bearer wrong', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, 'Bearer']) {
        const { statusCode, headers, body } = await ask(wrong);
        if (open.has(route) && (method === 'GET' || method === 'HEAD')) {
          assert.ok([200, 503].includes(statusCode), `${method} ${url}: ${statusCode}`);
          seen.add(route);
        } else {
          assert.equal(statusCode, 401, `${method} ${url} with ${wrong}`);
          assert.equal(headers['www-authenticate'], 'Bearer realm="dynamo-csv"');
          if (method !== 'HEAD') assert.match(body, /^this .* token of the service; [^\n]+\n$/);
        }
      }
      assert.notEqual((await ask(`bearer ${TOKEN}`)).statusCode, 401, `${method} ${url}`);
    }
  }
  assert.deepEqual(seen, open);
  for (const url of ['/nowhere', '/csv/unknown', '/csv/', '/docs/', '/docs/static/index.html']) {
    assert.equal((await world.http.inject(url)).statusCode, 401, url);
  }
  assert.doesNotMatch(JSON.stringify(world.log), new RegExp(TOKEN));
});

test('pages elsewhere may read nothing unless their origin is named', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const response = await world.http.inject({ url: '/csv/flags', headers: { origin: ORIGIN } });
  assert.equal(response.headers['access-control-allow-origin'], undefined);
  const preflight = await world.http.inject({
    method: 'OPTIONS',
    url: '/csv/flags',
    headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
  });
  assert.equal(preflight.statusCode, 405);
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
});

test('OPTIONS is answered with 204 for preflights only, on paths that exist', async (t) => {
  const preflight = { origin: ORIGIN, 'access-control-request-method': 'GET' };
  for (const [apiToken, statuses] of [
    [null, { preflight: 204, other: 405, unknown: 404 }],
    [TOKEN, { preflight: 204, other: 401, unknown: 401 }],
  ] as const) {
    const world = await createWorld(t, { config: { apiToken, corsOrigin: [ORIGIN], allowSql: true } });
    const ask = (url: string, headers: Record<string, string>) =>
      world.http.inject({ method: 'OPTIONS', url, headers });
    for (const url of ['/csv/flags', '/csv', '/sql', '/datasets', '/healthz', '/docs']) {
      const { statusCode, body } = await ask(url, preflight);
      assert.deepEqual([statusCode, body], [statuses.preflight, ''], url);
    }
    for (const headers of [{}, { origin: ORIGIN }]) {
      const { statusCode, body } = await ask('/csv/flags', headers);
      assert.equal(statusCode, statuses.other);
      assert.match(body, /^[^\n]+\n$/);
    }
    for (const url of ['/nowhere', '/csv/flags/more', '/']) {
      const { statusCode, body } = await ask(url, preflight);
      assert.equal(statusCode, statuses.unknown, url);
      assert.match(body, /^[^\n]+\n$/);
    }
  }
});

test('a named origin passes the preflight without a token, and reads the headers that matter', async (t) => {
  const world = await createWorld(t, { config: { apiToken: TOKEN, corsOrigin: [ORIGIN] } });
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const preflight = await world.http.inject({
    method: 'OPTIONS',
    url: '/csv/flags',
    headers: {
      origin: ORIGIN,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  });
  assert.equal(preflight.statusCode, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], ORIGIN);
  assert.match(String(preflight.headers['access-control-allow-headers']), /Authorization/);
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (const url of ['/csv/flags', '/csv/flags?limit=1', '/datasets']) {
    const response = await world.http.inject({ url, headers: { ...headers, origin: ORIGIN } });
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['access-control-allow-origin'], ORIGIN, url);
    assert.match(String(response.headers['access-control-expose-headers']), /Age, ETag/);
    assert.match(String(response.headers.vary), /Origin/);
  }
  const csv = await world.http.inject({ url: '/csv/flags', headers: { ...headers, origin: ORIGIN } });
  assert.equal(csv.headers.vary, 'Origin, Accept-Encoding');
  const other = await world.http.inject({
    url: '/csv/flags',
    headers: { ...headers, origin: 'https://evil.example.org' },
  });
  assert.notEqual(other.headers['access-control-allow-origin'], 'https://evil.example.org');
  const refused = await world.http.inject({ url: '/csv/flags', headers: { origin: ORIGIN } });
  assert.equal(refused.statusCode, 401);
  assert.equal(refused.headers['access-control-allow-origin'], ORIGIN);
});
