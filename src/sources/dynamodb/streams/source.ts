import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { type Clock, systemClock } from '../../../base/clock.js';
import { DynamoCsvError } from '../../../base/errors.js';
import type { Column } from '../../../csv/rows.js';
import { facts } from '../../aws/failures.js';
import type { PollExpectation } from '../../kind.js';
import type { FullReading, Reading, ReadingCost, ReadRequest, Source } from '../../source.js';
import { createDynamoDbClient, placeOf } from '../client.js';
import { streamPrice } from '../cost.js';
import { explainFailure } from '../failures.js';
import { createDynamoDbSource, type DynamoDbSourceOptions, type TableSource } from '../source.js';
import { describeTable, type TableDescription, type TableStream } from '../table.js';
import { tableTitle } from '../title.js';
import { broughtForward } from './brought-forward.js';
import { createStreamsClient } from './client.js';
import { type EncodedRecords, encodeRecords, keysOf, recordsWithImages, recordsWithItems } from './delta.js';
import { noStream, StreamBroken, streamBroken, streamGone } from './errors.js';
import { StreamFollower } from './follower.js';
import { getItems } from './items.js';
import { formatPosition, type Position, parsePosition } from './position.js';
import { StreamRequests } from './requests.js';
import type { ShardRecord } from './shard-reader.js';
import { Meanwhile, Verification } from './verification.js';

export interface StreamSourceOptions extends DynamoDbSourceOptions {
  /** `auto`: the table is polled while it has no stream. */
  readonly stream: true | 'auto';
  /** Milliseconds between two readings while nothing changes, at most. */
  readonly interval: number;
  /** Milliseconds after which the table is scanned and compared; null or absent: never. */
  readonly verify?: number | null;
}

/** Milliseconds between two readings while something changes. */
const PACE = 1_000;
/** After so many milliseconds without a change, each reading waits longer than the one before, by this factor, up to the interval. */
const QUIET_AFTER = 60_000;
const SLOWER = 1.5;
/** Milliseconds for which a description of the table is used: a stream may be enabled again at any time. */
const DESCRIPTION_FRESH = 60_000;
/** Milliseconds until a position is recorded although nothing changed, so that it does not become too old to continue from. */
const POSITION_FRESH = 60_000;
/** Milliseconds that the stream is read beyond the end of a Scan: a write takes a moment to appear in the stream. */
const SETTLE = 1_000;
/** Milliseconds between two readings of the stream during a Scan, and while it settles. */
const DURING_SCAN = 1_000;
const SETTLING = 250;
/** Milliseconds that a throttled stream is left alone at most. */
const LONGEST_BACKOFF = 60_000;

/**
 * A DynamoDB table whose stream is followed. The first reading is a Scan, brought up to date by the records of the stream
 * since before its start; each later one has the records since the one before.
 */
export function createStreamSource(options: StreamSourceOptions): TableSource {
  return new StreamSource(options);
}

class StreamSource implements TableSource {
  readonly title: string;
  readonly #options: StreamSourceOptions;
  readonly #clock: Clock;
  readonly #client: DynamoDBClient;
  readonly #streams: DynamoDBStreamsClient;
  /** For the price; null: not known yet. */
  #region: string | null;
  /** Polls the table while it has no stream. */
  readonly #poller: TableSource;
  #description: { readonly value: TableDescription; readonly at: number } | null = null;
  /** What continues from the position that the last reading returned. */
  #following: {
    readonly follower: StreamFollower;
    readonly requests: StreamRequests;
    readonly position: string;
  } | null = null;
  /** The Scan in progress. */
  #scan: Source | null = null;
  /** The Scan that runs beside the readings to verify the data. */
  #verification: Verification | null = null;
  /** When the table was last scanned, in milliseconds since the epoch; 0: not since the start of the service. */
  #scannedAt = 0;
  #pause: number;
  /** When something last changed, in milliseconds since the epoch. */
  #changedAt: number;
  #throttled = 0;

  constructor(options: StreamSourceOptions) {
    const { region, endpoint = null, role = null, deadlines } = options;
    const client = { region, endpoint, role, ...(deadlines === undefined ? {} : { deadlines }) };
    this.title = tableTitle(options.table);
    this.#options = options;
    this.#region = region;
    this.#clock = options.clock ?? systemClock;
    this.#client = createDynamoDbClient(client);
    this.#streams = createStreamsClient(client);
    this.#poller = createDynamoDbSource(options);
    this.#pause = this.#pace;
    this.#changedAt = this.#clock.now();
  }

  async read(request: ReadRequest): Promise<Reading> {
    const wasDescribed = this.#description !== null;
    try {
      return await this.#attempt(request);
    } catch (thrown) {
      this.#description = null;
      this.#following = null;
      request.signal.throwIfAborted();
      // The stream may have been enabled again, or the table made anew, since it was described.
      const isGone = facts(thrown).name === 'ResourceNotFoundException';
      if (!wasDescribed || !isGone) throw await this.#explained(thrown);
    }
    try {
      return await this.#attempt(request);
    } catch (thrown) {
      request.signal.throwIfAborted();
      throw await this.#explained(thrown);
    }
  }

  neededTime(): number {
    return (this.#scan ?? this.#poller).neededTime?.() ?? 0;
  }

  /** US dollars; units of a provisioned table cost nothing, requests to its stream do. */
  price(cost: Parameters<TableSource['price']>[0]): number {
    return this.#poller.price(cost) + streamPrice(cost.streamReads ?? 0, this.#region);
  }

  /** A reading of an idle stream with one shard; the table's, while it has no stream. */
  async expect(signal: AbortSignal): Promise<PollExpectation> {
    const poll = await this.#poller.expect(signal);
    const { stream } = await this.#described(signal);
    if (stream === null) return poll;
    return { ...poll, unitsPerPoll: 0, usdPerPoll: streamPrice(1, this.#region), shortestInterval: 0 };
  }

  async close(): Promise<void> {
    this.#verification?.stop();
    this.#client.destroy();
    this.#streams.destroy();
    await this.#poller.close();
  }

  /** Milliseconds between readings while something changes. */
  get #pace(): number {
    return Math.min(PACE, this.#options.interval);
  }

  async #attempt(request: ReadRequest): Promise<Reading> {
    const { signal } = request;
    signal.throwIfAborted();
    const description = await this.#described(signal);
    const { stream } = description;
    if (stream === null && this.#options.stream === 'auto') return this.#poller.read(request);
    if (stream === null) throw noStream(await placeOf(this.#client, description.table));
    const text = request.position ?? null;
    const position = text === null ? null : parsePosition(text);
    if (text === null || position === null) return this.#start(description, stream, request);
    if (position.stream !== stream.arn)
      return this.#startAgain('it was enabled again', description, stream, request);
    try {
      return await this.#follow(text, position, description, stream, request);
    } catch (error) {
      if (!(error instanceof StreamBroken)) throw error;
      return this.#startAgain(error.message, description, stream, request);
    }
  }

  async #described(signal: AbortSignal): Promise<TableDescription> {
    const now = this.#clock.now();
    if (this.#description !== null && now - this.#description.at < DESCRIPTION_FRESH)
      return this.#description.value;
    this.#region ??= (await placeOf(this.#client, this.#options.table)).region;
    const value = await describeTable(this.#client, this.#options.table, signal);
    this.#description = { value, at: now };
    return value;
  }

  /** What happened since the position. */
  async #follow(
    text: string,
    position: Position,
    description: TableDescription,
    stream: TableStream,
    { known, signal }: ReadRequest,
  ): Promise<Reading> {
    const following = this.#following?.position === text ? this.#following : null;
    const verified = await this.#verified(following?.follower.position.at ?? null, description, stream, {
      known,
      signal,
    });
    if (verified !== null) return { ...verified, position: text };
    const { follower, requests } = following ?? this.#continued(position);
    this.#following = null;
    const { records, isBehind, throttled } = await follower.read(signal);
    this.#verification?.meanwhile.add(records);
    const found = await this.#encoded(records, description, stream, known, signal);
    const now = follower.position;
    const next =
      records.length === 0 && isSameFor(POSITION_FRESH, position, now) ? text : formatPosition(now);
    this.#following = { follower, requests, position: next };
    const { rows, keys, mixed = [], compareKeys } = found;
    return {
      kind: 'delta',
      rows,
      records: found.records,
      keys,
      mixed,
      compareKeys,
      position: next,
      upTo: now.at,
      nextIn: this.#nextIn(records.length, isBehind, throttled !== null),
      problem: throttled === null ? null : await this.#explained(throttled),
      cost: sum(streamCost(requests), found.cost),
    };
  }

  #continued(position: Position) {
    const requests = new StreamRequests(this.#streams, position.stream, this.#clock);
    return { requests, follower: StreamFollower.from(requests, position) };
  }

  #startAgain(
    why: string,
    description: TableDescription,
    stream: TableStream,
    request: ReadRequest,
  ): Promise<FullReading> {
    const { table, logger } = this.#options;
    logger?.warn(
      { table },
      `the stream cannot be continued, because ${why}: the table is scanned and compared, so changes meanwhile have the time of this Scan, and several of one item are one`,
    );
    return this.#start(description, stream, request);
  }

  /**
   * A Scan, and the records that were written meanwhile. The iterators are made before it, so nothing is missed; the stream
   * is read beyond the Scan's end, so that no later record is older than what the Scan saw. That takes a few seconds.
   */
  async #start(
    description: TableDescription,
    stream: TableStream,
    { known, signal }: ReadRequest,
  ): Promise<FullReading> {
    const requests = new StreamRequests(this.#streams, stream.arn, this.#clock);
    const follower = await StreamFollower.atEnd(requests, signal);
    const meanwhile = new Meanwhile();
    const full = await this.#scanned(follower, meanwhile, known, signal);
    const found = await this.#encoded(meanwhile.records, description, stream, full.rows.columns, signal);
    const position = formatPosition(follower.position);
    this.#following = { follower, requests, position };
    this.#pause = this.#pace;
    this.#changedAt = this.#clock.now();
    this.#scannedAt = this.#changedAt;
    return {
      ...full,
      rows: await broughtForward(full, found),
      mixed: [...new Set([...(full.mixed ?? []), ...(found.mixed ?? [])])],
      position,
      upTo: follower.position.at,
      nextIn: this.#pace,
      cost: sum(sum(streamCost(requests), found.cost), full.cost),
    };
  }

  /** Scans the table while the stream is read, so that iterators do not expire, and until that has passed the Scan's end. */
  async #scanned(
    follower: StreamFollower,
    meanwhile: Meanwhile,
    known: readonly Column[],
    signal: AbortSignal,
  ): Promise<FullReading> {
    // Strongly consistent: an earlier write that the Scan missed would not come in the stream.
    const scan = createDynamoDbSource({ ...this.#options, consistent: true });
    this.#scan = scan;
    const ended = new AbortController();
    try {
      const reading = scan.read({ known, signal }).finally(() => ended.abort());
      const following = this.#followDuring(
        follower,
        meanwhile,
        AbortSignal.any([signal, ended.signal]),
        signal,
      );
      const [full] = await Promise.all([reading, following]);
      const scannedAt = this.#clock.now();
      while (follower.position.at < scannedAt + SETTLE || !follower.isSettled) {
        await this.#clock.sleep(SETTLING, signal);
        meanwhile.add((await follower.read(signal)).records);
      }
      return full as FullReading;
    } finally {
      this.#scan = null;
      await scan.close();
    }
  }

  async #followDuring(
    follower: StreamFollower,
    meanwhile: Meanwhile,
    scanning: AbortSignal,
    signal: AbortSignal,
  ): Promise<void> {
    while (!scanning.aborted) {
      await this.#clock.sleep(DURING_SCAN, scanning).catch(() => undefined);
      signal.throwIfAborted();
      if (!scanning.aborted) meanwhile.add((await follower.read(signal)).records);
    }
  }

  /** Records as rows; of a stream without new images the items are read. */
  async #encoded(
    records: readonly ShardRecord[],
    description: TableDescription,
    { viewType }: TableStream,
    known: readonly Column[],
    signal: AbortSignal,
  ): Promise<EncodedRecords & { readonly cost: ReadingCost }> {
    const { table } = description;
    if (viewType === 'NEW_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES') {
      const found = recordsWithImages(table, viewType, records);
      return { ...encodeRecords(found, description, this.#options, known), cost: FREE };
    }
    const { items, cost } = await getItems(this.#client, table, keysOf(records), this.#clock, signal);
    const found = recordsWithItems(records, items);
    return { ...encodeRecords(found, description, this.#options, known), cost: { ...FREE, ...cost } };
  }

  /**
   * `readTo`: until when the stream was read; null: not by this source. Begins a verification when one is due. Once its Scan has ended, and the stream was read beyond that, returns the table as
   * it is at the position; null: there is nothing to compare with yet.
   */
  async #verified(
    readTo: number | null,
    description: TableDescription,
    stream: TableStream,
    { known, signal }: ReadRequest,
  ): Promise<FullReading | null> {
    const { verify = null, table, logger } = this.#options;
    if (verify === null) return null;
    // Some records are read again, or the service has just begun: what was written meanwhile is not known.
    if (readTo === null) this.#endVerification();
    if (this.#scannedAt === 0) this.#scannedAt = this.#clock.now();
    const isDue = this.#clock.now() - this.#scannedAt >= verify;
    if (this.#verification === null && isDue && readTo !== null) {
      const scan = createDynamoDbSource({ ...this.#options, consistent: true });
      this.#verification = new Verification(scan, known, this.#clock);
    }
    const result = this.#verification?.result ?? null;
    if (this.#verification === null || result === null || readTo === null) return null;
    if (result.full === null) {
      const { message } = await this.#explained(result.error);
      logger?.warn({ table }, `the table could not be scanned to verify the data: ${message}`);
      this.#endVerification();
      return null;
    }
    if (readTo < result.at + SETTLE) return null;
    const { records } = this.#verification.meanwhile;
    this.#endVerification();
    const found = await this.#encoded(records, description, stream, result.full.rows.columns, signal);
    const rows = await broughtForward(result.full, found);
    const cost = sum(found.cost, result.full.cost);
    return { ...result.full, rows, verifies: true, upTo: readTo, nextIn: 0, cost };
  }

  #endVerification(): void {
    this.#verification?.stop();
    if (this.#verification !== null) this.#scannedAt = this.#clock.now();
    this.#verification = null;
  }

  #nextIn(records: number, isBehind: boolean, isThrottled: boolean): number {
    this.#throttled = isThrottled ? this.#throttled + 1 : 0;
    if (isThrottled) return Math.min(PACE * 2 ** this.#throttled, LONGEST_BACKOFF);
    if (isBehind) return 0;
    const now = this.#clock.now();
    if (records > 0) this.#changedAt = now;
    const isQuiet = now - this.#changedAt >= QUIET_AFTER;
    this.#pause = isQuiet ? Math.min(this.#pause * SLOWER, this.#options.interval) : this.#pace;
    return this.#pause;
  }

  async #explained(thrown: unknown): Promise<DynamoCsvError> {
    if (thrown instanceof DynamoCsvError) return thrown;
    const place = await placeOf(this.#streams, this.#options.table);
    if (thrown instanceof StreamBroken) return streamBroken(place, thrown);
    if (facts(thrown).name === 'ResourceNotFoundException') return streamGone(place, thrown);
    return explainFailure(thrown, place, 'dynamodb:GetRecords');
  }
}

/** Whether a position is as good as an earlier one, recorded not long ago. */
function isSameFor(time: number, before: Position, now: Position): boolean {
  if (now.at - before.at >= time || now.shards.size !== before.shards.size) return false;
  return [...now.shards].every(([shard, progress]) => {
    const earlier = before.shards.get(shard);
    if (typeof progress !== 'object') return progress === earlier;
    return typeof earlier === 'object' && progress.after === earlier.after;
  });
}

const FREE: ReadingCost = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

function streamCost(requests: StreamRequests): ReadingCost {
  const { reads, ...cost } = requests.takeCost();
  return { ...FREE, ...cost, streamReads: reads };
}

function sum(a: ReadingCost, b: ReadingCost): ReadingCost {
  return {
    requests: a.requests + b.requests,
    attempts: a.attempts + b.attempts,
    bytes: a.bytes + b.bytes,
    readCapacityUnits: a.readCapacityUnits + b.readCapacityUnits,
    metricsRequested: a.metricsRequested + b.metricsRequested,
    streamReads: (a.streamReads ?? 0) + (b.streamReads ?? 0),
  };
}
