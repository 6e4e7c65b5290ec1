import type { DynamoCsvError } from '../base/errors.js';
import type { EncodedRows } from '../csv/rows.js';
import type { Difference } from './diff.js';

/** One poll on its way to the volume. */
export interface Poll {
  /** Its time, later than every poll before. */
  readonly at: number;
  /** When it began by the clock: earlier than `at` if the clock went back. */
  readonly readAt: number;
  /** All items, in the table's layout. */
  readonly rows: EncodedRows;
  readonly position: string | null;
  /** Rows for the log and for the changes; null if they are not kept. */
  readonly logged: EncodedRows | null;
  readonly compared: Compared | null;
  readonly problems: DynamoCsvError[];
}

/** The differences from the previous poll, and the same as rows of the changes. */
export interface Compared {
  readonly differences: readonly Difference[];
  readonly rows: EncodedRows;
}

/** The result of recording one poll. */
export interface Recorded {
  /** The poll's time: its start, later than every poll before. */
  readonly at: number;
  readonly rows: number;
  readonly bytes: number;
  /** The number of rows added to the changes; null if changes are not kept. */
  readonly changes: number | null;
  /** Why not everything could be written; empty if everything is on disk. */
  readonly problems: readonly DynamoCsvError[];
}
