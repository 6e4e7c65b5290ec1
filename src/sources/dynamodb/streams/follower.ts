import { isThrottling } from '../../aws/failures.js';
import { MAX_IN_FLIGHT } from '../client.js';
import { together } from '../scan.js';
import { breakTooLong, recordsTrimmed } from './errors.js';
import type { Position, Progress } from './position.js';
import type { Shard, StreamRequests } from './requests.js';
import { type Allowance, RETENTION, ShardReader, type ShardRecord } from './shard-reader.js';

/** New shards are listed when one ends; this is for everything else. */
const LISTING_FRESH = 5 * 60_000;
/** Milliseconds between two listings while there are no children of a shard that ended. */
const CHILDREN_MISSING = 1_000;
/** The most that one reading takes, so that it is recorded soon and memory is bounded. */
const MOST: Readonly<Allowance> = { records: 10_000, bytes: 16 << 20 };

/** What was found since a position. */
export interface Followed {
  /** The records of each item in its order, all by time. */
  readonly records: readonly ShardRecord[];
  readonly position: Position;
  /** Whether there is probably more already. */
  readonly isBehind: boolean;
  /** What was thrown where a shard was throttled; null: nothing. */
  readonly throttled: unknown;
}

/**
 * Reads a stream from a position on. A stream has shards, each with the records of some items in their order; a shard is
 * closed after some hours, and its children continue it. So a shard is read to its end before its children begin.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export class StreamFollower {
  readonly #requests: StreamRequests;
  readonly #readers = new Map<string, ShardReader>();
  #shards: ReadonlyMap<string, Shard> = new Map();
  #parents: ReadonlySet<string | null> = new Set();
  #listedAt = Number.NEGATIVE_INFINITY;
  /** Everything before that time was read. */
  #at: number;
  /** Shards that ended here, until their children are listed. */
  readonly #ended = new Set<string>();

  private constructor(requests: StreamRequests, at: number) {
    this.#requests = requests;
    this.#at = at;
  }

  /** Continues from a position. Nothing is requested yet. */
  static from(requests: StreamRequests, { at, shards }: Position): StreamFollower {
    const follower = new StreamFollower(requests, at);
    for (const [shard, progress] of shards) follower.#add(shard, progress);
    return follower;
  }

  /** Begins at the end of the stream: what is written from now on will be read. */
  static async atEnd(requests: StreamRequests, signal: AbortSignal): Promise<StreamFollower> {
    const follower = new StreamFollower(requests, requests.now());
    await follower.#list(signal, 'end');
    const open = [...follower.#readers.values()].filter(({ shard }) => !follower.#isClosed(shard));
    await inParallel(open, signal, (reader, signal) => reader.beginAtLatest(signal));
    return follower;
  }

  /** Where the next reading continues. */
  get position(): Position {
    const shards = Array.from(this.#readers, ([shard, { progress }]): [string, Progress] => [
      shard,
      progress,
    ]);
    return { stream: this.#requests.stream, at: this.#at, shards: new Map(shards) };
  }

  /** Whether another follower can continue from `position` without repeating records from before the beginning. */
  get isSettled(): boolean {
    return [...this.#readers.values()].every((reader) => reader.isSettled);
  }

  /** Shards that were not read to their end. */
  get openShards(): number {
    return [...this.#readers.values()].filter(({ isAtEnd }) => !isAtEnd).length;
  }

  /**
   * Reads on in all shards, several at once. Rejects with what the SDK threw, with `StreamBroken` if records are gone that
   * were not read, or with the signal's reason. Afterwards this follower must not be used any more.
   */
  async read(signal: AbortSignal): Promise<Followed> {
    const startedAt = this.#requests.now();
    if (startedAt - this.#at > RETENTION) throw breakTooLong(startedAt - this.#at);
    const found: ShardRecord[] = [];
    const allowance = { ...MOST };
    let throttled: unknown = null;
    const readOn = async (reader: ShardReader, signal: AbortSignal) => {
      try {
        await reader.read(found, allowance, this.#isClosed(reader.shard), signal);
      } catch (error) {
        // What other shards had counts; this one is asked again at the next reading.
        if (!isThrottling(error)) throw error;
        throttled = error;
      }
    };
    await this.#list(signal);
    const done = new Set<ShardReader>();
    for (let ready = this.#ready(done); ready.length > 0; ready = this.#ready(done)) {
      for (const reader of ready) done.add(reader);
      await inParallel(ready, signal, readOn);
      const ended = ready.filter(({ isAtEnd }) => isAtEnd);
      for (const { shard } of ended) this.#ended.add(shard);
      if (ended.length > 0) this.#listedAt = Number.NEGATIVE_INFINITY;
      await this.#list(signal);
    }
    const open = [...this.#readers.values()].filter(({ isAtEnd }) => !isAtEnd);
    const isBehind = throttled === null && open.some(({ isCaughtUp }) => !isCaughtUp);
    const readTo = Math.min(
      startedAt,
      ...open.map((reader) => (done.has(reader) ? reader.readTo : this.#at)),
    );
    this.#at = Math.max(this.#at, readTo);
    return { records: inOrder(found, this.#shards), position: this.position, isBehind, throttled };
  }

  #add(shard: string, progress: Progress): void {
    this.#readers.set(shard, new ShardReader(shard, progress, this.#at, this.#requests));
  }

  /** A shard with children gets no more records. (Some emulators give open shards an `EndingSequenceNumber`, too.) */
  #isClosed(shard: string): boolean {
    return this.#parents.has(shard);
  }

  /** Shards that have more, and whose parents have no more. */
  #ready(done: ReadonlySet<ShardReader>): ShardReader[] {
    return [...this.#readers.values()].filter((reader) => {
      const parent = this.#shards.get(reader.shard)?.parent ?? null;
      const isNext = parent === null || (this.#readers.get(parent)?.isAtEnd ?? true);
      return isNext && !reader.isAtEnd && !done.has(reader);
    });
  }

  /** Lists the shards if that may show new ones, which are read from `begin`. */
  async #list(signal: AbortSignal, begin: 'start' | 'end' = 'start'): Promise<void> {
    const age = this.#requests.now() - this.#listedAt;
    if (age < (this.#ended.size > 0 || this.openShards === 0 ? CHILDREN_MISSING : LISTING_FRESH)) return;
    const shards = await this.#requests.shards(signal);
    this.#listedAt = this.#requests.now();
    this.#shards = new Map(shards.map((shard) => [shard.id, shard]));
    this.#parents = new Set(shards.map(({ parent }) => parent));
    for (const { id, parent } of shards) {
      if (!this.#readers.has(id)) this.#add(id, begin);
      if (parent !== null) this.#ended.delete(parent);
    }
    for (const [shard, { isAtEnd }] of this.#readers) {
      if (this.#shards.has(shard)) continue;
      if (!isAtEnd) throw recordsTrimmed(shard);
      this.#readers.delete(shard);
      this.#ended.delete(shard);
    }
  }
}

/** Runs work for each, at most as many at a time as there are connections. */
async function inParallel<T>(
  all: readonly T[],
  signal: AbortSignal,
  work: (one: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const waiting = [...all];
  const worker = async (signal: AbortSignal) => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one, signal);
  };
  await together(
    signal,
    Array.from({ length: Math.min(MAX_IN_FLIGHT, all.length) }, () => worker),
  );
}

/**
 * Records by time. Those of a shard keep their order, and come after those of its parent, whatever their times; `found` has
 * them like that, shard by shard mixed.
 */
function inOrder(found: readonly ShardRecord[], shards: ReadonlyMap<string, Shard>): ShardRecord[] {
  const latest = new Map<string, number>();
  const keyed = found.map((record) => {
    const { shard } = record;
    const parent = shards.get(shard)?.parent ?? '';
    const time = Math.max(record.at, latest.get(shard) ?? latest.get(parent) ?? 0);
    latest.set(shard, time);
    return { record, time };
  });
  return keyed.sort((a, b) => a.time - b.time).map(({ record }) => record);
}
