import type { EncodedRows } from '../csv/rows.js';

/** A file of a sealed day that cannot be read. */
export interface DamagedFile {
  readonly dataset: string;
  /** Local day, `2026-11-24`. */
  readonly date: string;
  readonly path: string;
  /** Part of a sentence: `No magic bytes found at end of file`. */
  readonly reason: string;
}

/** What sealing needs from the SQL engine: writing and reading Parquet files. */
export interface ParquetFiles {
  /** Writes rows as one Parquet file (zstd), in their order. */
  writeParquet(rows: EncodedRows, path: string): Promise<void>;
  /** The times in a column of a Parquet file that `writeParquet` wrote, milliseconds since the epoch. */
  timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>>;
  /** What is wrong with a Parquet file, as part of a sentence; null: all of it can be read. */
  damageOf(path: string): Promise<string | null>;
  /** Resolves when every query that may be reading sealed days now has ended; null: none is running. */
  queriesEnded(): Promise<void> | null;
}
