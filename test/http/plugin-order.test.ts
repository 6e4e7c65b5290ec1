import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import type { HttpPlugin } from '../../src/http/plugin.js';
import { plugins } from '../../src/http/plugins.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { COUNTS, createWorld } from './world.js';

interface Meta {
  readonly name: string;
  readonly dependencies: readonly string[];
}

/** What `fastify-plugin` wrote on a plugin. */
function metaOf(plugin: HttpPlugin): Meta {
  return (plugin as unknown as Record<symbol, Meta>)[Symbol.for('plugin-meta')]!;
}

/** The plugins in another order that their dependencies allow: each time one of those that could be next. */
function reordered(choices: readonly number[]): readonly HttpPlugin[] {
  const rest = [...plugins];
  const order: HttpPlugin[] = [];
  for (const choice of choices) {
    const done = new Set(order.map((plugin) => metaOf(plugin).name));
    const next = rest.filter((plugin) => metaOf(plugin).dependencies.every((name) => done.has(name)));
    const chosen = next[choice % next.length]!;
    order.push(chosen);
    rest.splice(rest.indexOf(chosen), 1);
  }
  return order;
}

const TOKEN = 'a-token-of-24-characters';
const ORIGIN = 'https://grafana.example.org';
const origin = { origin: ORIGIN };
const preflight = { ...origin, 'access-control-request-method': 'GET' };

/** What the plugins do for each other: errors, CORS, the token, 405, documents and metrics of all routes. */
const REQUESTS: readonly InjectOptions[] = [
  { url: '/csv/flags' },
  { url: '/csv/flags', headers: origin },
  { url: '/csv/flags', headers: { ...origin, authorization: `Bearer ${TOKEN}` } },
  { url: '/csv/flags', method: 'OPTIONS', headers: preflight },
  { url: '/csv/flags', method: 'DELETE', headers: { authorization: `Bearer ${TOKEN}` } },
  { url: '/docs', method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } },
  { url: '/healthz' },
  { url: '/' },
  { url: '/docs/static/swagger-ui.css' },
  { url: '/nowhere' },
  { url: '/openapi.json', headers: { authorization: `Bearer ${TOKEN}` } },
];

async function answers(t: TestContext, webDir: string, order: readonly HttpPlugin[]): Promise<unknown> {
  const config = { apiToken: TOKEN, corsOrigin: [ORIGIN], allowSql: true };
  const { http, table, metrics } = await createWorld(t, { webDir, plugins: order, config });
  await (await table('flags')).poll(COUNTS, [['a', '1']]);
  const given = [];
  for (const request of REQUESTS) {
    const { statusCode, headers, body } = await http.inject(request);
    const { date: _, ...others } = headers;
    const paths = request.url === '/openapi.json' ? Object.keys(JSON.parse(body).paths).sort() : body;
    given.push({ request, statusCode, headers: { ...others, 'content-length': null }, paths });
  }
  const counted = (await metrics.registry.metrics()).match(
    /^dynamo_csv_http_request_duration_seconds_count.*/gm,
  );
  await http.close();
  return { given, counted: counted?.sort() };
}

test('a plugin before one that it depends on fails the start', async (t) => {
  const named = new Map(plugins.map((plugin) => [metaOf(plugin).name, plugin]));
  let tried = 0;
  for (const plugin of plugins) {
    const { name, dependencies } = metaOf(plugin);
    for (const dependency of dependencies) {
      const others = plugins.filter((other) => other !== plugin);
      const order = others.toSpliced(others.indexOf(named.get(dependency)!), 0, plugin);
      const sentence = new RegExp(`The dependency '.+' of plugin '${name}' is not registered`);
      await assert.rejects(createWorld(t, { plugins: order }), sentence, `${name} before ${dependency}`);
      tried += 1;
    }
  }
  assert.ok(tried > 20);
});

test('any order that the dependencies allow gives the same service', async (t) => {
  const webDir = await temporaryFolder(t);
  await writeFile(join(webDir, 'index.html'), '<!doctype html>');
  const expected = await answers(t, webDir, plugins);
  const choices = fc.array(fc.nat({ max: 1_000 }), {
    minLength: plugins.length,
    maxLength: plugins.length,
  });
  await fc.assert(
    fc.asyncProperty(choices, async (chosen) => {
      const order = reordered(chosen);
      assert.deepEqual(
        await answers(t, webDir, order),
        expected,
        order.map((plugin) => metaOf(plugin).name).join(),
      );
    }),
    { numRuns: 10, seed: 20261124 },
  );
});
