import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { projectRoot } from '../../src/base/project.js';
import { createPollMetrics } from '../../src/collect/metrics.js';
import { createHttpMetrics } from '../../src/http/metrics.js';
import { createHttp, type Http, ResponseTimes } from '../../src/http/server.js';
import { neverOverloaded } from '../support/never-overloaded.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const document = await readFile(join(projectRoot, 'docs', 'http.md'), 'utf8');

/** The service that docs/http.md speaks of. */
async function start(t: TestContext): Promise<Http> {
  const world = await SqlWorld.start(t, { now: Date.parse('2026-11-24T14:30:00Z') });
  const zones = await world.table('zone-count-dynamodb');
  const flags = await world.table('flag-dynamodb', { log: true });
  for (const [dispatch, pickup] of [
    ['412', '371'],
    ['415', '372'],
  ] as const) {
    const now = world.time.now();
    await zones.record(
      readingOf({ zone_id: 'number', count: 'number', street: 'string' }, [
        ['4', '12', null],
        ['12', null, null],
        ['48', '7', null],
      ]),
      now,
    );
    await flags.record(
      readingOf({ counter_type: 'string', count: 'number' }, [
        ['dispatch', dispatch],
        ['pickup', pickup],
      ]),
      now,
    );
    world.time.at += 30_000;
  }
  world.time.at += 12_000 - 30_000;
  const http = await createHttp({
    registry: world.registry,
    queries: world.sql.queries,
    metrics: createHttpMetrics(new Registry()),
    logger: pino({ level: 'silent' }),
    clock: world.time,
    config: {
      apiToken: null,
      allowedHosts: [],
      corsOrigin: [],
      allowSql: true,
      file: 'config/taxi-fleet.yaml',
      dataDir: world.dataDir,
      timeZone: 'America/New_York',
    },
    responseTimes: new ResponseTimes(world.time),
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
  });
  neverOverloaded(http);
  t.after(() => http.close());
  return http;
}

/** `curl -i -H 'A: b' -d body URL` as a request. */
function requestOf(command: string): { readonly request: InjectOptions; readonly showsHead: boolean } {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  const headers: Record<string, string> = {};
  let payload: string | undefined;
  let url = '';
  let showsHead = false;
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index]!;
    if (word === '-i') showsHead = true;
    else if (word === '-d') payload = words[++index];
    else if (word === '-H') {
      const [name = '', value = ''] = words[++index]!.split(': ');
      headers[name] = value;
    } else url = word.replace('localhost:8080', '');
  }
  return {
    request: { url, headers, ...(payload === undefined ? {} : { method: 'POST', payload }) },
    showsHead,
  };
}

test('every example in docs/http.md gets the response shown', async (t) => {
  const http = await start(t);
  const blocks = [...document.matchAll(/```console\n([^`]*)```/g)].map(([, text]) => text ?? '');
  const examples = blocks.flatMap((block) => block.split(/^\$ /m).slice(1));
  assert.ok(examples.length > 12);
  for (const example of examples) {
    const end = example.indexOf('\n');
    const command = example.slice(0, end);
    const { request, showsHead } = requestOf(command);
    const { statusCode, headers, body } = await http.inject(request);
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const said = showsHead
      ? `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\n${head.join('\n')}\n\n${body}`
      : body;
    const expected = example
      .slice(end + 1)
      .trimEnd()
      .split('…')
      .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('[^]*');
    assert.match(said.trimEnd(), new RegExp(`^${expected}$`), command);
  }
});

test('every endpoint and every metric of ours is in docs/http.md', async (t) => {
  const http = await start(t);
  const documented = new Set([...document.matchAll(/`(?:GET|POST) ([^?`]+)/g)].map(([, url]) => url));
  for (const url of http.methodsByUrl.keys()) {
    if (url !== '*' && !url.startsWith('/docs/')) assert.ok(documented.has(url), url);
  }
  const registry = new Registry();
  createHttpMetrics(registry);
  createPollMetrics(registry);
  for (const { name } of await registry.getMetricsAsJSON()) {
    if (name.startsWith('dynamo_csv_')) assert.ok(document.includes(`\`${name}\``), name);
  }
});
