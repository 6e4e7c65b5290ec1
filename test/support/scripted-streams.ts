import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An attribute value as DynamoDB's JSON has it. */
type Value = Readonly<Record<string, unknown>>;
export type ScriptedItem = Readonly<Record<string, Value>>;

export type ViewType = 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'KEYS_ONLY';

interface StreamRecord {
  readonly sequence: bigint;
  readonly body: object;
}

interface Shard {
  readonly id: string;
  readonly parent: string | null;
  /** The part of the keys' hashes that it has: from (included) to (excluded). */
  readonly from: number;
  readonly to: number;
  records: StreamRecord[];
  /** The first sequence number that may still be asked for. */
  horizon: bigint;
  isClosed: boolean;
}

/** An iterator: `epoch:shard:sequence`, where records after that sequence number come next. */
const ITERATOR = /^(\d+):(.+):(\d+)$/;

interface Failure {
  readonly error: string;
  readonly message: string;
}

/** What the tests of streams need and no emulator does. All by its own hand: nothing happens that a test did not ask for. */
export interface Script {
  /** GetRecords: records in an answer at most; 1,000 by default. */
  mostRecords: number;
  /** GetRecords: empty answers before each one with records. */
  emptyAnswers: number;
  /** GetRecords: so many of the next requests are refused. */
  throttle: number;
  /** Which of BatchGetItem's keys are left unprocessed, by the number of the request. */
  unprocessed: (request: number, key: number) => boolean;
  /** Shards in a page of DescribeStream. */
  shardsPerPage: number;
  /** Called before each answer, for what happens in between. */
  before: (action: string, body: Readonly<Record<string, unknown>>) => void | Promise<void>;
}

/** One table with a stream, as a server. */
export class ScriptedStreams {
  readonly table = 'scripted';
  readonly script: Script = {
    mostRecords: 1_000,
    emptyAnswers: 0,
    throttle: 0,
    unprocessed: () => false,
    shardsPerPage: 100,
    before: () => undefined,
  };
  /** Requests by action. */
  readonly counts: Record<string, number> = {};
  /** The most GetRecords requests that were answered for one shard at the same time. */
  mostReaders = 0;
  endpoint = '';
  viewType: ViewType;
  isEnabled = true;
  /** Milliseconds since the epoch: creation times of records, rounded down to seconds as AWS does. */
  now: () => number = Date.now;
  #label = 1;
  #sequence = 100_000_000_000_000_000_000n;
  #epoch = 1;
  #shards: Shard[] = [];
  readonly #items = new Map<string, ScriptedItem>();
  readonly #dripped = new Map<string, number>();
  readonly #reading = new Map<string, number>();
  #batches = 0;
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const [status, body] = await this.#answer(action, JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  });

  private constructor(viewType: ViewType, shards: number) {
    this.viewType = viewType;
    this.#openShards(shards);
  }

  static async start({
    viewType = 'NEW_AND_OLD_IMAGES' as ViewType,
    shards = 1,
  } = {}): Promise<ScriptedStreams> {
    const streams = new ScriptedStreams(viewType, shards);
    streams.#server.listen(0, '127.0.0.1');
    await once(streams.#server, 'listening');
    streams.endpoint = `http://127.0.0.1:${(streams.#server.address() as AddressInfo).port}`;
    return streams;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  get arn(): string {
    return `arn:aws:dynamodb:eu-test-1:000000000000:table/${this.table}/stream/${this.#label}`;
  }

  /** The open shards. */
  get open(): readonly string[] {
    return this.#shards.filter(({ isClosed }) => !isClosed).map(({ id }) => id);
  }

  put(id: string, attributes: ScriptedItem = {}): void {
    const before = this.#items.get(id) ?? null;
    const item = { id: { S: id }, ...attributes };
    this.#items.set(id, item);
    this.#record(id, before === null ? 'INSERT' : 'MODIFY', before, item);
  }

  remove(id: string, by: 'a person' | 'time to live' = 'a person'): void {
    const before = this.#items.get(id) ?? null;
    if (before === null) return;
    this.#items.delete(id);
    this.#record(id, 'REMOVE', before, null, by === 'time to live');
  }

  /** Changes an item without a record: what a verification has to find. */
  putSilently(id: string, attributes: ScriptedItem): void {
    this.#items.set(id, { id: { S: id }, ...attributes });
  }

  removeSilently(id: string): void {
    this.#items.delete(id);
  }

  /** Closes a shard; two children share its keys. */
  split(id: string): void {
    const shard = this.#shards.find((one) => one.id === id)!;
    shard.isClosed = true;
    const middle = (shard.from + shard.to) / 2;
    this.#openShard(id, shard.from, middle);
    this.#openShard(id, middle, shard.to);
  }

  /** Closes a shard; one child continues it, as every few hours. */
  roll(id: string): void {
    const shard = this.#shards.find((one) => one.id === id)!;
    shard.isClosed = true;
    this.#openShard(id, shard.from, shard.to);
  }

  /** Trims all records, and closed shards with them, as after a day. */
  trim(): void {
    this.#shards = this.#shards.filter(({ isClosed }) => !isClosed);
    this.#sequence += 1n;
    for (const shard of this.#shards) {
      shard.records = [];
      shard.horizon = this.#sequence;
    }
  }

  expireIterators(): void {
    this.#epoch += 1;
  }

  /** Disables the stream and enables a new one. */
  renew(): void {
    this.#label += 1;
    this.#shards = [];
    this.#openShards(1);
  }

  #openShards(count: number): void {
    for (let index = 0; index < count; index += 1) this.#openShard(null, index / count, (index + 1) / count);
  }

  #openShard(parent: string | null, from: number, to: number): void {
    this.#sequence += 1n;
    const id = `shardId-${String(this.#sequence)}`;
    this.#shards.push({ id, parent, from, to, records: [], horizon: 0n, isClosed: false });
  }

  #record(
    id: string,
    eventName: string,
    before: ScriptedItem | null,
    after: ScriptedItem | null,
    isExpired = false,
  ): void {
    if (!this.isEnabled) return;
    const hash = createHash('sha1').update(id).digest().readUInt32BE() / 2 ** 32;
    const shard = this.#shards.find(({ isClosed, from, to }) => !isClosed && hash >= from && hash < to)!;
    this.#sequence += 1n;
    const hasNew = this.viewType === 'NEW_AND_OLD_IMAGES' || this.viewType === 'NEW_IMAGE';
    const hasOld = this.viewType === 'NEW_AND_OLD_IMAGES' || this.viewType === 'OLD_IMAGE';
    const body = {
      eventName,
      ...(isExpired ? { userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' } } : {}),
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.now() / 1_000),
        Keys: { id: { S: id } },
        ...(hasNew && after !== null ? { NewImage: after } : {}),
        ...(hasOld && before !== null ? { OldImage: before } : {}),
        SequenceNumber: String(this.#sequence),
        StreamViewType: this.viewType,
      },
    };
    shard.records.push({ sequence: this.#sequence, body });
  }

  async #answer(action: string, body: Record<string, unknown>): Promise<[number, object]> {
    this.counts[action] = (this.counts[action] ?? 0) + 1;
    await this.script.before(action, body);
    const answer = await this.#answers[action]!(body);
    return 'error' in answer
      ? [400, { __type: `com.amazonaws.dynamodb.v20120810#${answer.error}`, message: answer.message }]
      : [200, answer];
  }

  readonly #answers: Readonly<
    Record<string, (body: Record<string, unknown>) => object | Failure | Promise<object | Failure>>
  > = {
    DescribeTable: () => ({
      Table: {
        TableName: this.table,
        TableStatus: 'ACTIVE',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        ItemCount: this.#items.size,
        TableSizeBytes: this.#items.size * 100,
        BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
        ...(this.isEnabled
          ? {
              LatestStreamArn: this.arn,
              StreamSpecification: { StreamEnabled: true, StreamViewType: this.viewType },
            }
          : {}),
      },
    }),
    Scan: () => ({
      Items: [...this.#items.values()],
      Count: this.#items.size,
      ConsumedCapacity: { TableName: this.table, CapacityUnits: 1 },
    }),
    BatchGetItem: ({ RequestItems }) => {
      const [[table, { Keys }]] = Object.entries(
        RequestItems as Record<string, { Keys: { id: { S: string } }[] }>,
      ) as [[string, { Keys: { id: { S: string } }[] }]];
      const request = this.#batches++;
      const left = Keys.filter((_, index) => this.script.unprocessed(request, index));
      const found = Keys.filter((key) => !left.includes(key)).flatMap(
        ({ id }) => this.#items.get(id.S) ?? [],
      );
      return {
        Responses: { [table]: found },
        UnprocessedKeys: left.length === 0 ? {} : { [table]: { Keys: left } },
        ConsumedCapacity: [{ TableName: table, CapacityUnits: found.length }],
      };
    },
    DescribeStream: ({ StreamArn, ExclusiveStartShardId: after }) => {
      if (StreamArn !== this.arn) return notFound(String(StreamArn));
      const first = after === undefined ? 0 : this.#shards.findIndex(({ id }) => id === after) + 1;
      const page = this.#shards.slice(first, first + this.script.shardsPerPage);
      const isLast = first + page.length >= this.#shards.length;
      return {
        StreamDescription: {
          StreamArn: this.arn,
          StreamStatus: 'ENABLED',
          StreamViewType: this.viewType,
          Shards: page.map(({ id, parent, records, isClosed }) => ({
            ShardId: id,
            ...(parent === null ? {} : { ParentShardId: parent }),
            SequenceNumberRange: {
              StartingSequenceNumber: String(records[0]?.sequence ?? this.#sequence),
              ...(isClosed ? { EndingSequenceNumber: String(this.#sequence) } : {}),
            },
          })),
          ...(isLast ? {} : { LastEvaluatedShardId: page.at(-1)!.id }),
        },
      };
    },
    GetShardIterator: ({ StreamArn, ShardId, ShardIteratorType, SequenceNumber }) => {
      const shard = this.#shards.find(({ id }) => id === ShardId);
      if (StreamArn !== this.arn || shard === undefined) return notFound(String(ShardId));
      const after =
        ShardIteratorType === 'LATEST'
          ? this.#sequence
          : ShardIteratorType === 'TRIM_HORIZON'
            ? shard.horizon
            : BigInt(String(SequenceNumber));
      if (after < shard.horizon) return trimmed();
      return { ShardIterator: `${this.#epoch}:${shard.id}:${after}` };
    },
    GetRecords: async ({ ShardIterator }) => {
      const [, epoch, id = '', after = '0'] = ITERATOR.exec(String(ShardIterator)) ?? [];
      const readers = (this.#reading.get(id) ?? 0) + 1;
      this.#reading.set(id, readers);
      this.mostReaders = Math.max(this.mostReaders, readers);
      await new Promise(setImmediate);
      this.#reading.set(id, readers - 1);
      if (this.script.throttle > 0) {
        this.script.throttle -= 1;
        return { error: 'LimitExceededException', message: 'there are too many requests for the shard' };
      }
      if (Number(epoch) !== this.#epoch)
        return { error: 'ExpiredIteratorException', message: 'it has expired' };
      const shard = this.#shards.find((one) => one.id === id);
      if (shard === undefined) return notFound(id);
      if (BigInt(after) < shard.horizon) return trimmed();
      return this.#recordsOf(shard, BigInt(after));
    },
  };

  #recordsOf(shard: Shard, after: bigint): object {
    const next = (sequence: bigint) => `${this.#epoch}:${shard.id}:${sequence}`;
    const dripped = this.#dripped.get(shard.id) ?? 0;
    this.#dripped.set(shard.id, dripped + 1);
    const left = shard.records.filter(({ sequence }) => sequence > after);
    if (left.length > 0 && dripped % (this.script.emptyAnswers + 1) < this.script.emptyAnswers)
      return { Records: [], NextShardIterator: next(after) };
    const records = left.slice(0, this.script.mostRecords);
    const last = records.at(-1)?.sequence ?? after;
    const isOver = shard.isClosed && records.length === left.length;
    return { Records: records.map(({ body }) => body), ...(isOver ? {} : { NextShardIterator: next(last) }) };
  }
}

function notFound(what: string): Failure {
  return { error: 'ResourceNotFoundException', message: `Requested resource not found: ${what}` };
}

function trimmed(): Failure {
  return { error: 'TrimmedDataAccessException', message: 'the record is beyond the trim horizon' };
}
