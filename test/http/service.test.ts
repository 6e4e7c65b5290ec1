import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { DynamoCsvError } from '../../src/base/errors.js';
import type { Dataset, DatasetStatus } from '../../src/datasets/dataset.js';
import {
  type CatalogueJson,
  CatalogueSchema,
  type HealthJson,
  HealthSchema,
} from '../../src/http/schemas.js';
import { viewBroken } from '../../src/sql/errors.js';
import { COUNTS, createWorld, INTERVAL, START } from './world.js';

const failure = { code: 'TABLE_NOT_FOUND', message: 'There is no table flags', at: START };

/** A view, as far as HTTP sees it. */
function view(name: string, lastError: DatasetStatus['lastError'] = null): Dataset {
  const file = `config/views/${name}.sql`;
  return {
    name,
    kind: 'view',
    source: file,
    description: 'Flags of today.',
    columns: null,
    keys: [],
    timeColumn: null,
    definition: { file, sql: 'SELECT * FROM flags', uses: ['flags'] },
    version: null,
    status: () => ({
      rows: null,
      bytes: null,
      readAt: null,
      interval: null,
      freshness: 'waiting',
      nextPollAt: null,
      persisted: true,
      lastError,
    }),
    content: async () => {
      throw viewBroken(file, 3, 'no such column: cuont');
    },
  };
}

test('the catalogue describes each dataset, in the order of the configuration', async (t) => {
  const world = await createWorld(t, {
    grafanaUrl: 'http://localhost:3000',
    readUnitsToday: (name) => (name === 'flags' ? 12.5 : null),
    costOf: (name) =>
      name === 'flags' ? { usdPerMonth: 0.25, usdThisMonth: 0.125, budget: 5, waiting: null } : null,
  });
  const table = await world.table('flags', { changes: true });
  world.registry.add(view('flags-today'));
  await table.poll(COUNTS, [['dispatch', '1']]);
  table.health.nextPollAt = START + INTERVAL;
  world.now = START + 1_500;
  const response = await world.http.inject('/datasets');
  assert.match(String(response.headers['content-type']), /^application\/json/);
  const catalogue: unknown = response.json();
  assert.ok(
    Value.Check(CatalogueSchema, catalogue),
    JSON.stringify(Value.Errors(CatalogueSchema, catalogue)),
  );
  assert.equal(catalogue.service.now, '2026-11-24T09:30:01.500Z');
  assert.equal(catalogue.service.grafana, 'http://localhost:3000');
  assert.deepEqual(
    catalogue.datasets.map(({ name }) => name),
    ['flags', 'flags-changes', 'flags-today'],
  );
  const [flags, , today] = catalogue.datasets;
  assert.deepEqual(flags, {
    name: 'flags',
    kind: 'snapshot',
    source: 'DynamoDB table flags',
    description: 'What the latest poll of DynamoDB table flags found.',
    columns: [
      { name: 'id', type: 'string' },
      { name: 'count', type: 'number' },
    ],
    keys: ['id'],
    timeColumn: null,
    exceptions: [],
    rows: 1,
    bytes: 20,
    version: table.datasets[0]!.version,
    readAt: '2026-11-24T09:30:00.000Z',
    age: 1.5,
    interval: 30,
    freshness: 'fresh',
    nextPollAt: '2026-11-24T09:30:30.000Z',
    persisted: true,
    lastError: null,
    readUnitsToday: 12.5,
    cost: { usdPerMonth: 0.25, usdThisMonth: 0.125, budget: 5, waiting: null },
    query: null,
    sealedDays: 0,
    missingDays: [],
    missingReasons: [],
    definition: null,
    usedBy: ['flags-today'],
    url: '/csv/flags',
    grafanaPath: null,
  });
  assert.deepEqual(today?.definition?.uses, ['flags']);
});

test('health is ok, and degraded if a dataset is stale, never read, not on the volume, or a broken view', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  const health = async () => {
    const response = await world.http.inject('/healthz');
    assert.equal(response.statusCode, 200);
    const body = response.json<HealthJson>();
    assert.ok(Value.Check(HealthSchema, body));
    return body;
  };
  assert.equal((await health()).status, 'ok');
  table.health.lastError = failure;
  assert.deepEqual(await health(), {
    status: 'degraded',
    role: 'collect',
    configuredRole: 'collect',
    behind: 0,
    datasets: [
      {
        name: 'flags',
        age: null,
        freshness: 'waiting',
        persisted: true,
        lastError: { ...failure, at: '2026-11-24T09:30:00.000Z' },
        missingDays: [],
        degraded: true,
      },
    ],
  });
  await table.poll(COUNTS, [['a', '1']]);
  assert.equal((await health()).status, 'ok', 'one failed poll is no reason yet');
  table.health.lastError = { code: 'NOT_PERSISTED', message: 'There is no room', at: START };
  assert.equal((await health()).status, 'degraded', 'the volume takes nothing, though nothing changed yet');
  table.health.lastError = null;
  world.now = START + 3 * INTERVAL;
  assert.equal((await health()).status, 'ok');
  world.now += 1;
  assert.equal((await health()).datasets[0]?.freshness, 'stale');
  assert.equal((await health()).status, 'degraded');
  world.now = START;
  (table.datasets[0] as Dataset & { markPersisted(is: boolean): void }).markPersisted(false);
  assert.equal((await health()).status, 'degraded');
  (table.datasets[0] as Dataset & { markPersisted(is: boolean): void }).markPersisted(true);
  world.registry.add(view('whole'));
  assert.equal((await health()).status, 'ok');
  world.registry.add(view('broken', { code: 'VIEW_BROKEN', message: 'no such column', at: START }));
  assert.equal((await health()).status, 'degraded');
});

test('days that the archive has lost are missing, in the catalogue and in health', async (t) => {
  const lost: { dataset: string; date: string }[] = [];
  const world = await createWorld(t, { lostDays: () => lost });
  const table = await world.table('flags');
  await table.poll(COUNTS, [['a', '1']]);
  const asked = async () => {
    const [catalogue, health] = [await world.http.inject('/datasets'), await world.http.inject('/healthz')];
    const [dataset] = catalogue.json<CatalogueJson>().datasets;
    const { status, datasets } = health.json<HealthJson>();
    return [dataset!.missingDays, dataset!.missingReasons, status, datasets[0]!.missingDays];
  };
  assert.deepEqual(await asked(), [[], [], 'ok', []]);
  // A day may have several files.
  for (const date of ['2026-11-21', '2026-11-20', '2026-11-20']) lost.push({ dataset: 'flags', date });
  lost.push({ dataset: 'others', date: '2026-11-01' });
  const days = ['2026-11-20', '2026-11-21'];
  const reason = 'the archive has lost or damaged its file (docs/recovery.md)';
  assert.deepEqual(await asked(), [days, [reason], 'degraded', days]);
});

test('ready when every polled dataset has data or has failed to get it', async (t) => {
  const world = await createWorld(t);
  const [flags, zones] = [await world.table('flags'), await world.table('zones')];
  world.registry.add(view('flags-today'));
  const ready = async () => {
    const { statusCode, body } = await world.http.inject('/readyz');
    return [statusCode, JSON.parse(body)];
  };
  assert.deepEqual(await ready(), [
    503,
    { ready: false, waiting: ['flags', 'zones'], failed: [], served: [] },
  ]);
  await flags.poll(COUNTS, []);
  assert.deepEqual(await ready(), [503, { ready: false, waiting: ['zones'], failed: [], served: ['flags'] }]);
  zones.health.lastError = failure;
  assert.deepEqual(await ready(), [200, { ready: true, waiting: [], failed: ['zones'], served: ['flags'] }]);
});

test('metrics are what Prometheus reads, with the age as of now', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(COUNTS, []);
  world.now += 4_500;
  const response = await world.http.inject('/metrics');
  assert.match(String(response.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(response.body, /^dynamo_csv_age_seconds\{dataset="flags"\} 4\.5$/m);
  assert.match(response.body, /^process_cpu_seconds_total/m);
});

test('a dataset without data responds with that, and with when to retry', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  table.health.lastError = failure;
  const response = await world.http.inject('/csv/flags');
  assert.equal(response.statusCode, 503);
  assert.equal(
    response.body,
    'dataset "flags" has not been read yet: its polls fail: There is no table flags\n',
  );
  assert.equal(response.headers['retry-after'], '5');
});

test('a dataset whose first poll the budget does not allow says that, and not that polls fail', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  const message = 'DynamoDB table flags is not read: one poll costs about USD 9; raise budget';
  table.health.lastError = { code: 'BUDGET_TOO_SMALL', message, at: START };
  const { body, statusCode } = await world.http.inject('/csv/flags');
  assert.deepEqual([statusCode, body], [503, `dataset "flags" has not been read yet: ${message}\n`]);
});

test('a name that a table could have is answered with the reason, wherever it is asked for', async (t) => {
  const world = await createWorld(t);
  await world.table('flags');
  const denied = new DynamoCsvError('TABLE_SKIPPED', 'table secrets was found and is not read', {
    remedy: 'allow it',
    status: 503,
  });
  const end = world.registry.onAbsent((name) => (name === 'secrets' ? denied : undefined));
  for (const path of ['/csv/secrets', '/csv/secrets.csv', '/grafana/dashboards/secrets.json']) {
    const { statusCode, body } = await world.http.inject(path);
    assert.deepEqual([statusCode, body], [503, 'table secrets was found and is not read; allow it\n'], path);
  }
  assert.equal((await world.http.inject('/csv/secret')).statusCode, 404);
  end();
  assert.equal((await world.http.inject('/csv/secrets')).statusCode, 404);
});

test('a log whose poll could not be written is not served, and reports the reason', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags', { log: true });
  table.health.readAt = START;
  table.health.lastError = { code: 'NOT_PERSISTED', message: 'There is no room to write', at: START };
  const { failed, served } = (await world.http.inject('/readyz')).json();
  assert.deepEqual({ failed, served }, { failed: ['flags'], served: [] });
  const response = await world.http.inject('/csv/flags');
  assert.equal(response.statusCode, 503);
  assert.equal(response.body, 'dataset "flags" was read, but has no file yet: There is no room to write\n');
});

test('the URL of a broken view reports the error and its place', async (t) => {
  const world = await createWorld(t);
  world.registry.add(view('today'));
  const response = await world.http.inject('/csv/today');
  assert.equal(response.statusCode, 500);
  assert.equal(
    response.body,
    'config/views/today.sql, line 3: no such column: cuont; correct the SQL of that view\n',
  );
});

test('OpenAPI describes the routes, SQL only where it is open, and /docs shows it', async (t) => {
  const closed = (await (await createWorld(t)).http.inject('/openapi.json')).json();
  assert.equal(closed.openapi, '3.1.0');
  assert.deepEqual(Object.keys(closed.paths).sort(), [
    '/csv/{name}',
    '/datasets',
    '/grafana/alerts/{name}',
    '/grafana/dashboards/{name}',
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/readyz',
  ]);
  assert.ok(
    closed.paths['/csv/{name}'].get.parameters.some(
      (parameter: { name: string }) => parameter.name === 'last',
    ),
  );
  const world = await createWorld(t, { config: { allowSql: true } });
  const open = (await world.http.inject('/openapi.json')).json();
  assert.ok('/sql' in open.paths && '/csv' in open.paths);
  const docs = await world.http.inject('/docs');
  assert.equal(docs.statusCode, 200);
  assert.match(String(docs.headers['content-type']), /^text\/html/);
  assert.doesNotMatch(docs.body, /(src|href)="https?:/);
  assert.match(String(docs.headers['content-security-policy']), /default-src 'none'/);
});
