import type { DynamoCsvError } from '../base/errors.js';
import type { Column } from '../csv/rows.js';

/** snapshot, log and changes are polled; a view is computed by SQL; a lookup is a static file; status is about the service. */
export type DatasetKind = 'snapshot' | 'log' | 'changes' | 'view' | 'lookup' | 'status';

/** The source of datasets about the service itself. */
export const THIS_SERVICE = 'this service';

/** `waiting`: never read; `fresh`; `late`: older than one interval and a half; `stale`: older than three intervals. */
export type Freshness = 'waiting' | 'fresh' | 'late' | 'stale';

/** A named set of rows with a version and a time: what `/csv/:name` names. */
export interface Dataset {
  readonly name: string;
  readonly kind: DatasetKind;
  /** Where its rows come from, for display: `DynamoDB table flag-dynamodb`, `config/views/rides-today.sql`. */
  readonly source: string;
  readonly description: string | null;
  /** In the order of the header; null until the first read. */
  readonly columns: readonly Column[] | null;
  /** Names of the columns that identify a row; in a log, together with the time column. */
  readonly keys: readonly string[];
  /** The column that time windows refer to, or null. */
  readonly timeColumn: string | null;
  /** In a log of new items the column of their own time; null or absent: a log has the rows of every poll. */
  readonly itemTime?: string | null;
  /** Where the configuration has the options of its table, `tables.orders`; absent: it is not a table's. */
  readonly optionsAt?: string | undefined;
  /** What is odd about the values of columns; absent: nothing. */
  readonly exceptions?: readonly ColumnException[];
  /** How it is computed; views only. */
  readonly definition?: Definition;
  /** Changes whenever the bytes or a column's type may have changed; null until the first read. */
  readonly version: string | null;
  status(): DatasetStatus;
  /**
   * The whole dataset as CSV; immutable, since a later poll makes a new one. Rejects with `DATASET_NOT_READ_YET` (503)
   * before the first read.
   */
  content(): Promise<Content>;
}

/** Values of a column, as of the latest poll, that are not what the configuration says of it, or not of its type. */
export interface ColumnException {
  readonly column: string;
  /** What they are instead, after "is": `not a time`. */
  readonly problem: string;
  /** How many items have one. */
  readonly count: number;
  /** The key of one of these items, and what it has, cut where it is long. */
  readonly key: Readonly<Record<string, string>>;
  readonly value: string;
}

/** How a view is computed. */
export interface Definition {
  /** The path of its SQL file, for display. */
  readonly file: string;
  readonly sql: string;
  /** Names of the datasets that its SQL reads, in alphabetical order; empty while the view is broken. */
  readonly uses: readonly string[];
}

/** A whole dataset at one point in time. */
export interface Content {
  readonly version: string;
  /** Milliseconds since the epoch when the data was read (start of the poll). */
  readonly readAt: number;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** Header line and rows. */
  readonly bytes: Buffer;
  /** The hash of `bytes` (see `hashOf`), where the dataset knows it: HTTP makes the entity tag of it. */
  readonly hash?: string;
}

/** What `/datasets`, `/healthz`, `/metrics` and the page show of a dataset. */
export interface DatasetStatus {
  readonly rows: number | null;
  readonly bytes: number | null;
  /** Milliseconds since the epoch of the last successful read, with or without changes; null: none yet. */
  readonly readAt: number | null;
  /** Poll interval in milliseconds; null if it is not polled. */
  readonly interval: number | null;
  readonly freshness: Freshness;
  readonly nextPollAt: number | null;
  /** False while the latest data is not on the volume because writing failed. */
  readonly persisted: boolean;
  /** The error of the last poll; null if it succeeded. */
  readonly lastError: { readonly code: string; readonly message: string; readonly at: number } | null;
  /** The query of a view that another engine computes; null: none has ended yet. Absent: it is no such view. */
  readonly query?: EngineQuery | null;
}

/** What a query in another engine took. */
export interface EngineQuery {
  readonly engine: string;
  /** As the engine names it: its console finds it by that. */
  readonly id: string;
  readonly bytesScanned: number;
  /** US dollars by list price. */
  readonly usd: number;
  /** Milliseconds. */
  readonly took: number;
}

/** The datasets by name, the only way from requests to data. */
export interface Registry {
  get(name: string): Dataset | undefined;
  /** All datasets, in the order of the configuration. */
  list(): readonly Dataset[];
  /** The closest existing name, for "did you mean"; undefined if none is close. */
  closest(name: string): string | undefined;
  /** Why there is no dataset of that name, although there could be; undefined: nothing is known about it. */
  absence(name: string): DynamoCsvError | undefined;
}
