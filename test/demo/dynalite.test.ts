import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynalite } from '../../src/demo/dynalite.js';
import { TEST_AWS, useTestAws } from '../support/aws.js';

test('dynalite ends while it computes answers, also for clients that have gone', async (t) => {
  useTestAws();
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', note);
  t.after(() => process.off('uncaughtException', note));
  for (let life = 0; life < 20; life += 1) {
    const { endpoint, close } = await startDynalite();
    const client = new DynamoDBClient({ endpoint });
    await client.send(
      new CreateTableCommand({
        TableName: 'orders',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    const answered: Promise<unknown>[] = [];
    for (let request = 0; request < 20; request += 1) {
      const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      answered.push(new Promise((resolve) => socket.once('close', resolve)));
      socket.write(scanRequest());
      if (request % 2 === 0) socket.destroy();
    }
    // As far into the answers as chance will have it.
    for (let turn = 0; turn < life; turn += 1) await new Promise(setImmediate);
    await close();
    await Promise.all(answered);
    client.destroy();
  }
  await new Promise(setImmediate);
  assert.deepEqual(uncaught, []);
});

function scanRequest(): string {
  const body = '{"TableName":"orders"}';
  const credential = `${TEST_AWS.AWS_ACCESS_KEY_ID}/20261124/${TEST_AWS.AWS_REGION}/dynamodb/aws4_request`;
  return [
    'POST / HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-amz-json-1.0',
    'X-Amz-Target: DynamoDB_20120810.Scan',
    'X-Amz-Date: 20261124T000000Z',
    `Authorization: AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=0`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
