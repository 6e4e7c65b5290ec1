import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorCode } from '../base/errors.js';
import { encodeFile } from '../csv/encode.js';
import type { EncodedRows } from '../csv/rows.js';
import type { ParquetFiles } from '../history/parquet-files.js';
import { identifier, literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { STAGING, type StoredColumn, stage, typed } from './loading.js';
import { readDuckDbError } from './select-mistake.js';

/** How DuckDB's message begins for a file that is not Parquet, or is damaged. */
const DAMAGED =
  /^(Invalid Input Error|Invalid Error|Serialization Error|TProtocolException|IO Error: .*(footer|metadata|Input\/output error))/i;

/** Writes and reads sealed days with DuckDB. */
export class DuckDbParquet implements ParquetFiles {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Writes one file with zstd, rows in order. Numbers are BIGINT or DOUBLE if that keeps every digit, otherwise text; a
   * column that never had a value is left out, because it has no type yet.
   */
  async writeParquet(rows: EncodedRows, path: string): Promise<void> {
    await this.#engine.scratch.withFile(encodeFile(rows), (csv) =>
      this.#engine.session({ caller: 'service' }, async (session) => {
        const columns = await stage(session, csv, rows.columns);
        const seen = columns.filter(({ column }) => column.seen);
        await session.run(
          `COPY (SELECT ${typed(seen)} FROM ${STAGING}) TO ${literal(path)}
            (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION ${versionFor(seen)})`,
        );
        await session.run(`DROP TABLE ${STAGING}`);
      }),
    );
  }

  /** Reads every column. Running out of memory is not damage, nor is a file that this process may not open. */
  async damageOf(path: string): Promise<string | null> {
    const everything = `SELECT bit_xor(hash(file)) FROM read_parquet(${literal(path)}, hive_partitioning = false) AS file`;
    try {
      await this.#engine.session({ caller: 'service' }, (session) => session.rows(everything));
      return null;
    } catch (error) {
      const state = await stat(path).catch((failed: unknown) => errorCode(failed));
      if (state === 'ENOENT') return 'there is no such file';
      if (state === 'ELOOP') return 'it is a symbolic link that leads to itself';
      if (typeof state !== 'string' && state.isDirectory()) return 'it is a folder';
      if (!(error instanceof Error) || !DAMAGED.test(error.message)) throw error;
      return readDuckDbError(error).reason.replaceAll(path, basename(path));
    }
  }

  queriesEnded(): Promise<void> | null {
    return this.#engine.sessionsEnded();
  }

  async timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>> {
    const time = `TRY_CAST(${identifier(timeColumn)} AS TIMESTAMPTZ)`;
    const rows = await this.#engine.session({ caller: 'service' }, (session) =>
      session.rows(
        `SELECT DISTINCT epoch_ms(${time}) FROM read_parquet(${literal(path)}, hive_partitioning = false)`,
      ),
    );
    return new Set(rows.flatMap(([time]) => (time === null ? [] : [Number(time)])));
  }
}

/**
 * Version 2 writes whole numbers and times as differences (DELTA_BINARY_PACKED): two thirds of the bytes, and of the
 * processor time to read them. Its encoding of fractions (BYTE_STREAM_SPLIT) was added to readers late, and not to all;
 * to Trino, for example, with https://github.com/trinodb/trino/pull/12809.
 */
function versionFor(columns: readonly StoredColumn[]): 'V1' | 'V2' {
  return columns.some(({ type }) => type === 'DOUBLE') ? 'V1' : 'V2';
}
