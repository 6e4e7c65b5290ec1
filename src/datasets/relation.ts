import type { EncodedRows } from '../csv/rows.js';
import type { Dataset } from './dataset.js';

/** A closed local day of a log or of changes, in Parquet, never written again. */
export interface SealedDay {
  /** Local day, `2026-11-24`. */
  readonly date: string;
  /** Files of that day; one, or more where rows of a sealed day came late (a restored file). */
  readonly paths: readonly string[];
  /** Why the day cannot be read, as a part of a sentence: a file of it is damaged or gone. Absent: it can. */
  readonly missing?: string;
}

/** A dataset that the SQL engine loads: everything but views. */
export interface Relation extends Dataset {
  /** The rows appended since that version, or null when everything has to be loaded again. */
  appendedSince(version: string): EncodedRows | null;
  /** Closed days, oldest first; empty for what keeps no history. */
  readonly sealedDays: readonly SealedDay[];
}
