import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { parse } from 'yaml';
import { projectRoot } from '../../src/base/project.js';
import { createOrdersTable, type LocalDynamoDb, startDynamoDb } from '../../src/demo/dynamodb.js';
import { OrderDesk } from '../../src/demo/order-desk.js';
import { type OrderItem, Orders } from '../../src/demo/orders.js';
import { readManhattan } from '../../src/demo/zones.js';
import { useTestAws } from '../support/aws.js';

const MINUTE = 60_000;
const zones = readManhattan(join(projectRoot, 'config/lookups/zones.csv'));
const orders = new Orders({ seed: 1, zones });
const START = Date.parse('2026-02-03T17:00:00.500Z');

/** Without those whose time to live is over, which DynamoDB may still have. */
function present(items: Iterable<OrderItem>, time: number): OrderItem[] {
  return [...items]
    .filter(({ expires_at = Number.POSITIVE_INFINITY }) => expires_at * 1_000 > time)
    .sort((a, b) => (a.order_id < b.order_id ? -1 : 1));
}

describe('the orders', () => {
  it('are what their writes make of them, in however many steps', () => {
    const items = new Map(orders.items(START).map((item) => [item.order_id, item]));
    const kinds = new Map<string, number>();
    const steps = [...[1, 2, 7, 60, 600].map((seconds) => seconds * 1_000), 90 * MINUTE];
    let time = START;
    for (const step of steps) {
      for (const write of orders.writes(time, time + step)) {
        const { kind } = write;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (write.kind === 'put') items.set(write.item.order_id, write.item);
        else if (write.kind === 'delete')
          assert.ok(items.delete(write.order_id), 'what is cancelled was there');
        else items.set(write.order_id, { ...items.get(write.order_id)!, ...write.set });
      }
      time += step;
      assert.deepEqual(present(items.values(), time), present(orders.items(time), time));
    }
    assert.deepEqual([...kinds.keys()].sort(), ['delete', 'put', 'update']);
    const statuses = new Set(orders.items(time).map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), ['accepted', 'new', 'paid', 'riding']);
  });
});

describe('the desk that writes orders', () => {
  let now = START;
  let database: LocalDynamoDb;
  let client: DynamoDBClient;
  before(async () => {
    useTestAws();
    database = await startDynamoDb({ now: () => now, sleep: async () => undefined });
    client = new DynamoDBClient({ endpoint: database.endpoint, maxAttempts: 1 });
  });
  after(async () => {
    client.destroy();
    await database.close();
  });

  it('fills the table, writes each step of an order later, and what could not be written after that', async () => {
    await createOrdersTable(client);
    const documents = DynamoDBDocumentClient.from(client);
    await documents.send(
      new PutCommand({ TableName: 'orders', Item: { order_id: 'left by an earlier run' } }),
    );
    const written = async () => {
      await database.expire();
      const { Items = [] } = await documents.send(new ScanCommand({ TableName: 'orders' }));
      return present(Items as OrderItem[], now);
    };
    const clock = { now: () => now, sleep: async () => undefined };
    const desk = new OrderDesk({ orders, client, clock });
    await desk.fill();
    assert.deepEqual(await written(), present(orders.items(now), now));
    const before = (await eventsOf(database.endpoint)).length;
    now += MINUTE;
    await desk.step();
    const expired = orders.items(START).length - present(orders.items(START), now).length;
    assert.deepEqual(await written(), present(orders.items(now), now));
    const events = (await eventsOf(database.endpoint)).slice(before);
    assert.equal(events.length, orders.writes(START, now).length + expired, 'each write is one record');

    let failures = 1;
    client.middlewareStack.add(
      (next) => async (request) => {
        failures -= 1;
        if (failures >= 0) throw new Error('the network is down');
        return next(request);
      },
      { step: 'finalizeRequest', name: 'failing' },
    );
    now += MINUTE;
    await assert.rejects(desk.step(), /the network is down/);
    now += MINUTE;
    await desk.step();
    assert.deepEqual(await written(), present(orders.items(now), now));
  });
});

it('the demo’s configuration has the fleet as in taxi-fleet.yaml, and orders', async () => {
  const read = async (name: string) => parse(await readFile(join(projectRoot, 'config', name), 'utf8'));
  const { orders: own, ...fleet } = (await read('demo.yaml')).tables;
  assert.equal(own.stream, true);
  const { tables, ...rest } = await read('taxi-fleet.yaml');
  assert.deepEqual({ ...(await read('demo.yaml')), tables: fleet }, { ...rest, tables });
});

/** The records of the only stream. */
async function eventsOf(endpoint: string) {
  const client = new DynamoDBStreamsClient({ endpoint });
  const [{ StreamArn } = {}] = (await client.send(new ListStreamsCommand({}))).Streams!;
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const { ShardId } = StreamDescription!.Shards![0]!;
  const start = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(start));
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
  client.destroy();
  return Records;
}
