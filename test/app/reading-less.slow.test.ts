/** Reading less than a table: from the configuration file to what the service answers. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import { configuredSources } from '../../src/sources/index.js';
import type { TestDynamoDb } from '../support/dynalite.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { described, page, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { get, testDynamoDb } from './world.js';

const ORDERS = 'orders';

async function createOrders(database: TestDynamoDb): Promise<void> {
  await database.createTable({ id: 'N' }, ORDERS, [
    { name: 'by-status', keys: { status: 'S' } },
    { name: 'by-day', keys: { day: 'S', at: 'S' } },
  ]);
}

function order(id: number, day: string, at: string, status?: string) {
  const open = status === undefined ? {} : { status: { S: status } };
  return { id: { N: String(id) }, day: { S: day }, at: { S: at }, ...open };
}

/** The service in this process, at a time that the test sets; `pass` returns when all that was due is done. */
async function startAt(t: TestContext, now: string, yaml: string, dataDir: string) {
  const file = join(await temporaryFolder(t), 'config.yaml');
  await writeFile(file, yaml);
  const config = await loadConfig({ CONFIG: file, DATA_DIR: dataDir, PORT: '0' }, []);
  const clock = new ManualClock(now);
  const { logger, lines } = logLines('warn');
  const app = await startApp(config, { clock, logger, signal: new AbortController().signal });
  t.after(() => app.close());
  // The polls of each table and of the service itself, the sealing, and the signs of life.
  const loops = configuredSources(config).length + 3;
  const pass = async (milliseconds: number) => {
    await clock.asleep(loops);
    const end = clock.now() + milliseconds;
    while (clock.now() < end) await clock.next();
  };
  await pass(2_000);
  const csv = async (path: string) => (await get(app.url, `/csv/${path}`)).text.split('\n').slice(1, -1);
  return { app, pass, csv, lines };
}

describe('a part of a table', () => {
  it('an index, a query of today and a log of what is new, over the midnight of a day of 25 hours', async (t) => {
    const database = await testDynamoDb(t);
    await createOrders(database);
    await database.put(ORDERS, [
      order(1, '2026-10-31', '2026-11-01T03:59:59Z', 'OPEN'),
      order(2, '2026-11-01', '2026-11-01T04:00:00Z'),
      order(3, '2026-11-01', '2026-11-02T04:59:00Z', 'OPEN'),
    ]);
    const yaml = `
timeZone: America/New_York
tables:
  open-orders: { table: orders, endpoint: '${database.endpoint}', index: by-status, only: [status] }
  today: { table: orders, endpoint: '${database.endpoint}', query: { index: by-day, key: { day: '{today}' } }, changes: true }
  new-orders: { table: orders, endpoint: '${database.endpoint}', query: { index: by-day, key: { day: '{today}' }, since: at } }
`;
    const dataDir = join(await temporaryFolder(t), 'data');
    // 23:59:30 of 1 November in New York.
    const { app, pass, csv, lines } = await startAt(t, '2026-11-02T04:59:30Z', yaml, dataDir);
    assert.deepEqual(await csv('open-orders'), ['1,OPEN', '3,OPEN']);
    const ids = async (name: string) => (await csv(name)).map((row) => row.split(',')[0]);
    assert.deepEqual(await ids('today'), ['2', '3']);
    assert.deepEqual(await ids('new-orders'), ['2', '3']);
    await database.put(ORDERS, [
      order(4, '2026-11-01', '2026-11-02T04:59:59Z'),
      order(5, '2026-11-02', '2026-11-02T05:00:01Z'),
    ]);
    await pass(60_000);
    assert.deepEqual(await ids('today'), ['5']);
    assert.deepEqual(await csv('new-orders?columns=id&sort=id'), ['2', '3', '4', '5']);
    // What left the query's result is deleted for the changes.
    const changes = await csv('today-changes?columns=change,id');
    assert.deepEqual(changes.sort(), ['delete,2', 'delete,3', 'insert,2', 'insert,3', 'insert,5']);
    assert.deepEqual(lines, []);
    await app.close();
    // Another life goes on where this one ended.
    await database.put(ORDERS, [order(6, '2026-11-02', '2026-11-02T05:01:00Z')]);
    const next = await startAt(t, '2026-11-02T05:02:00Z', yaml, dataDir);
    assert.deepEqual(await next.csv('new-orders?columns=id&sort=id'), ['2', '3', '4', '5', '6']);
  });

  it('a table that only grows has /csv, windows and /datasets as any log', async (t) => {
    const database = await testDynamoDb(t);
    await createOrders(database);
    await database.put(ORDERS, [order(1, '2026-11-24', '2026-11-24T09:00:00Z')]);
    const yaml = `tables: { log-of-orders: { table: orders, endpoint: '${database.endpoint}', query: { index: by-day, key: { day: '{today}' }, since: at } } }`;
    const dataDir = join(await temporaryFolder(t), 'data');
    const { app, csv } = await startAt(t, '2026-11-24T09:30:00Z', yaml, dataDir);
    assert.deepEqual(await csv('log-of-orders?last=5m&columns=id,day'), ['1,2026-11-24']);
    const { text } = await get(app.url, '/datasets');
    const { datasets } = JSON.parse(text) as {
      datasets: { name: string; kind: string; description: string }[];
    };
    const { kind, description } = datasets.find(({ name }) => name === 'log-of-orders')!;
    assert.equal(kind, 'log');
    assert.equal(
      description,
      'Every new item of query of index by-day of DynamoDB table orders, with the time of the poll that found it.',
    );
  });
});

describe('npm start -- --check', () => {
  it('names the cheapest way to read each table, with the price of each', async (t) => {
    const index = (name: string, bytes: number, items: number, projection: object = {}) => ({
      IndexName: name,
      IndexStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      IndexSizeBytes: bytes,
      ItemCount: items,
      ...projection,
    });
    const server = await startScriptedDynamoDb(({ action, body }) => {
      if (action === 'DescribeTable')
        return described({
          items: 1_000_000,
          bytes: 1_000_000_000,
          more: {
            LatestStreamArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/1',
            StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
            GlobalSecondaryIndexes: [
              index('by-day', 1_000_000_000, 1_000_000),
              index('by-status', 4_000_000, 4_000, { Projection: { ProjectionType: 'KEYS_ONLY' } }),
            ],
          },
        });
      return page(body.Select === 'COUNT' ? [] : [1], { units: 2.5 });
    });
    t.after(() => server.close());
    const config = `tables: { orders: { endpoint: '${server.endpoint}', region: us-east-1, query: { index: by-day, key: { id: [1, 2] } } } }`;
    const service = await startService(t, { config, args: ['--check'] });
    assert.equal((await service.exit).code, 0, service.errors());
    const rows = service
      .output()
      .split('\n\n')[1]!
      .split('\n')
      .slice(2, -1)
      .map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(rows, [
      ['orders', 'Scan of the table', '122,071', '1,336.67'],
      ['Scan of index by-day', '122,071', '1,336.67'],
      ['Scan of index by-status', '489', '5.35', '4,000 of 1,000,000 items, not all attributes'],
      ['query of index by-day', '5', '0.05', 'configured, cheapest'],
      ['stream', '-', '0.53', 'for each shard, read every 1 s'],
    ]);
  });

  it('names a wrong index, with what was meant', async (t) => {
    const database = await testDynamoDb(t);
    await createOrders(database);
    const config = `tables: { orders: { endpoint: '${database.endpoint}', index: by-statsu } }`;
    const service = await startService(t, { config, args: ['--check'] });
    assert.equal((await service.exit).code, 1);
    assert.match(
      service.output(),
      /There is no index by-statsu of table orders .*; did you mean by-status\?/,
    );
  });
});
