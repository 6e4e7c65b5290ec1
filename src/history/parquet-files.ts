import type { EncodedRows } from '../csv/rows.js';
import type { FileSchema, NamedInFiles } from './file-schema.js';

/** A file of a sealed day that cannot be read. */
export interface DamagedFile {
  readonly dataset: string;
  /** Local day, `2026-11-24`. */
  readonly date: string;
  readonly path: string;
  /** Part of a sentence: `No magic bytes found at end of file`. */
  readonly reason: string;
}

/** How a file is written again. */
export interface Rewriting {
  readonly from: string;
  /** Where the new file is created. */
  readonly to: string;
  /** The columns that it gets. */
  readonly schema: FileSchema;
  /** The columns of the dataset. */
  readonly columns: readonly NamedInFiles[];
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

/** What writing sealed days again needs from the SQL engine. */
export interface RewritableFiles extends Pick<ParquetFiles, 'damageOf'> {
  /** The columns of Parquet files, by path. */
  schemasOf(paths: readonly string[]): Promise<ReadonlyMap<string, FileSchema>>;
  /**
   * Writes the rows of a file again with other columns, which have at least the file's own, in types as wide. Rejects with
   * `DAY_NOT_REWRITTEN` if a cell would not be what it was.
   */
  rewrite(rewriting: Rewriting): Promise<void>;
  /**
   * Runs work that replaces a file while no query reads sealed days. Resolves to false, without having run it, if the
   * running ones do not end soon. `renamed`: the path of the file if a column has another name in it now.
   */
  undisturbed(work: () => Promise<void>, renamed: string | null): Promise<boolean>;
}

/** What following another service's sealed days needs from the SQL engine. */
export interface FollowedFiles {
  /** Another service wrote that file again: its columns, which may have other names, are read with the next sealed days. */
  rewritten(path: string): void;
}
