/**
 * A table of many items, replayed page by page over HTTP the way DynamoDB answers DescribeTable and Scan, and a stream
 * of changes of them, in a process of its own: what is measured or watched in this process is then the reading only.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface PageServerOptions {
  readonly items: number;
  /** Bytes of JSON per page; DynamoDB's pages are about 1 MB. */
  readonly pageBytes?: number;
  /** Milliseconds before each page. */
  readonly latency?: number;
  /** The table's size as DescribeTable says it; by default the bytes of its pages. */
  readonly tableBytes?: number;
  /** Instead of taxis: items of fifty numbers each, in attributes that no other item has, or that all have. */
  readonly attributes?: 'own' | 'common';
  /** The table has a stream with so many records a second, since ever. By default it has none. */
  readonly changesPerSecond?: number;
}

export interface PageServer {
  readonly endpoint: string;
  /** The table's name: the only one it has. */
  readonly table: string;
  /** Bytes of all pages. */
  readonly bytes: number;
  /** Changes that share of the items, from 0 to 1, at places spread evenly; other ones each time. */
  change(share: number): Promise<void>;
  /** From now on pages come after so many milliseconds. */
  setLatency(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

const TABLE = 'replayed';

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(options)], { execArgv: [] });
  const [{ port, bytes }] = (await once(child, 'message')) as [{ port: number; bytes: number }];
  const tell = async (order: Order) => {
    const done = once(child, 'message');
    child.send(order);
    await done;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    table: TABLE,
    bytes,
    change: (share) => tell({ change: share }),
    setLatency: (latency) => tell({ latency }),
    close: () => stop(child),
  };
}

/** What the process of the server is told. */
type Order = { readonly change: number } | { readonly latency: number };

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

interface Page {
  /** `"Items":[…],"Count":…` */
  readonly body: Buffer;
  readonly items: number;
  /** The key of its last item. */
  readonly lastId: string;
}

/** Some 195 bytes of JSON each; ids are scattered, as a hash of the key would scatter them. `version`: how often it changed. */
function itemJson(index: number, count: number, version: number): { id: string; json: string } {
  const id = String((index * 7_919 + 13) % count);
  const zone = (index * 31) % 263;
  const latitude = (40.7 + (index % 1000) / 10_000).toFixed(4);
  const longitude = (-74 + (index % 777) / 10_000).toFixed(4);
  const time = new Date(1_760_000_000_000 + (index + version * count) * 1000).toISOString();
  const next = index % 20 === 0 ? '' : `,"next_zone_id":{"N":"${zone}"}`;
  const json =
    `{"taxi_id":{"N":"${id}"}${next},"latitude":{"N":"${latitude}"},"longitude":{"N":"${longitude}"},` +
    `"occupied":{"BOOL":${index % 3 === 0}},"medallion":{"S":"${(index * 2_654_435_761) % 10_000_000}-${zone}"},` +
    `"updated_at":{"S":"${time}"}}`;
  return { id, json };
}

/** An item of fifty numbers; its attributes' names are as long whether or not other items have them. */
function fiftyJson(index: number, isOwn: boolean): { id: string; json: string } {
  const numbers = Array.from({ length: 50 }, (_, number) => {
    const name = String((isOwn ? index * 50 : 0) + number).padStart(5, '0');
    return `"u-${name}":{"N":"${number}"}`;
  });
  return { id: String(index), json: `{"taxi_id":{"N":"${index}"},${numbers.join(',')}}` };
}

function makePages(options: PageServerOptions, versions: Uint16Array): Page[] {
  const { items, pageBytes = 1_000_000, attributes } = options;
  const pages: Page[] = [];
  let part: string[] = [];
  let size = 0;
  for (let index = 0; index < items; index += 1) {
    const { id, json } =
      attributes === undefined
        ? itemJson(index, items, versions[index]!)
        : fiftyJson(index, attributes === 'own');
    part.push(json);
    size += json.length + 1;
    if (size < pageBytes && index < items - 1) continue;
    const body = Buffer.from(
      `"Items":[${part.join(',')}],"Count":${part.length},"ScannedCount":${part.length}`,
    );
    pages.push({ body, items: part.length, lastId: id });
    part = [];
    size = 0;
  }
  return pages;
}

interface ScanBody {
  readonly Segment?: number;
  readonly TotalSegments?: number;
  readonly ExclusiveStartKey?: { readonly taxi_id: { readonly N: string } };
}

/** Segments are neighbouring pages. */
function answerScan(pages: readonly Page[], pageOf: ReadonlyMap<string, number>, body: ScanBody): Buffer {
  const { Segment = 0, TotalSegments = 1, ExclusiveStartKey } = body;
  const first = Math.floor((Segment * pages.length) / TotalSegments);
  const end = Math.floor(((Segment + 1) * pages.length) / TotalSegments);
  const index = ExclusiveStartKey === undefined ? first : pageOf.get(ExclusiveStartKey.taxi_id.N)! + 1;
  if (index >= end) return Buffer.from('{"Items":[],"Count":0,"ScannedCount":0}');
  const page = pages[index]!;
  const units = Math.ceil(page.body.length / 8192);
  const last = index + 1 < end ? `,"LastEvaluatedKey":{"taxi_id":{"N":"${page.lastId}"}}` : '';
  const tail = `,"ConsumedCapacity":{"TableName":"${TABLE}","CapacityUnits":${units}}${last}}`;
  return Buffer.concat([Buffer.from('{'), page.body, Buffer.from(tail)]);
}

const STREAM = `arn:aws:dynamodb:us-east-1:000000000000:table/${TABLE}/stream/1`;
const SHARD = 'shardId-00000000000000000001-00000001';
/** GetRecords gives no more than that: the stream behind it is endless. */
const MOST_RECORDS = 1_000;

/** One open shard. An iterator is the number of the next record; record `n` was made `n / changesPerSecond` seconds after 1970. */
function answerStream(
  action: string,
  { items, changesPerSecond = 0 }: PageServerOptions,
  body: object,
): Buffer {
  const now = Math.floor((Date.now() / 1_000) * changesPerSecond);
  if (action === 'DescribeStream')
    return Buffer.from(
      JSON.stringify({ StreamDescription: { StreamArn: STREAM, Shards: [{ ShardId: SHARD }] } }),
    );
  if (action === 'GetShardIterator') {
    const { SequenceNumber } = body as { SequenceNumber?: string };
    const next = SequenceNumber === undefined ? now : Number(SequenceNumber) + 1;
    return Buffer.from(JSON.stringify({ ShardIterator: String(next) }));
  }
  const from = Number((body as { ShardIterator: string }).ShardIterator);
  const count = Math.max(0, Math.min(MOST_RECORDS, now - from));
  const records = Array.from({ length: count }, (_, index) =>
    recordJson(from + index, items, changesPerSecond),
  );
  return Buffer.from(`{"Records":[${records.join(',')}],"NextShardIterator":"${from + count}"}`);
}

function recordJson(number: number, items: number, changesPerSecond: number): string {
  const { id, json } = itemJson((Math.imul(number, 7_919) >>> 0) % items, items, number % 50_000);
  const time = Math.floor(number / changesPerSecond);
  return (
    `{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":${time},"Keys":{"taxi_id":{"N":"${id}"}},` +
    `"NewImage":${json},"SequenceNumber":"${String(number).padStart(21, '0')}"}}`
  );
}

function description(pages: readonly Page[], { tableBytes, changesPerSecond }: PageServerOptions): Buffer {
  const table = {
    TableName: TABLE,
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'taxi_id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'taxi_id', AttributeType: 'N' }],
    ItemCount: pages.reduce((sum, page) => sum + page.items, 0),
    TableSizeBytes: tableBytes ?? pages.reduce((sum, page) => sum + page.body.length, 0),
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    ...(changesPerSecond !== undefined
      ? {
          LatestStreamArn: STREAM,
          StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
        }
      : {}),
  };
  return Buffer.from(JSON.stringify({ Table: table }));
}

async function serve(options: PageServerOptions): Promise<void> {
  const versions = new Uint16Array(options.items);
  let pages = makePages(options, versions);
  const pageOf = new Map(pages.map(({ lastId }, index) => [lastId, index]));
  let changes = 0;
  let { latency } = options;
  const change = (share: number) => {
    changes += 1;
    for (let index = 0; index < options.items; index += 1) {
      // Scattered by multiplication with a large odd number; another residue each time.
      if ((Math.imul(index + changes * 7_919, 2_654_435_761) >>> 0) / 2 ** 32 < share) versions[index]! += 1;
    }
    pages = makePages(options, versions);
  };
  process.on('message', (order: Order) => {
    if ('change' in order) change(order.change);
    else latency = order.latency;
    process.send!('done');
  });
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [service, action = ''] = String(request.headers['x-amz-target']).split('.');
    const scan = action === 'Scan';
    if (scan && latency !== undefined) await delay(latency);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ScanBody;
    const answer = scan
      ? answerScan(pages, pageOf, body)
      : service?.startsWith('DynamoDBStreams') === true
        ? answerStream(action, options, body)
        : description(pages, options);
    response.writeHead(200, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': answer.length,
    });
    response.end(answer);
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bytes = pages.reduce((sum, { body }) => sum + body.length, 0);
  process.send!({ port: (server.address() as AddressInfo).port, bytes });
  // The process ends with the one that started it.
  process.once('disconnect', () => process.exit());
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send !== undefined) {
  await serve(JSON.parse(process.argv[2]!) as PageServerOptions);
}
