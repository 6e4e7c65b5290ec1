import type { Column, EncodedRows, RowRange } from '../csv/rows.js';
import type { SealedDay } from '../datasets/relation.js';

/** A log or changes that has sealed days: rows in a CSV file in the order of their polls. */
export interface FollowedLog {
  readonly name: string;
  /** The last column, the poll's time. */
  readonly pollColumn: string;
  /** The column of the rows' own time, by which they are filed; null: by their poll's time. */
  readonly itemTime: string | null;
  /** Time of the oldest poll, milliseconds since the epoch; 0 without rows. */
  readonly firstAt: number;
  /** All rows of the CSV file. */
  rows(): Promise<EncodedRows>;
}

/** A log or changes, as sealing sees it. */
export interface SealableLog extends FollowedLog {
  /** Null until the first poll. */
  readonly columns: readonly Column[] | null;
  /** Rows of newer polls (milliseconds since the epoch) have to stay in the file. */
  readonly neededAfter: number;
  /** The sealed days that readers see, oldest first. */
  sealedDays: readonly SealedDay[];
  /** Removes rows from the file and shows these days instead, in one step for every reader. */
  dropRows(ranges: readonly RowRange[], days: readonly SealedDay[]): Promise<void>;
}
