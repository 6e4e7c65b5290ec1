import type { EncodedRows, RowRange } from '../csv/rows.js';
import type { SealedDay } from '../datasets/relation.js';

/** A log or changes, as sealing sees it: rows in time order in a CSV file, and sealed days. */
export interface SealableLog {
  readonly name: string;
  readonly timeColumn: string;
  /** Time of the oldest row, milliseconds since the epoch; 0 without rows. */
  readonly firstAt: number;
  /** Newer rows (milliseconds since the epoch) have to stay in the file. */
  readonly neededAfter: number;
  /** The sealed days that readers see, oldest first. */
  sealedDays: readonly SealedDay[];
  /** All rows of the CSV file. */
  rows(): Promise<EncodedRows>;
  /** Removes rows from the file and shows these days instead, in one step for every reader. */
  dropRows(ranges: readonly RowRange[], days: readonly SealedDay[]): Promise<void>;
}
