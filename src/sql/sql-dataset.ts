import { digest } from '../base/hash.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { NOW_STANDS } from '../windows/window-key.js';
import type { SealedFile } from './damaged-days.js';
import type { Session } from './session.js';

/** Identifies the span of time for which an answer that depends on "now" is valid; empty for other answers. */
export function slotOf(dependsOnNow: boolean, now: number): string {
  return dependsOnNow ? String(Math.floor(now / NOW_STANDS)) : '';
}

/** The time that a window asks for, `to` excluded; epoch milliseconds, null: open. */
export interface Range {
  readonly from: number | null;
  readonly to: number | null;
}

/** A dataset's sealed days, of which a SELECT may need only some. */
export interface SealedHistory {
  /** The readable ones, `2026-11-24`, oldest first. */
  readonly dates: readonly string[];
  /** Throws `DAY_MISSING` if a wanted day cannot be read. */
  require(isWanted: (date: string) => boolean): void;
  /** The column with the local day, a DATE, in lower case; null: there is none. */
  readonly day: string | null;
  /** The column with the time, whose local day is `day`, in lower case; null if it is not TIMESTAMPTZ. */
  readonly time: string | null;
  /** Identifies the columns and types that the dataset has in SQL. */
  readonly shape: string;
  /** Identifies the files of a readable day, whose rows never change; undefined: there is no such day. */
  filesOf(date: string): string | undefined;
  /** SQL of the dataset with only these sealed days, and all unsealed rows. */
  select(isWanted: (date: string) => boolean): string;
  /** The same without the unsealed rows; at least one day. */
  sealed(isWanted: (date: string) => boolean): string;
}

/** Rows that stand in one table. */
export interface StoredRows {
  readonly table: SqlTable;
  /** As long as it is the same, rows are only added behind those that were there, in the same columns and types. */
  readonly load: string;
}

/** A dataset as a table in SQL, updated by `sync`. */
export interface SqlDataset {
  /**
   * Updates the table. Rejects with `DATASET_NOT_READ_YET` while the dataset has no data, and with `VIEW_BROKEN` for a
   * broken view.
   */
  sync(): Promise<void>;
  /** Identifies the state of everything that an answer depends on, including the time if it does; after `sync`. */
  readonly state: string;
  /** The files of sealed days that a query on it may read. */
  readonly sealedFiles: readonly SealedFile[];
  /** Null: it has no sealed days; after `sync`. */
  readonly history: SealedHistory | null;
  /** Where to read a window of it; after `sync`. */
  table(range: Range): SqlTable;
  /** The rows of a window if they are all in one table; null: they are not, or are computed anew for each query. After `sync`. */
  stored(range: Range): StoredRows | null;
  /** Removes it from DuckDB once running work has finished. From then on `sync` rejects with `DATASET_UNKNOWN`. */
  drop(): Promise<void>;
}

/** Updates all of them; returns their combined state. */
export async function syncAll(tables: readonly SqlDataset[]): Promise<string> {
  for (const table of tables) await table.sync();
  return stateOf(tables);
}

/**
 * Updates tables and has the session read this state of them, so that columns, types and rows match whatever is loaded
 * meanwhile. Returns their combined state.
 */
export async function readTogether(session: Session, tables: readonly SqlDataset[]): Promise<string> {
  for (;;) {
    const state = await syncAll(tables);
    await session.snapshot();
    // If one was reloaded before the snapshot, what is known here is outdated: try again.
    if (stateOf(tables) === state) return state;
  }
}

function stateOf(tables: readonly SqlDataset[]): string {
  return digest(tables.map(({ state }) => state));
}
