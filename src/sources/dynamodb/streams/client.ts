import type { _Record, DynamoDBStreamsClient, GetRecordsOutput } from '@aws-sdk/client-dynamodb-streams';
import { clientOptions, prepareClient } from '../../aws/client.js';
import { DEADLINES } from '../../aws/deadlines.js';
import { collectAtMost } from '../../aws/receiving.js';
import type { Item } from '../attributes.js';
import { type ClientOptions, MAX_ANSWER_BYTES, MAX_IN_FLIGHT, rememberEndpoint } from '../client.js';
import { roleCredentials } from '../role.js';
import { DynamoDBJsonCodec2 } from '../sdk.js';
import * as sdk from './sdk.js';

/** Enough to get past a moment of throttling; the next reading continues where this one stopped. */
const MAX_ATTEMPTS = 4;

/** A client for the stream of one table. */
export function createStreamsClient(options: ClientOptions): DynamoDBStreamsClient {
  const { deadlines = DEADLINES } = options;
  const client = new sdk.DynamoDBStreamsClient({
    ...(options.region === null ? {} : { region: options.region }),
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
    ...(options.role == null ? {} : { credentials: roleCredentials(options.role) }),
    ...(process.env.AWS_MAX_ATTEMPTS === undefined ? { maxAttempts: MAX_ATTEMPTS } : {}),
    ...clientOptions({ maxSockets: MAX_IN_FLIGHT, silence: deadlines.silence }),
    streamCollector: collectAtMost(MAX_ANSWER_BYTES),
    // As the SDK's own runtimeConfig.shared.js has them, but for the codec.
    protocolSettings: {
      defaultNamespace: 'com.amazonaws.dynamodbstreams',
      errorTypeRegistries: sdk.errorTypeRegistries,
      xmlNamespace: 'http://dynamodb.amazonaws.com/doc/2012-08-10/',
      version: '2012-08-10',
      serviceTarget: 'DynamoDBStreams_20120810',
      jsonCodec: new RecordsCodec(),
    },
  });
  client.middlewareStack.remove('loggerMiddleware');
  rememberEndpoint(client);
  watchServerTime(client);
  prepareClient(client, deadlines);
  return client;
}

/** A stream record as it stands in a response: times in seconds, binary as base64 text. */
export interface RawRecord {
  readonly eventName?: string;
  /** DynamoDB's API reference has capitals, its examples have none. */
  readonly userIdentity?: { readonly PrincipalId?: string; readonly principalId?: string };
  readonly dynamodb?: {
    /** Seconds since the epoch; DynamoDB rounds down to whole seconds. */
    readonly ApproximateCreationDateTime?: number;
    readonly Keys?: Item;
    readonly NewImage?: Item;
    readonly SequenceNumber?: string;
  };
}

const RECORDS = Symbol('records');

interface Received {
  readonly records: readonly RawRecord[];
  readonly bytes: number;
}

/** Leaves records as `JSON.parse` makes them: the SDK's own reader walks every attribute with its schema, which takes several times as long. */
class RecordsCodec extends DynamoDBJsonCodec2 {
  override createDeserializer(): ReturnType<DynamoDBJsonCodec2['createDeserializer']> {
    const reader = super.createDeserializer();
    const read = reader.read.bind(reader);
    reader.read = (schema, data: string | Uint8Array) =>
      isRecords(schema) ? received(data) : read(schema, data as string);
    return reader;
  }
}

function isRecords(schema: unknown): boolean {
  const named = schema as { getName?(): string | undefined } | null;
  return typeof named?.getName === 'function' && named.getName() === 'GetRecordsOutput';
}

function received(data: string | Uint8Array): object {
  const text = typeof data === 'string' ? data : Buffer.from(data).toString();
  const { Records = [], NextShardIterator } = JSON.parse(text) as {
    Records?: RawRecord[];
    NextShardIterator?: string | null;
  };
  return { NextShardIterator, [RECORDS]: { records: Records, bytes: data.length } satisfies Received };
}

/** The records of a response and the size of its body in bytes: 0 if the SDK has read it itself. */
export function recordsOf(answer: GetRecordsOutput): Received {
  const { [RECORDS]: own } = answer as { [RECORDS]?: Received };
  return own ?? { records: (answer.Records ?? []).map(rawRecord), bytes: 0 };
}

function rawRecord({ eventName, userIdentity, dynamodb }: _Record): RawRecord {
  const principal = userIdentity?.PrincipalId;
  const time = dynamodb?.ApproximateCreationDateTime;
  return {
    ...(eventName === undefined ? {} : { eventName }),
    ...(principal === undefined ? {} : { userIdentity: { PrincipalId: principal } }),
    dynamodb: {
      ...(time === undefined ? {} : { ApproximateCreationDateTime: time.getTime() / 1000 }),
      ...(dynamodb?.SequenceNumber === undefined ? {} : { SequenceNumber: dynamodb.SequenceNumber }),
      ...(dynamodb?.Keys === undefined ? {} : { Keys: dynamodb.Keys as Item }),
      ...(dynamodb?.NewImage === undefined ? {} : { NewImage: dynamodb.NewImage as Item }),
    },
  };
}

/** By client: what to add to this machine's time to have AWS's, in milliseconds. */
const offsets = new WeakMap<DynamoDBStreamsClient, number>();

/** Milliseconds that AWS's clock is ahead of this machine's, by the last response; exact to about a second. */
export function clockOffset(client: DynamoDBStreamsClient): number {
  return offsets.get(client) ?? 0;
}

function watchServerTime(client: DynamoDBStreamsClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { date } = (result.response as { headers?: { date?: string } }).headers ?? {};
      const time = date === undefined ? Number.NaN : Date.parse(date);
      // The header has whole seconds: less than that is no difference.
      if (!Number.isNaN(time)) {
        const offset = time - Date.now();
        offsets.set(client, Math.abs(offset) < 2_000 ? 0 : offset);
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'dynamoCsvServerTime' },
  );
}
