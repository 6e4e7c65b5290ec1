/**
 * Reading a part of a table: an index, Queries by key, a filter. What a user relies on, against dynalite, by
 * `reading-less-on-moto.slow.test.ts` against moto, and by `npm run test:emulators` against all. Where one differs from DynamoDB, the test says how.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { encodeHeader } from '../../../src/csv/encode.js';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import type { Reading, Source } from '../../../src/sources/source.js';
import { chosenEmulator, startTestDynamoDb, type TestDynamoDb } from '../../support/dynalite.js';
import { logLines } from '../../support/log-lines.js';
import { ManualClock } from '../../support/manual-clock.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';
import { SCRIPTED_TABLE } from '../../support/scripted-source.js';

let dynamoDb: TestDynamoDb;
let threads: ScanThreads;
before(async () => {
  dynamoDb = await startTestDynamoDb(chosenEmulator);
  threads = new ScanThreads({ size: 2 });
});
after(async () => {
  await threads.close();
  await dynamoDb.close();
});

type Options = Partial<DynamoDbSourceOptions>;

function sourceOf(table: string, options: Options = {}): Source {
  return createDynamoDbSource({
    ...SCRIPTED_TABLE,
    table,
    endpoint: dynamoDb.endpoint,
    threads,
    ...options,
  });
}

const signal = new AbortController().signal;

async function read(table: string, options: Options = {}): Promise<Reading> {
  const source = sourceOf(table, options);
  try {
    return await source.read({ known: [], signal });
  } finally {
    await source.close();
  }
}

/** The reading as a file would have it. */
function csv({ rows }: Reading): string {
  return encodeHeader(rows.columns).toString() + rows.body.toString();
}

function keysOf({ rows }: Reading): string[] {
  return rows.body
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(',')[0]!);
}

const byKey = (
  key: NonNullable<DynamoDbSourceOptions['query']>['key'],
  index: string | null = null,
): Options => ({
  query: { index, key, since: null, overlap: 60_000 },
});

/** Orders by id, of which the open ones have a status. */
async function orders(): Promise<string> {
  const table = await dynamoDb.createTable({ id: 'N' }, undefined, [
    { name: 'by-status', keys: { status: 'S' } },
    { name: 'by-day', keys: { day: 'S', created_at: 'S' } },
    { name: 'by-store', keys: { store: 'N', created_at: 'S' }, projected: ['total'] },
    { name: 'by-photo', keys: { photo: 'B' } },
  ]);
  const order = (id: number): Record<string, AttributeValue> => ({
    id: { N: String(id) },
    day: { S: id <= 4 ? '2026-11-23' : '2026-11-24' },
    created_at: { S: `2026-11-2${id <= 4 ? 3 : 4}T0${id % 10}:00:00Z` },
    store: { N: String((id % 3) + 1) },
    total: { N: String(id * 10) },
    note: { S: `note ${id}` },
    photo: { B: Buffer.from([id, 255]) },
    ...(id % 4 === 0 ? { status: { S: 'OPEN' } } : {}),
  });
  await dynamoDb.put(
    table,
    Array.from({ length: 12 }, (_, index) => order(index + 1)),
  );
  return table;
}

describe('an index', () => {
  test('a sparse one has its items only, in the order of the keys of the table, which identify them', async () => {
    const reading = await read(await orders(), { index: 'by-status', only: ['status'] });
    assert.equal(csv(reading), 'id,status\n4,OPEN\n8,OPEN\n12,OPEN\n');
    assert.deepEqual(reading.keys, ['id']);
  });

  test('an index that projects some attributes has the others as no columns', async () => {
    const reading = await read(await orders(), { index: 'by-store' });
    assert.equal(csv(reading).split('\n')[0], 'id,created_at,store,total');
    assert.equal(keysOf(reading).length, 12);
  });

  test('attributes that it does not project are not requested, which DynamoDB refuses', async (t) => {
    const index = {
      IndexName: 'by-store',
      KeySchema: [{ AttributeName: 'store', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['total'] },
    };
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'DescribeTable' ? described({ more: { GlobalSecondaryIndexes: [index] } }) : page([1]),
    );
    t.after(() => server.close());
    await read('orders', { index: 'by-store', only: ['total', 'note', 'store'], endpoint: server.endpoint });
    const { ExpressionAttributeNames: names } = server.requests.at(-1)!.body;
    assert.deepEqual(Object.values(names as object).sort(), ['id', 'store', 'total']);
  });

  test('is read in parallel segments too', async () => {
    const table = await orders();
    const whole = csv(await read(table, { index: 'by-day' }));
    assert.equal(csv(await read(table, { index: 'by-day', segments: 5 })), whole);
  });

  test('a missing one is an error with the name that was meant', async () => {
    const table = await orders();
    await assert.rejects(read(table, { index: 'by-statsu' }), {
      code: 'INDEX_NOT_FOUND',
      message: `There is no index by-statsu of table ${table} (region eu-test-1, ${dynamoDb.endpoint})`,
      remedy: 'did you mean by-status?',
    });
    await assert.rejects(read(table, { index: 'elsewhere' }), {
      remedy: 'its indexes are by-day, by-photo, by-status, by-store',
    });
  });

  test('a global one cannot be read consistently; a local one can', async () => {
    const table = await dynamoDb.createTable({ id: 'N', at: 'N' }, undefined, [
      { name: 'global', keys: { kind: 'S' } },
      { name: 'local', keys: { id: 'N', kind: 'S' }, isLocal: true },
    ]);
    await dynamoDb.put(table, [{ id: { N: '1' }, at: { N: '1' }, kind: { S: 'a' } }]);
    await assert.rejects(read(table, { index: 'global', consistent: true }), {
      code: 'INDEX_NOT_CONSISTENT',
      remedy: 'remove consistent: true, or read the table',
    });
    assert.equal(csv(await read(table, { index: 'local', consistent: true })), 'id,at,kind\n1,1,a\n');
  });

  test('one that is being created, filled or deleted is an error until it is ready', async (t) => {
    let index: Record<string, unknown> | null = { IndexStatus: 'CREATING' };
    let scans = 0;
    const server = await startScriptedDynamoDb(({ action }) => {
      const described_ = {
        IndexName: 'by-status',
        KeySchema: [{ AttributeName: 'status', KeyType: 'HASH' }],
        ...index,
      };
      if (action === 'DescribeTable')
        return described({ more: { GlobalSecondaryIndexes: index === null ? [] : [described_] } });
      scans += 1;
      if (index === null)
        return {
          error: 'ValidationException',
          message: 'The table does not have the specified index: by-status',
        };
      return page([1]);
    });
    t.after(() => server.close());
    const clock = new ManualClock('2026-11-24T09:00:00Z');
    const source = sourceOf('orders', { index: 'by-status', endpoint: server.endpoint, clock });
    t.after(() => source.close());
    const next = async () => {
      clock.advance(30_000);
      return source.read({ known: [], signal });
    };
    await assert.rejects(next(), {
      code: 'INDEX_NOT_ACTIVE',
      message: /is still being created \(its status is CREATING\)$/,
    });
    index = { IndexStatus: 'ACTIVE', Backfilling: true };
    await assert.rejects(next(), { code: 'INDEX_NOT_ACTIVE', message: /is still being created/ });
    assert.equal(scans, 0);
    index = { IndexStatus: 'ACTIVE' };
    assert.equal(csv(await next()), 'id\n1\n');
    // Deleted between DescribeTable and Scan, whose own error says less.
    index = null;
    await assert.rejects(source.read({ known: [], signal }), { code: 'INDEX_NOT_FOUND' });
    index = { IndexStatus: 'DELETING' };
    await assert.rejects(next(), { code: 'INDEX_NOT_ACTIVE', message: /is being deleted/ });
  });

  test('an item that moves within the index while it is read has one row', async (t) => {
    const index = { IndexName: 'by-status', KeySchema: [{ AttributeName: 'status', KeyType: 'HASH' }] };
    const moved = (status: string) => ({ id: { N: '1' }, status: { S: status } });
    let requests = 0;
    const server = await startScriptedDynamoDb(({ action }) => {
      if (action === 'DescribeTable') return described({ more: { GlobalSecondaryIndexes: [index] } });
      requests += 1;
      return requests === 1
        ? page([moved('NEW'), { id: { N: '2' }, status: { S: 'NEW' } }], { more: true })
        : page([moved('OPEN'), { id: { N: '3' }, status: { S: 'OPEN' } }]);
    });
    t.after(() => server.close());
    const reading = await read('orders', { index: 'by-status', endpoint: server.endpoint });
    assert.deepEqual(keysOf(reading), ['1', '2', '3']);
  });
});

describe('a query', () => {
  test('of several values reads all of their combinations, at the price of these items only', async () => {
    const table = await orders();
    const reading = await read(table, byKey({ store: [1, '2'] }, 'by-store'));
    assert.deepEqual(keysOf(reading), ['1', '3', '4', '6', '7', '9', '10', '12']);
    // moto counts every Query as one unit.
    assert.equal(reading.cost.readCapacityUnits, dynamoDb.emulator === 'moto' ? 2 : 1);
    assert.equal(reading.position, null);
  });

  test('of a day has the date of the time zone', async () => {
    const table = await orders();
    const clock = new ManualClock('2026-11-24T03:00:00Z');
    const on = async (day: string | string[], timeZone: string) =>
      keysOf(await read(table, { ...byKey({ day }, 'by-day'), clock, timeZone }));
    assert.deepEqual(await on('{today}', 'UTC'), ['5', '6', '7', '8', '9', '10', '11', '12']);
    assert.deepEqual(await on('{today}', 'America/New_York'), ['1', '2', '3', '4']);
    assert.deepEqual(await on('{yesterday}', 'UTC'), ['1', '2', '3', '4']);
    assert.equal((await on('{today-1..today}', 'UTC')).length, 12);
    assert.equal((await on(['{today-1}', '{today}', '{today-9}'], 'UTC')).length, 12);
  });

  test('of the table itself, with a range of its sort key', async () => {
    const table = await dynamoDb.createTable({ device: 'S', at: 'N' });
    await dynamoDb.put(
      table,
      [8, 9, 10, 11].map((at) => ({ device: { S: 'a' }, at: { N: String(at) } })),
    );
    const within = async (at: { from?: number; to?: number }) =>
      csv(await read(table, byKey({ device: 'a', at })))
        .split('\n')
        .slice(1, -1);
    assert.deepEqual(await within({ from: 9, to: 10 }), ['a,9', 'a,10']);
    assert.deepEqual(await within({ from: 10 }), ['a,10', 'a,11']);
    assert.deepEqual(await within({ to: 8 }), ['a,8']);
    assert.deepEqual(csv(await read(table, byKey({ device: ['a', 'b'], at: [9, 99] }))), 'device,at\na,9\n');
  });

  test('by text that a sort key begins with, and by binary keys in base64', async () => {
    const table = await orders();
    const begins = byKey({ day: '2026-11-24', created_at: { beginsWith: '{today}T0' } }, 'by-day');
    const clock = new ManualClock('2026-11-24T03:00:00Z');
    assert.equal(keysOf(await read(table, { ...begins, clock })).length, 8);
    const photo = byKey({ photo: [Buffer.from([3, 255]).toString('base64')] }, 'by-photo');
    assert.deepEqual(keysOf(await read(table, photo)), ['3']);
  });

  test('of partitions without items is empty, and keeps the columns that are known', async () => {
    const table = await orders();
    const source = sourceOf(table, byKey({ day: '2020-01-01' }, 'by-day'));
    const known = [
      { name: 'id', type: 'number', seen: true },
      { name: 'total', type: 'number', seen: true },
    ] as const;
    assert.equal(csv(await source.read({ known, signal })), 'id,total\n');
    await source.close();
  });

  test('reads all pages, and hands a large one to threads', async () => {
    const table = await dynamoDb.createTable({ device: 'S', at: 'N' });
    const text = 'x'.repeat(100_000);
    const items = [0, 1].flatMap((device) =>
      Array.from({ length: 30 }, (_, at) => ({
        device: { S: String(device) },
        at: { N: String(at) },
        text: { S: text },
      })),
    );
    for (const item of items) await dynamoDb.put(table, [item]);
    const source = sourceOf(table, byKey({ device: ['0', '1'] }));
    const first = await source.read({ known: [], signal });
    assert.equal(first.rows.ends.length, 60);
    assert.ok(first.cost.requests > 5, `${first.cost.requests} requests`);
    assert.equal(threads.running > 0, true);
    const { columns } = first.rows;
    const second = await source.read({ known: columns, signal });
    assert.deepEqual(csv(second), csv(first));
    await source.close();
  });

  test('an unchanged one returns the rows of the reading before', async () => {
    const source = sourceOf(await orders(), byKey({ day: ['2026-11-23', '2026-11-24'] }, 'by-day'));
    const first = await source.read({ known: [], signal });
    const second = await source.read({ known: first.rows.columns, signal });
    const third = await source.read({ known: second.rows.columns, signal });
    // dynoxide has the attributes of an item in another order each time.
    if (chosenEmulator === 'dynoxide') assert.deepEqual(third.rows.body, second.rows.body);
    else assert.equal(third.rows.body, second.rows.body);
    await source.close();
  });

  test('what does not fit the key is an error that names the option', async () => {
    const table = await orders();
    const wrong = async (key: Parameters<typeof byKey>[0], index: string, message: RegExp, remedy: string) =>
      assert.rejects(read(table, { ...byKey(key, index), entry: 'open-orders' }), {
        code: 'QUERY_KEY_WRONG',
        message,
        remedy,
      });
    await wrong(
      { dayy: 1 },
      'by-day',
      /^tables\.open-orders\.query\.key\.dayy does not fit .*: its key is day, created_at$/,
      'did you mean day?',
    );
    await wrong(
      { store: '{today}' },
      'by-store',
      /key\.store .*"\d{4}-\d\d-\d\d" is not a number/,
      'write dates without signs, such as {today:yyyyMMdd}',
    );
    await wrong(
      { created_at: 'x' },
      'by-day',
      /key has no value for day, the partition key of index by-day/,
      'add day to it',
    );
    await wrong({ day: { from: 'x' } }, 'by-day', /a partition key has no range/, 'list its values');
    await wrong({ photo: 'no base64!' }, 'by-photo', /is not base64/, 'write it as base64');
  });

  test('makes several Queries at a time, up to sixteen', async (t) => {
    const index = { IndexName: 'by-day', KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }] };
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const server = await startScriptedDynamoDb(async ({ action, body }) => {
      if (action === 'DescribeTable') return described({ more: { GlobalSecondaryIndexes: [index] } });
      running += 1;
      most = Math.max(most, running);
      // The first ones are answered when as many have come as are allowed.
      if (most < 16) await new Promise<void>((resolve) => waiting.push(resolve));
      for (const answer of waiting.splice(0)) answer();
      running -= 1;
      const { S } = (body.ExpressionAttributeValues as Record<string, { S: string }>)[':_k0']!;
      return page([Number(S)]);
    });
    t.after(() => server.close());
    const day = Array.from({ length: 40 }, (_, n) => String(n));
    const reading = await read('orders', { ...byKey({ day }, 'by-day'), endpoint: server.endpoint });
    assert.deepEqual(keysOf(reading), day);
    assert.equal(most, 16);
  });

  test('a throttled Query is the error of a throttled Scan, and names the index', async (t) => {
    const index = { IndexName: 'by-day', KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }] };
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'DescribeTable'
        ? described({ more: { GlobalSecondaryIndexes: [index] } })
        : { error: 'ProvisionedThroughputExceededException', message: 'slow down' },
    );
    t.after(() => server.close());
    const deadlines = { silence: 3_000, request: 3_000 };
    await assert.rejects(
      read('orders', { ...byKey({ day: 'x' }, 'by-day'), endpoint: server.endpoint, deadlines }),
      {
        code: 'TABLE_THROTTLED',
        message: /^DynamoDB throttles the reading of index by-day of table orders/,
      },
    );
  });

  test('a denied one names the action and the index to allow', async (t) => {
    const index = { IndexName: 'by-day', KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }] };
    const reason =
      'User: arn:aws:iam::1:user/a is not authorized to perform: dynamodb:Query on resource: arn:aws:dynamodb:us-east-1:1:table/orders/index/by-day because no identity-based policy allows the dynamodb:Query action';
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'DescribeTable'
        ? described({ more: { GlobalSecondaryIndexes: [index] } })
        : { error: 'AccessDeniedException', message: reason },
    );
    t.after(() => server.close());
    await assert.rejects(read('orders', { ...byKey({ day: 'x' }, 'by-day'), endpoint: server.endpoint }), {
      code: 'TABLE_ACCESS_DENIED',
      remedy: 'allow the action dynamodb:Query on this index in IAM (docs/iam.md)',
    });
  });
});

describe('a filter', () => {
  const open = { expression: '#s = :open', names: { '#s': 'status' }, values: { ':open': { S: 'OPEN' } } };

  test('keeps the items that it holds for; the others are read and billed', async () => {
    const table = await orders();
    const { logger, lines } = logLines('info');
    const filtered = await read(table, { filter: open, logger });
    assert.deepEqual(keysOf(filtered), ['4', '8', '12']);
    assert.equal(filtered.cost.readCapacityUnits, (await read(table)).cost.readCapacityUnits);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['the filter saves transfer, not read units: DynamoDB bills the items that it leaves out too'],
    );
  });

  test('goes with only, an index and a query', async () => {
    const table = await orders();
    const options = { filter: open, only: ['total'] };
    assert.equal(csv(await read(table, options)), 'id,total\n4,40\n8,80\n12,120\n');
    assert.equal(
      csv(await read(table, { ...options, index: 'by-day', segments: 3 })),
      'id,total\n4,40\n8,80\n12,120\n',
    );
    assert.equal(
      csv(await read(table, { ...options, ...byKey({ day: '2026-11-24' }, 'by-day') })),
      'id,total\n8,80\n12,120\n',
    );
  });

  test('a reserved word in it is an error with what to write', async () => {
    const filter = { expression: 'status = :open', names: {}, values: { ':open': { S: 'OPEN' } } };
    await assert.rejects(read(await orders(), { filter }), {
      message: /reserved keyword: status$/,
      remedy: "write #status in filter.expression, and '#status': status in filter.names",
    });
  });
});
