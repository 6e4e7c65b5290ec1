import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, systemClock } from '../../base/clock.js';
import { SerialQueue } from '../../base/serial-queue.js';
import { DynamoDbFailure } from './failure.js';
import type { Item } from './stream.js';
import { type Body, StreamsApi } from './streams-api.js';
import { StreamTables } from './tables.js';
import { type Answer, Upstream } from './upstream.js';
import { keyOf, type Touched, touchedBy } from './writes.js';

/** Milliseconds between two looks for items whose time to live is over. With AWS it can take days. */
const EXPIRE_EVERY = 5_000;
const STREAMS = 'DynamoDBStreams_20120810';

/** A DynamoDB with streams and time to live. */
export interface StreamingDynamoDb {
  /** Of DynamoDB and of DynamoDB Streams. */
  readonly endpoint: string;
  /** Deletes the items whose time to live is over, as happens every few seconds anyway. */
  expire(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A server on a free loopback port in front of a DynamoDB that has no streams. It passes requests on, and makes a record
 * of each item that they change; it answers DynamoDB Streams itself, and deletes items by their time to live. What is
 * written past it is in no stream. Signatures are not checked.
 */
export async function startStreams(
  dynamoDb: string,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<StreamingDynamoDb> {
  const streams = new Streams(dynamoDb, clock);
  const server = createServer((request, response) => {
    streams.handle(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // A DynamoDB that does not answer is told to those who write: here it is tried again.
  const expiring = setInterval(() => void streams.expire().catch(() => undefined), EXPIRE_EVERY);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    expire: () => streams.expire(),
    close: async () => {
      clearInterval(expiring);
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      streams.close();
    },
  };
}

class Streams {
  readonly #upstream: Upstream;
  readonly #api: StreamsApi;
  readonly #tables: StreamTables;
  readonly #clock: Clock;
  /** One write to tables with streams at a time: between an item's images there must not be another one. */
  readonly #writes = new SerialQueue();

  constructor(dynamoDb: string, clock: Clock) {
    this.#upstream = new Upstream(dynamoDb);
    this.#api = new StreamsApi(clock);
    this.#tables = new StreamTables(this.#upstream, this.#api, clock);
    this.#clock = clock;
  }

  close(): void {
    this.#upstream.close();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [service = '', action = ''] = String(request.headers['x-amz-target']).split('.');
    if (service !== STREAMS && !ANSWERED.has(action)) return this.#upstream.pass(request, response);
    const body = JSON.parse((await readAll(request)).toString()) as Body;
    const { status, body: answer } = await this.#answer(service, action, body, request.headers).catch(failed);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer));
  }

  /** Deletes the items whose time to live is over. Rejects if the DynamoDB behind does not answer. */
  async expire(): Promise<void> {
    for (const { table, attribute, headers } of this.#tables.expiring) {
      const condition = {
        ExpressionAttributeNames: { '#ttl': attribute },
        ExpressionAttributeValues: { ':now': { N: String(Math.floor(this.#clock.now() / 1_000)) } },
      };
      const scan = { TableName: table.name, FilterExpression: '#ttl <= :now', ...condition };
      for (let from: unknown; ; ) {
        const page = await this.#upstream.ask('Scan', { ...scan, ExclusiveStartKey: from }, headers);
        for (const item of page.Items as Item[]) {
          const Key = keyOf(item, table)!;
          const body = { TableName: table.name, Key, ConditionExpression: '#ttl <= :now', ...condition };
          await this.#write('DeleteItem', body, headers, true);
        }
        from = page.LastEvaluatedKey;
        if (from === undefined) break;
      }
    }
  }

  async #answer(service: string, action: string, body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    if (service === STREAMS) return { status: 200, body: this.#api.answer(action, body) as Body };
    return this.#tables.answer(action, body, headers) ?? this.#write(action, body, headers, false);
  }

  #write(action: string, body: Body, headers: IncomingHttpHeaders, isExpiry: boolean): Promise<Answer> {
    const touched = touchedBy(action, body, (name) => this.#tables.streamOf(name)?.table ?? null);
    if (touched.length === 0) return this.#upstream.send(action, body, headers);
    return this.#writes.run(async () => {
      const before = await this.#items(touched, headers);
      const answer = await this.#upstream.send(action, body, headers);
      const after = await this.#items(touched, headers);
      for (const [index, { table }] of touched.entries())
        this.#record(table, before[index] ?? null, after[index] ?? null, isExpiry);
      return answer;
    });
  }

  /** A write that changes nothing is no record, as with AWS. */
  #record(table: string, before: Item | null, after: Item | null, isExpiry: boolean): void {
    const stream = this.#tables.streamOf(table);
    if (stream === null || isDeepStrictEqual(before, after)) return;
    const key = keyOf((after ?? before)!, stream.table)!;
    stream.add({ key, before, after, isExpiry }, this.#clock.now());
  }

  /** Items as they are now; undefined: there is none, or its key is not one. */
  #items(touched: readonly Touched[], headers: IncomingHttpHeaders): Promise<(Item | undefined)[]> {
    return Promise.all(
      touched.map(async ({ table, key }) => {
        const get = { TableName: table, Key: key, ConsistentRead: true };
        return (await this.#upstream.send('GetItem', get, headers)).body.Item as Item | undefined;
      }),
    );
  }
}

/** What is not passed on as it is. */
const ANSWERED: ReadonlySet<string> = new Set([
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'PutItem',
  'TransactWriteItems',
  'UpdateItem',
  'UpdateTable',
  'UpdateTimeToLive',
]);

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function failed(error: unknown): Answer {
  if (!(error instanceof DynamoDbFailure)) throw error;
  return { status: 400, body: error.body as Body };
}
