import { createHash } from 'node:crypto';
import { trimmed } from './failure.js';

/** A record as GetRecords answers it. */
export interface StoredRecord {
  readonly sequence: bigint;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The size of its images, in bytes. */
  readonly bytes: number;
  readonly body: object;
}

/** GetRecords answers at most so many bytes: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html */
const MOST_BYTES = 1 << 20;

/** A part of a stream: the records of some hours, in their order. */
export class StreamShard {
  readonly id: string;
  readonly parent: string | null;
  readonly openedAt: number;
  /** The sequence number before its first one. */
  readonly begin: bigint;
  #records: StoredRecord[] = [];
  /** The last sequence number that was trimmed, or `begin`. */
  #horizon: bigint;
  #closed: { readonly at: number; readonly end: bigint } | null = null;

  constructor(options: {
    readonly parent: string | null;
    readonly openedAt: number;
    readonly begin: bigint;
  }) {
    const { parent, openedAt, begin } = options;
    this.parent = parent;
    this.openedAt = openedAt;
    this.begin = begin;
    this.#horizon = begin;
    const hash = createHash('sha256').update(`${openedAt} ${begin}`).digest('hex').slice(0, 8);
    this.id = `shardId-${String(openedAt).padStart(20, '0')}-${hash}`;
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  get length(): number {
    return this.#records.length;
  }

  /** Sequence numbers after that one can be read. */
  get horizon(): bigint {
    return this.#horizon;
  }

  /** Whether a sequence number lies between the shard's first and last one. */
  has(sequence: bigint): boolean {
    return sequence > this.begin && (this.#closed === null || sequence <= this.#closed.end);
  }

  add(record: StoredRecord): void {
    this.#records.push(record);
  }

  /** No record comes any more. `end`: the stream's last sequence number. */
  close(at: number, end: bigint): void {
    this.#closed ??= { at, end };
  }

  /** Forgets records from before that time. Returns whether anything is left to be read, now or later. */
  trim(before: number): boolean {
    let count = 0;
    while (count < this.#records.length && this.#records[count]!.at < before) count += 1;
    this.drop(count);
    return this.#closed === null || this.#records.length > 0 || this.#closed.at >= before;
  }

  /** Forgets its oldest records. */
  drop(count: number): void {
    if (count === 0) return;
    this.#horizon = this.#records[count - 1]!.sequence;
    this.#records = this.#records.slice(count);
  }

  /**
   * The records after a sequence number, in their order, and the sequence number after which it goes on; null: the shard
   * was read to its end. Throws `TrimmedDataAccessException` if some of them are gone.
   */
  read(after: bigint, limit: number): { readonly records: readonly object[]; readonly next: bigint | null } {
    if (after < this.#horizon) throw trimmed();
    const records: StoredRecord[] = [];
    let bytes = 0;
    const from = this.#firstAfter(after);
    for (let index = from; index < this.#records.length && records.length < limit; index += 1) {
      const record = this.#records[index]!;
      bytes += record.bytes;
      if (bytes > MOST_BYTES && records.length > 0) break;
      records.push(record);
    }
    const isOver = this.isClosed && from + records.length === this.#records.length;
    return {
      records: records.map(({ body }) => body),
      next: isOver ? null : (records.at(-1)?.sequence ?? after),
    };
  }

  /** As DescribeStream lists it. */
  describe(): object {
    return {
      ShardId: this.id,
      ...(this.parent === null ? {} : { ParentShardId: this.parent }),
      SequenceNumberRange: {
        StartingSequenceNumber: String(this.begin + 1n),
        ...(this.#closed === null ? {} : { EndingSequenceNumber: String(this.#closed.end) }),
      },
    };
  }

  #firstAfter(sequence: bigint): number {
    let low = 0;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#records[middle]!.sequence > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
