import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DescribeTableCommand, ResourceNotFoundException, ScanCommand } from '@aws-sdk/client-dynamodb';
import { attributeToCell } from '../../../src/sources/dynamodb/attributes.js';
import { createDynamoDbClient } from '../../../src/sources/dynamodb/client.js';
import { pageOf } from '../../../src/sources/dynamodb/page.js';
import { useTestAws } from '../../support/aws.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';

useTestAws();

/*
 * The client relies on three things of the SDK that a release may change. Each has a test here that says so; readings
 * stay right even then, only slower.
 */

test('the SDK uses our codec for the response to a Scan: the items stay the bytes received', async () => {
  const items = [{ id: { N: '1' }, b: { B: 'AP8+' } }];
  const server = await startScriptedDynamoDb(() => page(items));
  const client = createDynamoDbClient({ region: null, endpoint: server.endpoint });
  const answer = await client.send(new ScanCommand({ TableName: 'scripted' }));
  client.destroy();
  await server.close();
  const { bytes, start, end } = pageOf(answer).page;
  assert.equal(`[${bytes.toString('utf8', start, end)}]`, JSON.stringify(items));
  assert.deepEqual(answer.Items, []);
  assert.equal(answer.ConsumedCapacity?.CapacityUnits, 0.5);
});

test('should the SDK use its own codec, its items become the same bytes', () => {
  const { bytes, start, end } = pageOf({
    Items: [{ id: { N: '1' }, b: { B: Uint8Array.of(0, 255, 62) } }],
  }).page;
  assert.equal(bytes.toString('utf8', start, end), '{"id":{"N":"1"},"b":{"B":"AP8+"}}');
});

test('should the SDK use its own codec, binary comes as bytes and the cell is the same', () => {
  assert.equal(attributeToCell({ B: Uint8Array.from([0, 255, 62]) }), attributeToCell({ B: 'AP8+' }));
  assert.equal(
    attributeToCell({ L: [{ BS: [Uint8Array.of(2), Uint8Array.of(1)] }] }),
    attributeToCell({ L: [{ BS: ['Ag==', 'AQ=='] }] }),
  );
});

test('other answers and errors are the SDK’s own: dates, classes of errors', async () => {
  const server = await startScriptedDynamoDb(({ body }) => {
    if (body.TableName === 'missing') return { error: 'ResourceNotFoundException', message: 'none' };
    const answer = described() as { ok: { Table: object } };
    return { ok: { Table: { ...answer.ok.Table, CreationDateTime: 1_700_000_000 } } };
  });
  const client = createDynamoDbClient({ region: null, endpoint: server.endpoint });
  const { Table } = await client.send(new DescribeTableCommand({ TableName: 'scripted' }));
  assert.deepEqual(Table?.CreationDateTime, new Date(1_700_000_000_000));
  await assert.rejects(client.send(new ScanCommand({ TableName: 'missing' })), ResourceNotFoundException);
  client.destroy();
  await server.close();
});

test('the logger middleware is removed, and retries are adaptive', async () => {
  const client = createDynamoDbClient({ region: 'eu-test-1', endpoint: 'http://127.0.0.1:1' });
  assert.ok(!client.middlewareStack.identify().some((name) => name.includes('loggerMiddleware')));
  assert.ok(client.middlewareStack.identify().some((name) => name.includes('retryMiddleware')));
  const strategy = await client.config.retryStrategy();
  assert.equal((strategy as { mode?: string }).mode, 'adaptive');
  client.destroy();
});
