import type { Clock } from '../../base/clock.js';
import { expired, invalid, notFound, trimmed } from './failure.js';
import type { StreamShard } from './shard.js';
import type { TableStream } from './stream.js';

export type Body = Readonly<Record<string, unknown>>;

/** Milliseconds that an iterator is good for: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html */
const ITERATOR_LIFE = 15 * 60_000;
/** What ListStreams and DescribeStream answer at most, and GetRecords. */
const PAGE = 100;
const MOST_RECORDS = 1_000;

interface Position {
  readonly stream: TableStream;
  readonly shard: StreamShard;
  /** The next record is the one after that sequence number. */
  readonly after: bigint;
}

/** The four actions of DynamoDB Streams over the streams of some tables. They throw `DynamoDbFailure`. */
export class StreamsApi {
  readonly #streams = new Map<string, TableStream>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on there is this stream. */
  add(stream: TableStream): void {
    this.#streams.set(stream.arn, stream);
  }

  answer(action: string, body: Body): object {
    this.#forgetOld();
    switch (action) {
      case 'ListStreams':
        return this.#listStreams(body);
      case 'DescribeStream':
        return this.#describeStream(body);
      case 'GetShardIterator':
        return this.#getShardIterator(body);
      case 'GetRecords':
        return this.#getRecords(body);
      default:
        throw invalid(`The stand-in does not know dynamodbstreams:${action}`);
    }
  }

  /** A disabled stream is there until its last record is trimmed. */
  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [arn, stream] of this.#streams) if (stream.shards(now).length === 0) this.#streams.delete(arn);
  }

  #listStreams({ TableName: table, Limit: limit, ExclusiveStartStreamArn: after }: Body): object {
    const all = [...this.#streams.values()].filter(
      (stream) => table === undefined || stream.table.name === table,
    );
    const { page, next } = pageOf(all, ({ arn }) => arn, after, limit);
    const Streams = page.map(({ arn, table: { name }, label }) => ({
      StreamArn: arn,
      TableName: name,
      StreamLabel: label,
    }));
    return { Streams, ...(next === null ? {} : { LastEvaluatedStreamArn: next }) };
  }

  #describeStream({ StreamArn: arn, Limit: limit, ExclusiveStartShardId: after }: Body): object {
    const stream = this.#stream(arn);
    const { page, next } = pageOf(stream.shards(this.#clock.now()), ({ id }) => id, after, limit);
    return {
      StreamDescription: {
        StreamArn: stream.arn,
        StreamLabel: stream.label,
        StreamStatus: stream.isEnabled ? 'ENABLED' : 'DISABLED',
        StreamViewType: stream.viewType,
        CreationRequestDateTime: stream.createdAt / 1_000,
        TableName: stream.table.name,
        KeySchema: stream.table.keySchema,
        Shards: page.map((shard) => shard.describe()),
        ...(next === null ? {} : { LastEvaluatedShardId: next }),
      },
    };
  }

  #getShardIterator({ StreamArn, ShardId, ShardIteratorType: type, SequenceNumber }: Body): object {
    const stream = this.#stream(StreamArn);
    const shard = this.#shard(stream, ShardId);
    const after = startOf(stream, shard, String(type), SequenceNumber);
    return { ShardIterator: this.#iterator({ stream, shard, after }) };
  }

  #getRecords({ ShardIterator, Limit = MOST_RECORDS }: Body): object {
    const limit = Number(Limit);
    if (!(limit >= 1 && limit <= MOST_RECORDS))
      throw invalid(
        `1 validation error detected: Value '${Limit}' at 'limit' must be from 1 to ${MOST_RECORDS}`,
      );
    const { stream, shard, after } = this.#position(String(ShardIterator));
    const { records, next } = shard.read(after, limit);
    return {
      Records: records,
      ...(next === null ? {} : { NextShardIterator: this.#iterator({ stream, shard, after: next }) }),
    };
  }

  #stream(arn: unknown): TableStream {
    const stream = this.#streams.get(String(arn));
    if (stream === undefined) throw notFound(`Stream: ${arn} not found`);
    return stream;
  }

  #shard(stream: TableStream, id: unknown): StreamShard {
    const shard = stream.shards(this.#clock.now()).find((one) => one.id === id);
    if (shard === undefined) throw notFound(`Shard: ${id} in Stream: ${stream.arn} not found`);
    return shard;
  }

  /** Everything is in the iterator itself, so none has to be remembered. */
  #iterator({ stream, shard, after }: Position): string {
    const text = JSON.stringify([shard.id, String(after), this.#clock.now()]);
    return `${stream.arn}|1|${Buffer.from(text).toString('base64url')}`;
  }

  #position(iterator: string): Position {
    const [arn, , text = ''] = iterator.split('|');
    let parts: unknown;
    try {
      parts = JSON.parse(Buffer.from(text, 'base64url').toString());
    } catch {
      throw invalid('Invalid ShardIterator');
    }
    const [id, after, madeAt] = parts as [string, string, number];
    if (this.#clock.now() - madeAt > ITERATOR_LIFE) throw expired();
    const stream = this.#stream(arn);
    return { stream, shard: this.#shard(stream, id), after: BigInt(after) };
  }
}

/** After which sequence number an iterator of that type begins. */
function startOf(stream: TableStream, shard: StreamShard, type: string, sequence: unknown): bigint {
  if (type === 'TRIM_HORIZON') return shard.horizon;
  if (type === 'LATEST') return stream.latest;
  if (type !== 'AT_SEQUENCE_NUMBER' && type !== 'AFTER_SEQUENCE_NUMBER')
    throw invalid(
      `1 validation error detected: Value '${type}' at 'shardIteratorType' failed to satisfy constraint`,
    );
  if (typeof sequence !== 'string' || !/^\d{21,40}$/.test(sequence))
    throw invalid(`${type} needs a SequenceNumber of 21 to 40 digits`);
  const number = BigInt(sequence);
  if (!shard.has(number)) throw invalid(`SequenceNumber ${sequence} is not of shard ${shard.id}`);
  const after = type === 'AT_SEQUENCE_NUMBER' ? number - 1n : number;
  if (after < shard.horizon) throw trimmed();
  return after;
}

function pageOf<T>(
  all: readonly T[],
  idOf: (one: T) => string,
  after: unknown,
  limit: unknown,
): { readonly page: readonly T[]; readonly next: string | null } {
  const begin = after === undefined ? 0 : all.findIndex((one) => idOf(one) === after) + 1;
  const page = all.slice(begin, begin + Math.min(Number(limit ?? PAGE), PAGE));
  const isLast = begin + page.length >= all.length;
  return { page, next: isLast ? null : idOf(page.at(-1)!) };
}
