/** The stand-in's streams, as an application of DynamoDB Streams sees them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams';
import { type LocalDynamoDb, startDynamoDb } from '../../src/demo/dynamodb.js';
import { TableStream } from '../../src/demo/streams/stream.js';
import { useTestAws } from '../support/aws.js';

const HOUR = 3_600_000;
let now = Date.parse('2026-11-24T09:00:00.700Z');
let database: LocalDynamoDb;
let client: DynamoDBClient;
let streams: DynamoDBStreamsClient;
let table = '';
let tables = 0;

before(async () => {
  useTestAws();
  database = await startDynamoDb({ now: () => now, sleep: async () => undefined });
  client = new DynamoDBClient({ endpoint: database.endpoint });
  streams = new DynamoDBStreamsClient({ endpoint: database.endpoint });
});
after(async () => {
  client.destroy();
  streams.destroy();
  await database.close();
});
beforeEach(async () => {
  table = `orders-${++tables}`;
  await create('NEW_AND_OLD_IMAGES');
});

async function create(StreamViewType: StreamViewType) {
  const command = new CreateTableCommand({
    TableName: table,
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamEnabled: true, StreamViewType },
  });
  return (await client.send(command)).TableDescription!;
}

const item = (id: string, count: number): Record<string, AttributeValue> => ({
  id: { S: id },
  count: { N: String(count) },
});
const put = (id: string, count: number) =>
  client.send(new PutItemCommand({ TableName: table, Item: item(id, count) }));
const remove = (id: string) =>
  client.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: id } } }));
const description = async () => (await client.send(new DescribeTableCommand({ TableName: table }))).Table!;
const arn = async () => (await description()).LatestStreamArn!;

async function shards(): Promise<string[]> {
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: await arn() }));
  return StreamDescription!.Shards!.map(({ ShardId }) => ShardId!);
}

async function iterator(type: ShardIteratorType, shard?: string, SequenceNumber?: string): Promise<string> {
  const ShardId = shard ?? (await shards())[0];
  const command = { StreamArn: await arn(), ShardId, ShardIteratorType: type, SequenceNumber };
  return (await streams.send(new GetShardIteratorCommand(command))).ShardIterator!;
}

const get = (ShardIterator: string | undefined, Limit?: number) =>
  streams.send(new GetRecordsCommand({ ShardIterator, Limit }));

async function records(type: ShardIteratorType = 'TRIM_HORIZON'): Promise<readonly _Record[]> {
  return (await get(await iterator(type))).Records!;
}

/** `INSERT a - 1`: the counts before and after. */
function told({ eventName, dynamodb }: _Record): string {
  const { Keys, OldImage, NewImage } = dynamodb!;
  const count = (image: typeof NewImage) => image?.count?.N ?? '-';
  return `${eventName} ${Keys!.id!.S} ${count(OldImage)} ${count(NewImage)}`;
}

describe('the stand-in for DynamoDB Streams', () => {
  it('describes a table with its stream, and lists the stream', async () => {
    const { LatestStreamArn, LatestStreamLabel, StreamSpecification } = await description();
    assert.deepEqual(StreamSpecification, { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' });
    assert.match(LatestStreamArn!, new RegExp(`:table/${table}/stream/${LatestStreamLabel}$`));
    const { Streams } = await streams.send(new ListStreamsCommand({ TableName: table }));
    assert.deepEqual(Streams, [
      { StreamArn: LatestStreamArn, StreamLabel: LatestStreamLabel, TableName: table },
    ]);
    const first = await streams.send(new ListStreamsCommand({ Limit: 1 }));
    const start = { ExclusiveStartStreamArn: first.LastEvaluatedStreamArn };
    const rest = tables === 1 ? { Streams: [] } : await streams.send(new ListStreamsCommand(start));
    assert.equal([...first.Streams!, ...rest.Streams!].filter((one) => one.TableName === table).length, 1);
  });

  it('has a record of whatever changes an item, and of nothing else', async () => {
    await put('a', 1);
    await put('a', 1); // the same
    const Key = { id: { S: 'a' } };
    const change = {
      TableName: table,
      Key,
      UpdateExpression: 'ADD #c :one',
      ExpressionAttributeNames: { '#c': 'count' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    await client.send(new UpdateItemCommand(change));
    const refused = { ...change, ConditionExpression: 'attribute_not_exists(id)' };
    await assert.rejects(client.send(new UpdateItemCommand(refused)), {
      name: 'ConditionalCheckFailedException',
    });
    const writes = [{ PutRequest: { Item: item('b', 7) } }, { DeleteRequest: { Key } }];
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: writes } }));
    await remove('nobody');
    const found = await records();
    assert.deepEqual(found.map(told), ['INSERT a - 1', 'MODIFY a 1 2', 'INSERT b - 7', 'REMOVE a 2 -']);
    const { eventSource, awsRegion, dynamodb } = found[0]!;
    assert.deepEqual([eventSource, awsRegion], ['aws:dynamodb', 'eu-test-1']);
    assert.equal(dynamodb!.ApproximateCreationDateTime!.getTime(), now - (now % 1_000), 'whole seconds');
    const sequence = found.map((record) => record.dynamodb!.SequenceNumber!);
    assert.deepEqual(sequence, [...new Set(sequence)].sort());
    assert.ok(sequence.every((number) => /^\d{21}$/.test(number)));
  });

  it('writes at the same time have their own images', async () => {
    const add = {
      TableName: table,
      Key: { id: { S: 'a' } },
      UpdateExpression: 'ADD #c :one',
      ExpressionAttributeNames: { '#c': 'count' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    await Promise.all(Array.from({ length: 8 }, () => client.send(new UpdateItemCommand(add))));
    const expected = [1, 2, 3, 4, 5, 6, 7].map((count) => `MODIFY a ${count} ${count + 1}`);
    assert.deepEqual((await records()).map(told), ['INSERT a - 1', ...expected]);
  });

  it('has the images of its view type', async () => {
    const expected = {
      NEW_IMAGE: ['INSERT a - 1', 'MODIFY a - 2', 'REMOVE a - -'],
      OLD_IMAGE: ['INSERT a - -', 'MODIFY a 1 -', 'REMOVE a 2 -'],
      KEYS_ONLY: ['INSERT a - -', 'MODIFY a - -', 'REMOVE a - -'],
    } as const;
    for (const [viewType, changes] of Object.entries(expected)) {
      table = `orders-${++tables}`;
      await create(viewType as StreamViewType);
      await put('a', 1);
      await put('a', 2);
      await remove('a');
      assert.deepEqual((await records()).map(told), changes, viewType);
    }
  });

  it('begins where the type of an iterator says, and gives at most as many as are asked for', async () => {
    for (let count = 1; count <= 4; count += 1) await put('a', count);
    const sequence = (await records()).map(({ dynamodb }) => dynamodb!.SequenceNumber!);
    const from = async (type: ShardIteratorType, number?: string) =>
      (await get(await iterator(type, undefined, number))).Records!.length;
    assert.deepEqual(
      [
        await from('TRIM_HORIZON'),
        await from('AT_SEQUENCE_NUMBER', sequence[2]),
        await from('AFTER_SEQUENCE_NUMBER', sequence[2]),
        await from('LATEST'),
      ],
      [4, 2, 1, 0],
    );
    const first = await get(await iterator('TRIM_HORIZON'), 3);
    const second = await get(first.NextShardIterator, 3);
    assert.deepEqual([first.Records!.length, second.Records!.length], [3, 1]);
    await put('b', 1);
    assert.deepEqual((await get(second.NextShardIterator)).Records!.map(told), ['INSERT b - 1']);
  });

  it('closes a shard after some hours, and another one continues it', async () => {
    await put('a', 1);
    const reading = await iterator('TRIM_HORIZON');
    const [parent] = await shards();
    now += 4 * HOUR;
    await put('a', 2);
    const StreamArn = await arn();
    const first = await streams.send(new DescribeStreamCommand({ StreamArn, Limit: 1 }));
    const { Shards, LastEvaluatedShardId } = first.StreamDescription!;
    assert.equal(LastEvaluatedShardId, parent);
    assert.ok(Shards![0]!.SequenceNumberRange!.EndingSequenceNumber);
    const page = { StreamArn, ExclusiveStartShardId: parent };
    const second = (await streams.send(new DescribeStreamCommand(page))).StreamDescription!;
    assert.equal(second.LastEvaluatedShardId, undefined);
    const [child] = second.Shards!;
    assert.equal(child!.ParentShardId, parent);
    await assert.rejects(get(reading), { name: 'ExpiredIteratorException' });
    const ended = await get(await iterator('TRIM_HORIZON', parent));
    assert.deepEqual([ended.Records!.map(told), ended.NextShardIterator], [['INSERT a - 1'], undefined]);
    const open = await get(await iterator('TRIM_HORIZON', child!.ShardId));
    assert.deepEqual(open.Records!.map(told), ['MODIFY a 1 2']);
    assert.ok(open.NextShardIterator);
  });

  it('keeps records for a day, and iterators for fifteen minutes', async () => {
    await put('a', 1);
    const [shard] = await shards();
    const { SequenceNumber } = (await records())[0]!.dynamodb!;
    const early = await iterator('TRIM_HORIZON');
    now += 15 * 60_000;
    assert.equal((await get(early)).Records!.length, 1);
    now += 1;
    await assert.rejects(get(early), { name: 'ExpiredIteratorException' });
    now += 3 * HOUR;
    await put('a', 2);
    now += 21 * HOUR;
    const type = 'AFTER_SEQUENCE_NUMBER';
    const late = iterator('AT_SEQUENCE_NUMBER', shard, SequenceNumber);
    await assert.rejects(late, { name: 'TrimmedDataAccessException' });
    assert.deepEqual((await get(await iterator(type, shard, SequenceNumber))).Records!.map(told), [
      'MODIFY a 1 2',
    ]);
    now += 8 * HOUR;
    await assert.rejects(iterator('TRIM_HORIZON', shard), { name: 'ResourceNotFoundException' });
  });

  it('tells what it deletes by time to live from what a person deletes', async () => {
    const TimeToLiveSpecification = { AttributeName: 'count', Enabled: true };
    const enable = new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification });
    await client.send(enable);
    await assert.rejects(client.send(enable), { name: 'ValidationException', message: /already enabled/ });
    const asked = await client.send(new DescribeTimeToLiveCommand({ TableName: table }));
    assert.deepEqual(asked.TimeToLiveDescription, { AttributeName: 'count', TimeToLiveStatus: 'ENABLED' });
    const seconds = Math.floor(now / 1_000);
    await put('over', seconds);
    await put('not yet', seconds + 1);
    await put('by hand', seconds);
    await remove('by hand');
    await database.expire();
    const removed = (await records()).filter(({ eventName }) => eventName === 'REMOVE');
    assert.deepEqual(
      removed.map(({ dynamodb, userIdentity }) => [dynamodb!.Keys!.id!.S, userIdentity?.PrincipalId]),
      [
        ['by hand', undefined],
        ['over', 'dynamodb.amazonaws.com'],
      ],
    );
  });

  it('is enabled and disabled, and stays to be read for a day after', async () => {
    await put('a', 1);
    const first = await arn();
    const update = (StreamEnabled: boolean) =>
      client.send(
        new UpdateTableCommand({
          TableName: table,
          StreamSpecification: { StreamEnabled, ...(StreamEnabled ? { StreamViewType: 'KEYS_ONLY' } : {}) },
        }),
      );
    await assert.rejects(update(true), {
      name: 'ValidationException',
      message: /already has an enabled stream/,
    });
    await update(false);
    assert.equal((await description()).StreamSpecification, undefined);
    await put('a', 2);
    const { TableDescription } = await update(true);
    assert.notEqual(TableDescription!.LatestStreamArn, first);
    assert.equal(TableDescription!.StreamSpecification!.StreamViewType, 'KEYS_ONLY');
    await put('a', 3);
    assert.deepEqual((await records()).map(told), ['MODIFY a - -']);
    const old = async () =>
      (await streams.send(new DescribeStreamCommand({ StreamArn: first }))).StreamDescription!;
    const { StreamStatus, Shards } = await old();
    assert.equal(StreamStatus, 'DISABLED');
    const start = {
      StreamArn: first,
      ShardId: Shards![0]!.ShardId,
      ShardIteratorType: 'TRIM_HORIZON',
    } as const;
    const { ShardIterator } = await streams.send(new GetShardIteratorCommand(start));
    const { Records, NextShardIterator } = await get(ShardIterator);
    assert.deepEqual([Records!.map(told), NextShardIterator], [['INSERT a - 1'], undefined]);
    now += 25 * HOUR;
    await assert.rejects(old, { name: 'ResourceNotFoundException' });
  });

  it('keeps only so many records', () => {
    const keySchema = [{ AttributeName: 'id', KeyType: 'HASH' }];
    const about = { name: 'orders', arn: 'arn:aws:dynamodb:eu-test-1:0:table/orders', keySchema };
    const stream = new TableStream(about, 'KEYS_ONLY', now);
    for (let count = 0; count < 101_000; count += 1)
      stream.add(
        { key: { id: { S: 'a' } }, before: null, after: { count: { N: String(count) } }, isExpiry: false },
        now,
      );
    const [shard] = stream.shards(now);
    assert.ok(shard!.length <= 100_000 && shard!.length > 98_000, String(shard!.length));
    assert.throws(() => shard!.read(shard!.begin, 1), { code: 'TrimmedDataAccessException' });
    assert.equal(shard!.read(shard!.horizon, 1_000).records.length, 1_000);
  });

  it('refuses what AWS refuses', async () => {
    const StreamArn = await arn();
    const [ShardId] = await shards();
    const start = (more: object) =>
      streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'LATEST', ...more }));
    await assert.rejects(start({ ShardIteratorType: 'AT_SEQUENCE_NUMBER' }), { name: 'ValidationException' });
    await assert.rejects(start({ ShardId: 'shardId-00000000000000000000-00000000' }), {
      name: 'ResourceNotFoundException',
    });
    await assert.rejects(start({ StreamArn: `${StreamArn}0` }), { name: 'ResourceNotFoundException' });
    await assert.rejects(get('nonsense'), { name: 'ValidationException' });
    await assert.rejects(get(await iterator('LATEST'), 1_001), { name: 'ValidationException' });
    await client.send(new DeleteTableCommand({ TableName: table }));
    await assert.rejects(put('a', 1), { name: 'ResourceNotFoundException' });
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
    assert.equal(StreamDescription!.StreamStatus, 'DISABLED');
  });
});
