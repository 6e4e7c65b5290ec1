import type { Column } from '../csv/rows.js';

/** snapshot, log, changes: polled; view: computed by SQL; lookup: a static file; status: about the service itself. */
export type DatasetKind = 'snapshot' | 'log' | 'changes' | 'view' | 'lookup' | 'status';

/** The source of datasets about the service itself. */
export const THIS_SERVICE = 'this service';

/** `waiting`: never read; `fresh`; `late`: older than one interval and a half; `stale`: older than three intervals. */
export type Freshness = 'waiting' | 'fresh' | 'late' | 'stale';

/** A named set of rows with a version and a time: what `/csv/:name` names. */
export interface Dataset {
  readonly name: string;
  readonly kind: DatasetKind;
  /** Where its rows come from, for people: `DynamoDB table flag-dynamodb`, `config/views/rides-today.sql`. */
  readonly source: string;
  readonly description: string | null;
  /** Header order; null while not known (nothing was ever read). */
  readonly columns: readonly Column[] | null;
  /** Names of the columns that identify a row (in a log together with its time column). */
  readonly keys: readonly string[];
  /** The column that time windows refer to, or null. */
  readonly timeColumn: string | null;
  /** Only a view has one. */
  readonly definition?: Definition;
  /** Changes whenever the bytes or a column's type may have changed; null while nothing was read. */
  readonly version: string | null;
  status(): DatasetStatus;
  /**
   * The whole dataset as CSV. Rejects with `DATASET_NOT_READ_YET` (503) while there is nothing.
   * The result is immutable: a later poll makes a new one.
   */
  content(): Promise<Content>;
}

/** How a view is computed. */
export interface Definition {
  /** The file it stands in, as shown to people. */
  readonly file: string;
  readonly sql: string;
  /** Names of the datasets that its SQL reads, in alphabetical order; empty while the view is broken. */
  readonly uses: readonly string[];
}

/** A whole dataset as it stood at one time. */
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

/** What `/datasets`, `/healthz`, `/metrics` and the page tell about a dataset. */
export interface DatasetStatus {
  readonly rows: number | null;
  readonly bytes: number | null;
  /** Milliseconds since the epoch of the last successful reading, whether or not it changed anything; null: none yet. */
  readonly readAt: number | null;
  /** Poll interval in milliseconds; null for what is not polled. */
  readonly interval: number | null;
  readonly freshness: Freshness;
  readonly nextPollAt: number | null;
  /** False while the latest data could not be written to the volume. */
  readonly persisted: boolean;
  /** The last poll's error while it is still failing; null when the last poll succeeded. */
  readonly lastError: { readonly code: string; readonly message: string; readonly at: number } | null;
}

/** The datasets by name; requests reach data only through here. */
export interface Registry {
  get(name: string): Dataset | undefined;
  /** In the configuration's order. */
  list(): readonly Dataset[];
  /** The closest existing name, for "did you mean"; undefined when nothing is close. */
  closest(name: string): string | undefined;
}
