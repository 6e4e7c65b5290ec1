import type { DynamoCsvError } from '../base/errors.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';

/**
 * Where rows come from. The one way to add a kind of source: implement this and `SourceKind` (`kind.ts`).
 * A source keeps no data and no schedule: the collector decides when to read, and the recorder keeps the rows.
 */
export interface Source {
  /** What it reads, for display: `DynamoDB table flag-dynamodb`. */
  readonly title: string;
  /**
   * One poll. Rejects with a `DynamoCsvError` whose sentence a user understands, or with the signal's reason when it
   * aborts; a poll that rejects leaves no trace.
   */
  read(request: ReadRequest): Promise<Reading>;
  /**
   * Milliseconds that a reading needs, as far as is known now, for example from the source's size and read limits; 0 or
   * absent: unknown. A poll's deadline is never shorter.
   */
  neededTime?(): number;
  /** Frees connections and threads. */
  close(): Promise<void>;
}

export interface ReadRequest {
  /** The columns that the dataset already has: the reading has all of them, and new ones at their place in the order. */
  readonly known: readonly Column[];
  /** The `position` of the last reading that is on the volume; null or absent: none, and only a `full` reading will do. */
  readonly position?: string | null;
  readonly signal: AbortSignal;
}

/**
 * What one poll found: everything (`full`), what happened since `position` (`delta`), or what is new since then
 * (`append`).
 *
 * A source that follows a stream returns a scan for `position: null`, and for any other position the records after it:
 *
 * ```ts
 * async read({ position = null, known, signal }: ReadRequest): Promise<Reading> {
 *   if (position === null) return { ...(await this.#scan(known, signal)), kind: 'full', position: this.#end() };
 *   const { records, next } = await this.#recordsAfter(position, signal);
 *   return {
 *     kind: 'delta',
 *     rows: encodeRows(columns, records.map(({ cells }) => cells)), // [['7', 'north'], ['9', null]]
 *     records: records.map(({ at, isRemoval }) => ({ at, change: isRemoval ? 'remove' : 'put' })),
 *     compareKeys: ([a], [b]) => Number(a) - Number(b),
 *     keys: ['zone_id'],
 *     position: next,
 *     cost,
 *   };
 * }
 * ```
 *
 * A reading that was not recorded is forgotten together with its position: the next `read` gets the previous position, and
 * returns the same records again.
 */
export type Reading = FullReading | DeltaReading | AppendReading;

/** All rows, in key order (numbers compared as numbers). */
export interface FullReading extends ReadingFacts {
  readonly kind: 'full';
  /** Whether nothing should differ from what was read before; differences are logged. */
  readonly verifies?: boolean;
  readonly rows: EncodedRows;
}

/**
 * Rows that no earlier reading had, in key order, for sources whose recording is `newItemsOnly`: they are appended to the
 * log. What happens to a row later is not known.
 */
export interface AppendReading extends ReadingFacts {
  readonly kind: 'append';
  readonly rows: EncodedRows;
}

/** What happened to items since `position`, oldest first; a key may come several times. */
export interface DeltaReading extends ReadingFacts {
  readonly kind: 'delta';
  /** One row for each record: all cells of an item that was put; of one that was removed its key, and no other cell. */
  readonly rows: EncodedRows;
  /** What each row means. */
  readonly records: readonly DeltaRecord[];
  /** The order of the rows in a full reading, by the cells of two keys: negative when the first comes first. */
  readonly compareKeys: (a: readonly Cell[], b: readonly Cell[]) => number;
}

export interface DeltaRecord {
  /** When it happened, in milliseconds since the epoch; not later than the end of the reading. */
  readonly at: number;
  /** `expire`: removed by the table's time to live. */
  readonly change: 'put' | 'remove' | 'expire';
}

interface ReadingFacts {
  /** Names of the columns that identify a row, in order. */
  readonly keys: readonly string[];
  /**
   * Names of the columns in which values of more than one type were found, in any reading since the last full one; the
   * recorder decides on their type. Absent: none.
   */
  readonly mixed?: readonly string[];
  /** Where the next reading continues, in the source's own format; null: each reading is a `full` one. */
  readonly position: string | null;
  /**
   * Everything that happened before that time, in milliseconds since the epoch, is in the reading; absent: what happened
   * before its start.
   */
  readonly upTo?: number;
  /** Milliseconds until the next reading is worthwhile; absent: it is read at the source's fixed times. */
  readonly nextIn?: number;
  /** What the reading cost. */
  readonly cost: ReadingCost;
  /**
   * Which part could not be read, although the rows are valid, for sources with several independent parts (regions); shown
   * as the dataset's last error. Null or absent: everything was read.
   */
  readonly problem?: DynamoCsvError | null;
}

export interface ReadingCost {
  /** API requests that were answered, and attempts including the retried ones. */
  readonly requests: number;
  readonly attempts: number;
  /** Bytes of response bodies. */
  readonly bytes: number;
  /** Consumed DynamoDB read capacity units; 0 for other sources. */
  readonly readCapacityUnits: number;
  /** Metrics billed by CloudWatch; 0 for DynamoDB. */
  readonly metricsRequested: number;
  /** GetRecords requests to a stream, which are billed; absent: none. */
  readonly streamReads?: number;
}
