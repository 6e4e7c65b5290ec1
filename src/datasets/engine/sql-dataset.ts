import type { SqlTable } from '../windows/sql-table.js';

/** Milliseconds that an answer which depends on "now" stands. */
export const NOW_STANDS = 5_000;

/** The time that a window asks for, `to` excluded; epoch milliseconds, null: open. */
export interface Range {
  readonly from: number | null;
  readonly to: number | null;
}

/** A dataset as SQL sees it: it follows the dataset when it is told to. */
export interface SqlDataset {
  /**
   * Brings it up to date. Rejects with `DATASET_NOT_READ_YET` while the dataset has nothing, with `VIEW_BROKEN` when it
   * is a view that does not work.
   */
  sync(): Promise<void>;
  /** Names the state of all that an answer depends on; after `sync`. */
  readonly state: string;
  /** Milliseconds since the epoch up to which that holds, for what depends on "now"; null: for ever. After `sync`. */
  readonly until: number | null;
  /** Where to read a window of it; after `sync`. */
  table(range: Range): Promise<SqlTable>;
}
