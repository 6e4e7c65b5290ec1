import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Attribute values by name, as DynamoDB writes them. */
export type WireItem = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Answers a Scan. `honest` is what DynamoDB would have said. */
export type Answer = (response: ServerResponse, honest: Buffer, startKey: unknown) => unknown;

/** A table of a DynamoDB that can be told to misbehave. Its partition key is `id`, a number. */
export interface HostileTable {
  /** Scans begun so far; the items of Scan `n` are `items(n)`. */
  scans: number;
  readonly items: (scan: number) => readonly WireItem[];
  answer: Answer;
}

export interface HostileDynamoDb {
  readonly endpoint: string;
  /** All tables made so far. */
  readonly tables: readonly HostileTable[];
  table(name: string, items: (scan: number) => readonly WireItem[]): HostileTable;
  close(): Promise<void>;
}

/** What a well-behaved table does. */
export const honestly: Answer = (response, honest) => send(response, honest);

export function send(response: ServerResponse, body: Buffer | string, status = 200): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

/** Starts a DynamoDB on a free port of the loopback interface, over real sockets. */
export async function startHostileDynamoDb(): Promise<HostileDynamoDb> {
  const tables = new Map<string, HostileTable>();
  const all: HostileTable[] = [];
  const server = createServer(async (request, response) => {
    // A client that gives up in the middle of an answer is what some attacks are about.
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const table = tables.get(String(body.TableName));
    if (table === undefined) return send(response, error('ResourceNotFoundException'), 400);
    if (String(request.headers['x-amz-target']).endsWith('.DescribeTable')) {
      return send(response, JSON.stringify(described(String(body.TableName))));
    }
    if (body.ExclusiveStartKey === undefined) table.scans++;
    const items = table.items(table.scans);
    const page = { Items: items, Count: items.length, ConsumedCapacity: { CapacityUnits: 0.5 } };
    await table.answer(response, Buffer.from(JSON.stringify(page)), body.ExclusiveStartKey);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tables: all,
    table: (name, items) => {
      const table = { scans: 0, items, answer: honestly };
      tables.set(name, table);
      all.push(table);
      return table;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function described(TableName: string): object {
  return {
    Table: {
      TableName,
      TableStatus: 'ACTIVE',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
      ItemCount: 0,
      TableSizeBytes: 0,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    },
  };
}

export function error(name: string, message = 'made up'): string {
  return JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message });
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };

/** The first `length` bytes of an answer that promises all of it. */
function begin(response: ServerResponse, honest: Buffer, length: number): void {
  response.writeHead(200, { ...JSON_TYPE, 'content-length': honest.length });
  response.write(honest.subarray(0, length));
}

/** A page with a last key, as DynamoDB sends it when there are more. */
function more(honest: Buffer, LastEvaluatedKey: unknown): string {
  return JSON.stringify({ ...JSON.parse(honest.toString()), LastEvaluatedKey });
}

/** Answers without an end: each must become an error of its table. */
export const ENDLESS: Readonly<Record<string, Answer>> = {
  'says nothing': () => undefined,
  'stalls in the body': (response, honest) => begin(response, honest, honest.length / 2),
  'sends a byte every half second': async (response, honest) => {
    begin(response, honest, 0);
    for (const byte of honest) {
      if (response.destroyed) return;
      response.write(Buffer.of(byte));
      await delay(500);
    }
    response.end();
  },
  'repeats the last key': (response, honest) => send(response, more(honest, { id: { N: '1' } })),
  'sends an empty last key': (response, honest) => send(response, more(honest, {})),
  'never runs out of pages': (response, honest, startKey) => {
    const last = Number((startKey as { id?: { N: string } } | undefined)?.id?.N ?? 0);
    const Items = Array.from({ length: 500 }, (_, index) => ({
      id: { N: String(last + index + 1) },
      filler: { S: 'x'.repeat(200) },
    }));
    const page = {
      ...JSON.parse(honest.toString()),
      Items,
      LastEvaluatedKey: { id: { N: String(last + 500) } },
    };
    send(response, JSON.stringify(page));
  },
};

/** Refusals and answers that are not DynamoDB's: each must become an error of its table. */
export const WRONG: Readonly<Record<string, Answer>> = {
  'closes the connection': (response) => response.socket!.destroy(),
  'resets the connection': (response) => response.socket!.resetAndDestroy(),
  'cuts the answer off': (response, honest) => {
    begin(response, honest, honest.length / 2);
    setImmediate(() => response.socket?.destroy());
  },
  throttles: (response) => send(response, error('ProvisionedThroughputExceededException'), 400),
  'denies access': (response) => send(response, error('AccessDeniedException'), 400),
  'has an internal error': (response) => send(response, '', 500),
  'is a web page': (response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Sign in</title>');
  },
  redirects: (response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:9/' });
    response.end();
  },
  'is half a document': (response, honest) => send(response, honest.subarray(0, honest.length / 2)),
  'is nested 100,000 levels deep': (response) =>
    send(
      response,
      `{"Items":[{"id":{"N":"1"},"deep":${'{"L":['.repeat(1e5)}${']}'.repeat(1e5)}}],"Count":1}`,
    ),
  'has an item without its key': (response) =>
    send(response, JSON.stringify({ Items: [{ other: { S: 'x' } }], Count: 1 })),
  'has a key of another type': (response) =>
    send(response, JSON.stringify({ Items: [{ id: { S: 'x' } }], Count: 1 })),
  'has a number that is none': (response) =>
    send(response, JSON.stringify({ Items: [{ id: { N: '1,5; DROP' } }], Count: 1 })),
};
