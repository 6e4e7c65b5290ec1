/**
 * Requests for pages go around the SDK's functions from the second one on. Whatever DynamoDB answers, that must not make a
 * difference: each case is asked of a client that has not made a request yet, and of one that has.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoDbClient } from '../../../src/sources/dynamodb/client.js';
import { pageOf } from '../../../src/sources/dynamodb/page.js';
import { useTestAws } from '../../support/aws.js';
import { hang } from '../../support/hanging-server.js';

useTestAws();
process.env.AWS_MAX_ATTEMPTS = '2';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (response: ServerResponse) => void;

/** A server that gives one answer after the other. */
async function start(t: TestContext) {
  const received: Received[] = [];
  const script: Answer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    (script.shift() ?? page())(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createDynamoDbClient({
    region: null,
    endpoint,
    // Nothing but the body that stalls is silent for so long.
    deadlines: { silence: 2_000, request: 60_000 },
  });
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { client, received, script };
}

function sendBody(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': 'R1',
    ...headers,
  });
  response.end(body);
}

const PAGE = JSON.stringify({
  Items: [{ id: { N: '1' }, name: { S: 'ü'.repeat(200_000) } }],
  Count: 1,
  ScannedCount: 1,
  ConsumedCapacity: { TableName: 't', CapacityUnits: 0.5 },
  LastEvaluatedKey: { id: { B: 'AP8+' } },
});

function page(headers: Record<string, string> = {}): Answer {
  return (response) => sendBody(response, 200, PAGE, headers);
}

function refusal(name: string, status = 400, headers: Record<string, string> = {}): Answer {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: `no: ${name}` });
  return (response) => sendBody(response, status, body, headers);
}

const KEY = { id: { B: Buffer.from([0, 255, 62]) } };
const SCAN = { TableName: 't', ReturnConsumedCapacity: 'TOTAL', ExclusiveStartKey: KEY } as const;

/** What a caller sees of a request. */
async function outcomeOf(
  client: Awaited<ReturnType<typeof start>>['client'],
  command = new ScanCommand(SCAN),
) {
  try {
    const answer = await client.send(command);
    const { bytes, page: received } = pageOf(answer);
    const { httpStatusCode, requestId, attempts } = answer.$metadata;
    const metadata = { httpStatusCode, requestId, attempts };
    const items = createHash('sha256')
      .update(received.bytes.subarray(received.start, received.end))
      .digest('hex');
    return { ...answer, $metadata: metadata, bytes, items };
  } catch (thrown) {
    const {
      name,
      message,
      code,
      $metadata = {},
    } = thrown as Error & {
      code?: string;
      $metadata?: { httpStatusCode?: number; attempts?: number };
    };
    const metadata = { status: $metadata.httpStatusCode, attempts: $metadata.attempts };
    return { name, message, code, metadata };
  }
}

const CASES: readonly (readonly [string, readonly Answer[]])[] = [
  ['a page', [page()]],
  ['a page whose checksum is wrong', [page({ 'x-amz-crc32': '1' })]],
  ['throttling, then a page', [refusal('ProvisionedThroughputExceededException'), page()]],
  [
    'throttling without end',
    [refusal('ProvisionedThroughputExceededException'), refusal('ProvisionedThroughputExceededException')],
  ],
  ['an error of the service, then a page', [refusal('InternalServerError', 500), page()]],
  ['a request that is not valid', [refusal('ValidationException')]],
  ['a table that does not exist', [refusal('ResourceNotFoundException')]],
  ['an expired token', [refusal('ExpiredTokenException')]],
  ['access denied', [refusal('AccessDeniedException')]],
  ['no JSON', [(response) => sendBody(response, 200, '<html>')]],
  ['no JSON, and an error', [(response) => sendBody(response, 503, '<html>'), page()]],
  ['Items that are none', [(response) => sendBody(response, 200, '{"Items":{}}')]],
  ['an empty answer', [(response) => sendBody(response, 200, '')]],
  ['a connection that breaks before the answer, then a page', [(response) => response.destroy(), page()]],
  ['a connection that breaks within the body, then a page', [(response) => breakWithin(response), page()]],
  ['connections that always break within the body', [breakWithin, breakWithin]],
  ['a body that stalls, then a page', [(response) => hang(response, 'a body that stalls'), page()]],
];

function breakWithin(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': PAGE.length });
  response.write(PAGE.slice(0, 100_000), () => response.destroy());
}

describe('a client that has received a page has the same outcome as one that has not', () => {
  for (const [what, answers] of CASES) {
    test(what, async (t) => {
      const first = await start(t);
      const later = await start(t);
      await outcomeOf(later.client);
      later.received.length = 0;
      first.script.push(...answers);
      later.script.push(...answers);
      assert.deepEqual(await outcomeOf(later.client), await outcomeOf(first.client));
      assert.equal(later.received.length, first.received.length);
      for (const [index, request] of later.received.entries())
        assert.deepEqual(lasting(request), lasting(first.received[index]!));
    });
  }
});

/** A request without what differs each time, and without the order of members. */
function lasting({ headers, body }: Received) {
  const { authorization = '', 'amz-sdk-invocation-id': id, ...others } = headers;
  assert.match(String(id), /^[\da-f-]{36}$/);
  for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256']) delete others[name];
  return { ...others, signed: /SignedHeaders=[^,]*/.exec(authorization)?.[0], body: JSON.parse(body) };
}

test('each request is signed for what it asks, with the credentials of the moment', async (t) => {
  const { client, received } = await start(t);
  process.env.AWS_SESSION_TOKEN = 'token';
  t.after(() => delete process.env.AWS_SESSION_TOKEN);
  const query = {
    TableName: 't',
    KeyConditionExpression: 'id = :id',
    ExpressionAttributeValues: { ':id': { B: Uint8Array.of(1, 2) } },
  };
  for (let round = 0; round < 3; round += 1) {
    await outcomeOf(client, new ScanCommand({ ...SCAN, Segment: round, TotalSegments: 3 }));
    await outcomeOf(client, new QueryCommand(query) as unknown as ScanCommand);
  }
  assert.equal(received.length, 6);
  for (const request of received) {
    assert.equal(request.headers['x-amz-security-token'], 'token');
    assert.equal(
      signatureOf(request, process.env.AWS_SECRET_ACCESS_KEY!),
      /Signature=(\w+)/.exec(request.headers.authorization!)![1],
    );
  }
  const queries = received.filter(({ headers }) => headers['x-amz-target']!.includes('Query'));
  assert.deepEqual(
    queries.map(({ body }) => JSON.parse(body).ExpressionAttributeValues),
    queries.map(() => ({ ':id': { B: 'AQI=' } })),
  );
  assert.deepEqual(
    received.filter((request) => !queries.includes(request)).map(({ body }) => JSON.parse(body).Segment),
    [0, 1, 2],
  );
});

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureOf({ headers, body }: Received, secret: string): string {
  const [, scope, names] = /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+)/.exec(headers.authorization!)!;
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const lines = names!.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${hash(body)}`;
  const key = scope!.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, `AWS4-HMAC-SHA256\n${headers['x-amz-date']}\n${scope}\n${hash(canonical)}`).toString(
    'hex',
  );
}

test('once DynamoDB has said that the clock is wrong, requests are signed for its time', async (t) => {
  const { client, received, script } = await start(t);
  await outcomeOf(client);
  const ahead = new Date(Date.now() + 3_600_000).toUTCString();
  script.push(refusal('InvalidSignatureException', 400, { date: ahead }), page({ date: ahead }));
  await outcomeOf(client);
  await outcomeOf(client);
  const times = received.map(({ headers }) => timeOf(String(headers['x-amz-date'])));
  const hoursLater = times.map((time) => Math.round((time - times[0]!) / 3_600_000));
  assert.deepEqual(hoursLater, [0, 0, 1, 1]);
});

/** `20261124T093000Z` in milliseconds since the epoch. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

test('requests wait while the SDK holds them back after throttling', async (t) => {
  const { client, script } = await start(t);
  await outcomeOf(client);
  let asked = 0;
  const strategy = (await client.config.retryStrategy()) as {
    acquireInitialRetryToken: (scope: string) => unknown;
  };
  const acquire = strategy.acquireInitialRetryToken.bind(strategy);
  strategy.acquireInitialRetryToken = (scope) => {
    asked += 1;
    return acquire(scope);
  };
  script.push(page(), page());
  await outcomeOf(client);
  await outcomeOf(client);
  assert.equal(asked, 2);
});
