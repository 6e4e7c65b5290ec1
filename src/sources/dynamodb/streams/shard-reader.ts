import { facts } from '../../aws/failures.js';
import type { RawRecord } from './client.js';
import { recordsTrimmed } from './errors.js';
import type { Progress } from './position.js';
import type { Iterator, IteratorStart, StreamRequests } from './requests.js';

/** Milliseconds that a stream keeps records. */
export const RETENTION = 24 * 3_600_000;
/** An iterator expires after 15 minutes. */
const ITERATOR_FRESH = 14 * 60_000;
/** Milliseconds until a write is in the stream at the latest. Usually it takes a few hundred. */
const PROPAGATION = 5_000;
/** Milliseconds: after records that are older than this, there are probably more. */
const BEHIND = 2_000;
/** Records in an answer from which on there are probably more. DynamoDB sends at most 1,000. */
const MANY = 900;
/** Empty answers in a row that are taken at once while it is not known how far the end is. */
const EMPTY_ANSWERS = 5;
/** Attempts to get records, each with a new iterator. */
const ITERATORS = 3;

/** A record of a shard. */
export interface ShardRecord {
  readonly shard: string;
  readonly raw: RawRecord;
  /** When it was created, in milliseconds since the epoch, by AWS's clock. */
  readonly at: number;
}

/** What a reading may still take, shared by its shards. */
export interface Allowance {
  records: number;
  bytes: number;
}

/** Reads one shard in its order. There is one request at a time. */
export class ShardReader {
  readonly shard: string;
  readonly #requests: StreamRequests;
  #progress: Progress;
  #iterator: Iterator | null = null;
  /** Whether an answer was empty since the iterator was made: then the end is near. */
  #isWarm = false;
  #isCaughtUp = false;
  /** When `beginAtLatest` was called, by AWS's clock. */
  #beganAt = 0;
  /** Records created before that time are older than the items; only an iterator from the horizon returns such. */
  #skipBefore = 0;
  /** When the stream was last read to its end, by its position, in milliseconds since the epoch. */
  readonly #positionAt: number;
  /** All records created before that time were read. */
  #readTo: number;

  constructor(shard: string, progress: Progress, positionAt: number, requests: StreamRequests) {
    this.shard = shard;
    this.#requests = requests;
    this.#progress = progress;
    this.#positionAt = positionAt;
    this.#readTo = positionAt;
  }

  get progress(): Progress {
    return this.#progress;
  }

  get #after(): string | undefined {
    return typeof this.#progress === 'object' ? this.#progress.after : undefined;
  }

  get isAtEnd(): boolean {
    return this.#progress === 'end';
  }

  /** Whether the last `read` found nothing more. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp || this.isAtEnd;
  }

  /**
   * Whether another reader can continue from `progress` without repeating older records. It cannot yet if the shard had no
   * record since this one began: creation times are whole seconds, so the time of the beginning separates nothing.
   */
  get isSettled(): boolean {
    const since = typeof this.#progress === 'object' ? this.#progress.since : undefined;
    return since === undefined || since > this.#beganAt;
  }

  /** All records created before that time were read, in milliseconds since the epoch by this machine's clock. */
  get readTo(): number {
    return this.#readTo;
  }

  /** Begins with what is written from now on. */
  async beginAtLatest(signal: AbortSignal): Promise<void> {
    this.#iterator = await this.#requests.iterator(this.shard, { ShardIteratorType: 'LATEST' }, signal);
    this.#beganAt = this.#requests.serverNow();
    this.#progress = { since: wholeSeconds(this.#beganAt) };
  }

  /**
   * Reads on until there is nothing more for now, the shard ends, or the allowance is used up, and adds to `found`. An empty
   * answer does not mean that the end is reached: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
   */
  async read(
    found: ShardRecord[],
    allowance: Allowance,
    isClosed: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    this.#isCaughtUp = false;
    for (let empty = 0; allowance.records > 0 && allowance.bytes > 0; ) {
      const askedAt = this.#requests.now();
      const { records, bytes, next } = await this.#next(signal);
      this.#iterator = next;
      const last = this.#take(records, found);
      allowance.records -= records.length;
      allowance.bytes -= bytes;
      empty = records.length === 0 ? empty + 1 : 0;
      if (next === null) return this.#end();
      if (records.length === 0) this.#nothingUntil(askedAt);
      const isOld = last !== null && askedAt - last > BEHIND;
      const isUnknown = (isClosed || !this.#isWarm) && empty < EMPTY_ANSWERS;
      if (records.length >= MANY || isOld || isUnknown) {
        if (last !== null) this.#readTo = Math.max(this.#readTo, last);
        continue;
      }
      this.#isWarm = true;
      this.#isCaughtUp = !isClosed;
      this.#readTo = askedAt;
      return;
    }
  }

  /** Returns when the last of the records was created, by this machine's clock; null: there are none. */
  #take(records: readonly RawRecord[], found: ShardRecord[]): number | null {
    const after = this.#after ?? null;
    let last: RawRecord | null = null;
    for (const raw of records) {
      const at = timeOf(raw);
      if (at >= this.#skipBefore && isAfter(raw, after)) found.push({ shard: this.shard, raw, at });
      last = raw;
    }
    if (last === null) return null;
    if (isAfter(last, after)) this.#progress = { after: sequenceOf(last) };
    return timeOf(last) - (this.#requests.serverNow() - this.#requests.now());
  }

  #end(): void {
    this.#progress = 'end';
  }

  /** While nothing was read yet: nothing is older than this either, but for what is still on its way. */
  #nothingUntil(askedAt: number): void {
    if (typeof this.#progress !== 'object' || this.#progress.since === undefined) return;
    const offset = this.#requests.serverNow() - this.#requests.now();
    const since = wholeSeconds(askedAt + offset - PROPAGATION);
    this.#progress = { since: Math.max(this.#progress.since, since) };
  }

  /** The next answer, with a new iterator if there is none or it serves no more. */
  async #next(signal: AbortSignal) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const isFresh = this.#iterator !== null && this.#requests.now() - this.#iterator.at < ITERATOR_FRESH;
        if (!isFresh) this.#iterator = await this.#renew(signal);
        return await this.#requests.records(this.#iterator!, signal);
      } catch (error) {
        signal.throwIfAborted();
        const { name } = facts(error);
        this.#iterator = null;
        if (name === 'ResourceNotFoundException') throw recordsTrimmed(this.shard);
        const isTrimmed = name === 'TrimmedDataAccessException';
        if (!isTrimmed && name !== 'ExpiredIteratorException') throw error;
        if (attempt === ITERATORS) throw isTrimmed ? recordsTrimmed(this.shard) : error;
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<Iterator> {
    this.#isWarm = false;
    const horizon: IteratorStart = { ShardIteratorType: 'TRIM_HORIZON' };
    const after = this.#after;
    this.#skipBefore = (typeof this.#progress === 'object' ? this.#progress.since : undefined) ?? 0;
    if (after === undefined) return this.#requests.iterator(this.shard, horizon, signal);
    try {
      const start: IteratorStart = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: after };
      return await this.#requests.iterator(this.shard, start, signal);
    } catch (error) {
      if (facts(error).name !== 'TrimmedDataAccessException') throw error;
      // The record is gone. If the shard was read to its end within the retention, all records after it are still there.
      const readTo = Math.max(this.#positionAt, this.#readTo);
      if (this.#requests.now() - readTo > RETENTION - ITERATOR_FRESH) throw recordsTrimmed(this.shard);
      return this.#requests.iterator(this.shard, horizon, signal);
    }
  }
}

function wholeSeconds(time: number): number {
  return Math.floor(time / 1_000) * 1_000;
}

function timeOf({ dynamodb }: RawRecord): number {
  return Math.round((dynamodb?.ApproximateCreationDateTime ?? 0) * 1_000);
}

function sequenceOf({ dynamodb }: RawRecord): string {
  return dynamodb?.SequenceNumber ?? '0';
}

/** Sequence numbers have up to 40 digits. */
function isAfter(raw: RawRecord, sequence: string | null): boolean {
  return sequence === null || BigInt(sequenceOf(raw)) > BigInt(sequence);
}
