import { totalmem } from 'node:os';
import { clientOptions, prepareClient } from '../aws/client.js';
import { DEADLINES, type Deadlines } from '../aws/deadlines.js';
import { collectAtMost } from '../aws/receiving.js';
import { type TablePlace, tableTooLarge } from './errors.js';
import { PageCodec, takeShortWay } from './page.js';
import { type Role, roleCredentials } from './role.js';
import { DynamoDBClient, errorTypeRegistries } from './sdk.js';

/** Where a table is and who reads it; everything else (keys, profile) is left to the SDK's default chain. */
export interface ClientOptions {
  /** AWS region, or null for the SDK's default chain (`AWS_REGION`, `~/.aws/config` …). */
  readonly region: string | null;
  /** Another endpoint than the region's, or null for the SDK's default chain (`AWS_ENDPOINT_URL_DYNAMODB` …). */
  readonly endpoint: string | null;
  /** A role to assume; null or absent: the credentials that the SDK finds. */
  readonly role?: Role | null;
  /** Other deadlines than the usual; for tests. */
  readonly deadlines?: Deadlines;
}

/** Concurrent requests for one table in one thread, and so the connections kept for it. */
export const MAX_IN_FLIGHT = 16;

/**
 * Five attempts take about a second if nothing answers, so an unreachable endpoint is reported soon. Throttling is handled
 * by the adaptive mode's pauses between requests. `AWS_MAX_ATTEMPTS` overrides it.
 */
const MAX_ATTEMPTS = 5;

/**
 * A client for one table. Tables must not share one: with adaptive retries a throttled client slows all its requests.
 * The logger middleware is removed: it walks each response even if nothing is logged, two thirds of a large Scan's CPU.
 */
export function createDynamoDbClient(options: ClientOptions): DynamoDBClient {
  const { deadlines = DEADLINES } = options;
  const collect = collectAtMost(MAX_ANSWER_BYTES);
  const client = new DynamoDBClient({
    ...(options.region === null ? {} : { region: options.region }),
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
    ...(options.role == null ? {} : { credentials: roleCredentials(options.role) }),
    ...(process.env.AWS_MAX_ATTEMPTS === undefined ? { maxAttempts: MAX_ATTEMPTS } : {}),
    retryMode: 'adaptive',
    ...clientOptions({ maxSockets: MAX_IN_FLIGHT, silence: deadlines.silence }),
    streamCollector: collect,
    // As the SDK's own runtimeConfig.shared.js has them, but for the codec.
    protocolSettings: {
      defaultNamespace: 'com.amazonaws.dynamodb',
      errorTypeRegistries,
      xmlNamespace: 'http://dynamodb.amazonaws.com/doc/2012-08-10/',
      version: '2012-08-10',
      serviceTarget: 'DynamoDB_20120810',
      jsonCodec: new PageCodec(),
    },
  });
  client.middlewareStack.remove('loggerMiddleware');
  rememberEndpoint(client);
  takeShortWay(client, collect);
  prepareClient(client, deadlines);
  return client;
}

/** The endpoints that clients last sent a request to. */
const endpoints = new WeakMap<object, string>();

/** What this file needs from an SDK client: each types its own requests. */
interface Located {
  readonly middlewareStack: { add(middleware: never, options: { step: 'build'; name: string }): void };
}

/** Remembers where the client sends its requests, for `placeOf`. */
export function rememberEndpoint(client: Located): void {
  client.middlewareStack.add(
    ((next: (args: unknown) => unknown) => (args: { readonly request: unknown }) => {
      const { protocol, hostname, port } = args.request as Partial<
        Record<'protocol' | 'hostname' | 'port', string>
      >;
      endpoints.set(client, `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
      return next(args);
    }) as never,
    { step: 'build', name: 'dynamoCsvEndpoint' },
  );
}

/** Where this client looks for a table, for errors. The endpoint is known after the first request. */
export async function placeOf(
  client: { readonly config: { region(): Promise<string> } },
  table: string,
  index: string | null = null,
): Promise<TablePlace> {
  const region = await client.config.region().catch(() => null);
  // An empty AWS_REGION, as Compose passes it on, is a region for the SDK.
  return { table, index, region: region || null, endpoint: endpoints.get(client) ?? null };
}

/**
 * Maximum bytes of one response. DynamoDB sends at most 1 MB of items in a page, by its own count
 * (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html). As JSON a byte of that count
 * becomes ten at most: an empty string in a list counts one byte and is written `{"S":""},`.
 */
export const MAX_ANSWER_BYTES = 16 << 20;

/** What a page costs in memory in addition to its rows: its key is remembered to detect repeating pages. */
const PAGE_OVERHEAD = 256;

/** Bytes of pages that one poll may read by default: a quarter of the memory that this process may use. */
export function defaultPollBytes(): number {
  // 0 if nothing constrains the process.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(constrained, totalmem()) / 4);
}

/** The bytes that one poll may read, shared by all its threads; plain data. */
export interface ByteBudget {
  readonly limit: number;
  /** One 64-bit integer: bytes read so far. */
  readonly used: SharedArrayBuffer;
}

export function byteBudget(limit: number): ByteBudget {
  return { limit, used: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) };
}

/** Counts a page. Throws `tableTooLarge` if the poll has exceeded the limit. */
export function spend({ limit, used }: ByteBudget, pageBytes: number, table: string): void {
  const bytes = BigInt(pageBytes + PAGE_OVERHEAD);
  const total = Atomics.add(new BigInt64Array(used), 0, bytes) + bytes;
  if (total > limit) throw tableTooLarge(table, limit);
}
