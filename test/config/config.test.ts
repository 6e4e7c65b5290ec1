import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { loadConfig } from '../../src/config/config.js';
import { load, withFile } from './load.js';

const DEFAULT_TABLE = {
  entry: 'my-table',
  table: 'my-table',
  name: 'my-table',
  log: false,
  append: false,
  time: null,
  changes: false,
  interval: 30_000,
  columns: [],
  only: null,
  rename: {},
  expand: false,
  types: {},
  region: null,
  stream: false,
  verify: null,
  endpoint: null,
  role: null,
  index: null,
  query: null,
  filter: null,
  consistent: false,
  segments: 'auto',
  maxReadCapacity: null,
  maxPollMegabytes: null,
  keep: 7,
  retention: null,
  timestampColumn: null,
};

test('one line is a complete configuration', async () => {
  const config = await load('tables: { my-table: {} }');
  const { file, dataDir, viewsDir, lookupsDir, ...rest } = config;
  assert.deepEqual(rest, {
    archive: null,
    athena: null,
    check: false,
    timeZone: 'UTC',
    port: 8080,
    host: '127.0.0.1',
    logLevel: 'info',
    apiToken: null,
    allowedHosts: [],
    corsOrigin: [],
    allowSql: false,
    role: 'collect',
    grafanaUrl: null,
    dashboardsDir: null,
    grafanaDatasource: 'csv',
    tables: [DEFAULT_TABLE],
    instances: null,
    discover: null,
    budget: null,
  });
  assert.equal(dataDir, resolve('data'));
  assert.deepEqual([viewsDir, lookupsDir], [join(dirname(file), 'views'), join(dirname(file), 'lookups')]);
});

test('the folder for dashboards is relative to the working directory, and the plugin is one of two', async () => {
  const tables = 'tables: { my-table: {} }';
  const env = { GRAFANA_DASHBOARDS: 'boards', GRAFANA_DATASOURCE: 'infinity' };
  const { dashboardsDir, grafanaDatasource } = await load(tables, env);
  assert.deepEqual([dashboardsDir, grafanaDatasource], [resolve('boards'), 'infinity']);
  await assert.rejects(load(tables, { GRAFANA_DATASOURCE: 'infinty' }), /GRAFANA_DATASOURCE: .*infinity/);
});

test('a table without options needs only its name', async () => {
  assert.deepEqual((await load('tables:\n  my-table:\n')).tables, [DEFAULT_TABLE]);
});

test('every option of a table is read', async () => {
  const { tables } = await load(`
tables:
  Orders_2024.v1:
    log: append
    time: { attribute: at, unit: us }
    changes: true
    interval: 5m
    columns: [total, "2024", 품목]
    only: [total, "2024", 품목, at]
    rename: { at: ordered_at }
    expand: true
    types: { total: number, "2024": string, paid: boolean }
    as: orders
    region: us-gov-west-1
    stream: auto
    verify: 24h
    consistent: true
    segments: 8
    maxReadCapacity: 12.5
    maxPollMegabytes: 500
    keep: 2w
    retention: 365
    timestampColumn: polled_at
`);
  assert.deepEqual(tables, [
    {
      entry: 'Orders_2024.v1',
      table: 'Orders_2024.v1',
      name: 'orders',
      log: true,
      append: true,
      time: { column: 'ordered_at', unit: 'us' },
      changes: true,
      interval: 300_000,
      columns: ['total', '2024', '품목'],
      only: ['total', '2024', '품목', 'at'],
      rename: { at: 'ordered_at' },
      expand: true,
      types: { 2024: 'string', total: 'number', paid: 'boolean' },
      region: 'us-gov-west-1',
      stream: 'auto',
      verify: 86_400_000,
      endpoint: null,
      role: null,
      index: null,
      query: null,
      filter: null,
      consistent: true,
      segments: 8,
      maxReadCapacity: 12.5,
      maxPollMegabytes: 500,
      keep: 14,
      retention: 365,
      timestampColumn: 'polled_at',
    },
  ]);
});

test('the time of an item is an attribute by its name or its new one, and only keeps it', async () => {
  const { tables } = await load(`tables:
  one: { time: ts }
  two: { time: at, rename: { at: ordered_at }, columns: [total], only: true }
  three: { time: ordered_at, rename: { at: ordered_at }, only: [total] }
  four: { time: { attribute: ts, unit: s } }
`);
  assert.deepEqual(
    tables.map(({ time, only }) => ({ time, only })),
    [
      { time: { column: 'ts', unit: null }, only: null },
      { time: { column: 'ordered_at', unit: null }, only: ['total', 'at'] },
      { time: { column: 'ordered_at', unit: null }, only: ['total', 'ordered_at'] },
      { time: { column: 'ts', unit: 's' }, only: null },
    ],
  );
});

test('a path with an index needs no quotes, in lists and mappings in brackets either', async () => {
  const { tables } = await load(`
tables:
  my-table:
    columns: [address.city, tags[0], "q[1]", lines[2].items[0][1].sku, 'a, b[3]']
    rename: { tags[0]: first, x: y }
    types:
      tags[0]: number
      lines[2].items[0][1].sku: string
`);
  assert.deepEqual(tables[0]?.columns, [
    'address.city',
    'tags[0]',
    'q[1]',
    'lines[2].items[0][1].sku',
    'a, b[3]',
  ]);
  assert.deepEqual(tables[0]?.rename, { 'tags[0]': 'first', x: 'y' });
  assert.deepEqual(tables[0]?.types, { 'tags[0]': 'number', 'lines[2].items[0][1].sku': 'string' });
});

test('only: true keeps exactly the attributes in columns', async () => {
  const { tables } = await load('tables: { my-table: { columns: [b, a], only: true } }');
  assert.deepEqual(tables[0]?.only, ['b', 'a']);
});

test('tables keep the order of the file', async () => {
  const { tables } = await load('tables: { zebra: , ant: {}, mouse: {} }');
  assert.deepEqual(
    tables.map(({ table }) => table),
    ['zebra', 'ant', 'mouse'],
  );
});

test('names are text as they are written, also where YAML reads numbers', async () => {
  const { tables } = await load(`
tables:
  1e3: { rename: { 0404: code, true: flag } }
  1000: {}
  1.100: {}
  0x1F: {}
  null: {}
`);
  assert.deepEqual(
    tables.map(({ table, name }) => [table, name]),
    ['1000', '1e3', '1.100', '0x1F', 'null'].map((name) => [name, name]),
  );
  assert.deepEqual(tables[1]?.rename, { '0404': 'code', true: 'flag' });
});

test('an attribute may have any name, also one that JavaScript treats specially', async () => {
  const { tables } = await load(
    'tables: { my-table: { rename: { __proto__: a, constructor: b, "x,\\"y": c } } }',
  );
  assert.deepEqual(Object.entries(tables[0]?.rename ?? {}), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['x,"y', 'c'],
  ]);
});

test('instances by id and by tag, with their defaults', async () => {
  const { instances, tables } = await load(`
instances:
  ids: [i-0123456789abcdef0, i-12345678]
  tags: { Role: dispatch-api, Stage: [production, staging] }
  regions: [ap-northeast-2, us-east-1]
`);
  assert.deepEqual(tables, []);
  assert.deepEqual(instances, {
    name: 'api-server',
    ids: ['i-0123456789abcdef0', 'i-12345678'],
    tags: { Role: ['dispatch-api'], Stage: ['production', 'staging'] },
    regions: ['ap-northeast-2', 'us-east-1'],
    interval: 60_000,
    keep: 7,
    retention: null,
  });
});

test('the environment has the settings that differ by deployment', async () => {
  const config = await load(
    'tables: { my-table: {} }\ndata: here',
    {
      PORT: '0',
      HOST: '::',
      DATA_DIR: '/srv/data',
      LOG_LEVEL: 'debug',
      API_TOKEN: 'c2VjcmV0LXRva2Vu==',
      ALLOWED_HOSTS: 'Data.example.org, csv.example.org',
      CORS_ORIGIN: 'https://grafana.example.org, http://localhost:3000',
      ALLOW_SQL: 'true',
      GRAFANA_URL: 'https://grafana.example.org/grafana/',
    },
    ['--check'],
  );
  assert.equal(config.port, 0);
  assert.equal(config.host, '::');
  assert.equal(config.dataDir, '/srv/data');
  assert.equal(config.logLevel, 'debug');
  assert.equal(config.apiToken, 'c2VjcmV0LXRva2Vu==');
  assert.deepEqual(config.allowedHosts, ['data.example.org', 'csv.example.org']);
  assert.deepEqual(config.corsOrigin, ['https://grafana.example.org', 'http://localhost:3000']);
  assert.equal(config.allowSql, true);
  assert.equal(config.grafanaUrl, 'https://grafana.example.org/grafana/');
  assert.equal(config.check, true);
});

test('an empty variable counts as not set', async () => {
  const config = await load('tables: { my-table: {} }', {
    PORT: '',
    API_TOKEN: '',
    ALLOW_SQL: '',
    CORS_ORIGIN: ' ',
  });
  assert.deepEqual(
    [config.port, config.apiToken, config.allowSql, config.corsOrigin],
    [8080, null, false, []],
  );
});

test('folders in the file are relative to the file', async () => {
  await withFile('tables: { my-table: {} }\ndata: ./volume\nviews: sql\nlookups: sql', async (file) => {
    await mkdir(join(dirname(file), 'sql'));
    const config = await loadConfig({ CONFIG: file }, []);
    assert.equal(config.dataDir, join(dirname(file), 'volume'));
    assert.equal(config.viewsDir, join(dirname(file), 'sql'));
    assert.equal(config.lookupsDir, join(dirname(file), 'sql'));
  });
});

test('a time zone is written as its database writes it, and an alias stays', async () => {
  const zone = async (name: string) => (await load(`tables: { my-table: {} }\ntimeZone: ${name}`)).timeZone;
  assert.equal(await zone('america/new_york'), 'America/New_York');
  assert.equal(await zone('utc'), 'UTC');
  assert.equal(await zone('Asia/Kolkata'), 'Asia/Kolkata');
});

test("the fleet's file is right and is the default", async () => {
  const config = await loadConfig({}, []);
  assert.equal(resolve(config.file), join(projectRoot, 'config', 'taxi-fleet.yaml'));
  assert.equal(config.timeZone, 'America/New_York');
  assert.deepEqual(
    config.tables.map(({ table, name, log, changes }) => ({ table, name, log, changes })),
    [
      { table: 'zone-count-dynamodb', name: 'zone-count-dynamodb', log: false, changes: false },
      { table: 'pickup-zone-dynamodb', name: 'pickup-zone-dynamodb', log: false, changes: true },
      { table: 'flag-dynamodb', name: 'flag-dynamodb', log: true, changes: true },
      { table: 'taxi-destination-dynamodb', name: 'taxi-destination-dynamodb', log: false, changes: true },
    ],
  );
  for (const table of config.tables) assert.ok(table.columns.length > 0, table.table);
  assert.deepEqual(config.instances?.tags, { Role: ['dispatch-api'] });
});

test('a part of a table: an index, a query, a filter, with every default', async () => {
  const { tables } = await load(`
tables:
  open-orders: { table: orders, index: by-status, filter: { expression: 'total > :t', values: { ':t': 10 } } }
  new-orders: { table: orders, query: { index: by-day, key: { day: '{today}', store: [1, "2"] }, since: created_at } }
  late-orders: { table: orders, query: { key: { id: 7 }, since: at, overlap: 1h } }
`);
  const [open, fresh, late] = tables;
  assert.deepEqual(
    [open?.table, open?.name, open?.index, open?.log],
    ['orders', 'open-orders', 'by-status', false],
  );
  assert.deepEqual(open?.filter, { expression: 'total > :t', names: {}, values: { ':t': { N: '10' } } });
  assert.deepEqual(fresh?.query, {
    index: 'by-day',
    key: { day: '{today}', store: [1, '2'] },
    since: 'created_at',
    overlap: 60_000,
  });
  assert.deepEqual([fresh?.log, fresh?.append], [true, false]);
  assert.deepEqual(late?.query, { index: null, key: { id: 7 }, since: 'at', overlap: 3_600_000 });
});

test('a table of another account: its ARN, a role and an endpoint', async () => {
  const arn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders';
  const { tables } = await load(`
tables:
  ${arn}: { role: arn:aws:iam::123456789012:role/a/reader, externalId: x-1, endpoint: http://localhost:8000 }
  theirs: { table: '${arn}', role: arn:aws:iam::123456789012:role/reader, sessionName: me }
`);
  const [first, second] = tables;
  assert.deepEqual([first?.table, first?.name, first?.region], [arn, 'orders', 'eu-west-1']);
  assert.deepEqual(first?.role, {
    arn: 'arn:aws:iam::123456789012:role/a/reader',
    externalId: 'x-1',
    sessionName: 'dynamo-csv',
  });
  assert.equal(first?.endpoint, 'http://localhost:8000');
  assert.deepEqual([second?.table, second?.name, second?.role?.sessionName], [arn, 'theirs', 'me']);
});
