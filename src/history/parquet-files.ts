import type { EncodedRows } from '../csv/rows.js';

/** What sealing needs of the SQL engine: Parquet files, written and read. */
export interface ParquetFiles {
  /** Writes rows as one Parquet file (zstd), in their order. */
  writeParquet(rows: EncodedRows, path: string): Promise<void>;
  /** The times in a column of a Parquet file that `writeParquet` wrote, milliseconds since the epoch. */
  timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>>;
  /** Resolves when every query that may be reading sealed days now has ended; null: none is running. */
  queriesEnded(): Promise<void> | null;
}
