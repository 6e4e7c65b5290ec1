import type { EncodedRows } from '../csv/rows.js';
import type { Dataset } from './dataset.js';

/** Rows of which some changed, all in the layout of the relation. */
export interface EditedRows {
  /** The rows that are new or different now. */
  readonly put: EncodedRows;
  /** Rows with the keys of those that are gone; their other cells mean nothing. */
  readonly removed: EncodedRows;
}

/** A closed local day of a log or of changes, stored as Parquet; its rows never change. */
export interface SealedDay {
  /** Local day, `2026-11-24`. */
  readonly date: string;
  /** The day's files: one, or more if rows of the day arrived after it was sealed (a restored file). */
  readonly paths: readonly string[];
  /** Why the day cannot be read, as a part of a sentence: a file of it is damaged or gone. Absent: it can. */
  readonly missing?: string;
  /**
   * How often another service was seen to have written the day's files again, with other names of columns; absent: never.
   * What was read of them before it was seen may be wrong.
   */
  readonly rewritings?: number;
}

/** Identifies what was read of a sealed day. */
export function dayKey({ paths, rewritings = 0 }: SealedDay): string {
  return [...paths, rewritings].join('\n');
}

/** A dataset that the SQL engine loads: all kinds but views. */
export interface Relation extends Dataset {
  /** The rows appended since that version; null if everything must be loaded again. */
  appendedSince(version: string): EncodedRows | null;
  /** In a log of new items, whose rows have a time of their own: the column of the poll's time; absent: there is none. */
  readonly pollColumn?: string | undefined;
  /** What changed since that version in rows that keep their keys' order; null or absent: everything must be loaded again. */
  editedSince?(version: string): EditedRows | null;
  /** Closed days, oldest first; empty for what keeps no history. */
  readonly sealedDays: readonly SealedDay[];
}
