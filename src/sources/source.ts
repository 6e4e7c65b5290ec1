import type { DynamoCsvError } from '../base/errors.js';
import type { Column, EncodedRows } from '../csv/rows.js';

/**
 * Where rows come from. The one way to add a kind of source: implement this and `SourceKind` (`kind.ts`).
 * A source keeps no data and no schedule: the collector asks, the datasets keep.
 */
export interface Source {
  /** What it reads, for people: `DynamoDB table flag-dynamodb`. */
  readonly title: string;
  /**
   * One poll: a complete reading, or a rejection (a `DynamoCsvError` with a sentence a user understands) and no trace.
   * `known` are the columns the dataset already has: the reading has all of them, and more only at their place.
   * Rejects with the signal's reason when it aborts.
   */
  read(request: { readonly known: readonly Column[]; readonly signal: AbortSignal }): Promise<Reading>;
  /** Frees connections and threads. */
  close(): Promise<void>;
}

/** What one poll found. Rows are in key order, numbers compared as numbers. */
export interface Reading {
  readonly rows: EncodedRows;
  /** Names of the columns that identify a row, in order. */
  readonly keys: readonly string[];
  /** What the reading cost. */
  readonly cost: ReadingCost;
  /**
   * What could not be read although the rows are right without it, for sources of several independent parts (regions);
   * shown as the dataset's last error. Null or absent: everything was read.
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
}
