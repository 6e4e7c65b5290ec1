import { digest } from '../base/hash.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { NOW_STANDS } from '../windows/window-key.js';
import type { SealedFile } from './damaged-days.js';
import type { Session } from './session.js';

/** Names the span of time for which an answer stands that depends on "now"; the empty text for others. */
export function slotOf(dependsOnNow: boolean, now: number): string {
  return dependsOnNow ? String(Math.floor(now / NOW_STANDS)) : '';
}

/** The time that a window asks for, `to` excluded; epoch milliseconds, null: open. */
export interface Range {
  readonly from: number | null;
  readonly to: number | null;
}

/** A dataset's sealed days, of which a SELECT may want some only. */
export interface SealedHistory {
  /** Those of them that can be read, `2026-11-24`, oldest first. */
  readonly dates: readonly string[];
  /** Throws `DAY_MISSING` where a wanted day cannot be read. */
  require(isWanted: (date: string) => boolean): void;
  /** The column with the local day, a DATE, in small letters; null: there is none. */
  readonly day: string | null;
  /** The column with the time, of which `day` is the local day, in small letters; null: not as TIMESTAMPTZ. */
  readonly time: string | null;
  /** SQL of the dataset with these days only, and with all that is not sealed. */
  select(isWanted: (date: string) => boolean): string;
}

/** A dataset as SQL sees it: it follows the dataset when it is told to. */
export interface SqlDataset {
  /**
   * Brings it up to date. Rejects with `DATASET_NOT_READ_YET` while the dataset has nothing, with `VIEW_BROKEN` when it
   * is a view that does not work.
   */
  sync(): Promise<void>;
  /** Names the state of all that an answer depends on, the time where it does; after `sync`. */
  readonly state: string;
  /** The files of sealed days that a question about it may read. */
  readonly sealedFiles: readonly SealedFile[];
  /** Null: it has none; after `sync`. */
  readonly history: SealedHistory | null;
  /** Where to read a window of it; after `sync`. */
  table(range: Range): SqlTable;
  /** Removes it from DuckDB, after what it is doing. From then on `sync` rejects with `DATASET_UNKNOWN`. */
  drop(): Promise<void>;
}

/** Brings all of them up to date; returns the state of them together. */
export async function syncAll(tables: readonly SqlDataset[]): Promise<string> {
  for (const table of tables) await table.sync();
  return stateOf(tables);
}

/**
 * Brings tables up to date and has the session read them as they are then, so that their columns, types and rows belong
 * together whatever is loaded meanwhile. Returns the state of them.
 */
export async function readTogether(session: Session, tables: readonly SqlDataset[]): Promise<string> {
  for (;;) {
    const state = await syncAll(tables);
    await session.snapshot();
    // One that was loaded anew before the snapshot is not what is known of it here: once more.
    if (stateOf(tables) === state) return state;
  }
}

function stateOf(tables: readonly SqlDataset[]): string {
  return digest(tables.map(({ state }) => state));
}
