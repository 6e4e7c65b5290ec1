import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorCode } from '../base/errors.js';
import { encodeFile } from '../csv/encode.js';
import type { EncodedRows } from '../csv/rows.js';
import { columnIn, type FileColumn, type FileSchema } from '../history/file-schema.js';
import type { FollowedFiles, ParquetFiles, RewritableFiles, Rewriting } from '../history/parquet-files.js';
import { folded, identifier, literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { dayNotRewritten } from './errors.js';
import { readFileSchemas, sealedAsMetadata } from './file-schemas.js';
import { STAGING, stage, typed } from './loading.js';
import { readDuckDbError } from './select-mistake.js';
import { convert } from './sql-types.js';

/** How DuckDB's message begins for a file that is not Parquet, or is damaged. */
export const DAMAGED =
  /^(Invalid Input Error|Invalid Error|Serialization Error|TProtocolException|IO Error: .*(footer|metadata|Input\/output error))/i;

/** Milliseconds that queries wait at most for the running ones to end, so that a file can be replaced. */
const PATIENCE = 250;

/** Writes and reads sealed days with DuckDB. */
export class DuckDbParquet implements ParquetFiles, RewritableFiles, FollowedFiles {
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

  async schemasOf(paths: readonly string[]): Promise<ReadonlyMap<string, FileSchema>> {
    if (paths.length === 0) return new Map();
    const files = await this.#engine.session({ caller: 'service' }, (session) =>
      readFileSchemas(session, paths),
    );
    return new Map([...files].map(([path, { columns }]) => [path, [...columns.values()]]));
  }

  async rewrite({ from, to, schema, columns }: Rewriting): Promise<void> {
    const owns = new Map(columns.map(({ name, own }) => [name, own]));
    await this.#engine.session({ caller: 'service' }, async (session) => {
      const file = (await readFileSchemas(session, [from])).get(from)!;
      const pairs = schema.map((wanted) => {
        const there = columnIn(file.columns, {
          name: wanted.name,
          own: owns.get(wanted.name) ?? wanted.name,
        });
        return { wanted, there };
      });
      const list = pairs.map(({ wanted, there }) => {
        const cell = convert(identifier(there?.name ?? ''), there?.type ?? null, wanted.type);
        return `${cell} AS ${identifier(wanted.name)}`;
      });
      const sealedAs = pairs.flatMap(({ wanted, there }) => {
        const sealed = there === undefined ? undefined : file.sealedAs.get(there.name);
        return sealed === undefined ? [] : [{ ...sealed, name: wanted.name }];
      });
      await session.run(
        `COPY (SELECT ${list.join(', ')} FROM ${fileSql(from, false)}) TO ${literal(to)}
          (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION ${versionFor(schema)}, ${sealedAsMetadata(sealedAs)})`,
      );
      const kept = pairs.flatMap(({ wanted, there }) => (there === undefined ? [] : [{ wanted, there }]));
      const before = fingerprint(
        from,
        kept.map(({ there }) => there),
      );
      const after = fingerprint(
        to,
        kept.map(({ wanted }) => wanted),
      );
      const [[isSame] = []] = await session.rows(`SELECT (${before}) IS NOT DISTINCT FROM (${after})`);
      if (isSame !== true || kept.length < file.columns.size) throw dayNotRewritten(basename(from));
    });
  }

  undisturbed(work: () => Promise<void>, renamed: string | null): Promise<boolean> {
    return this.#engine.alone(PATIENCE, async () => {
      await work();
      if (renamed !== null) this.#engine.renamedIn(renamed);
    });
  }

  rewritten(path: string): void {
    this.#engine.renamedIn(path);
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
function versionFor(columns: readonly Pick<FileColumn, 'type'>[]): 'V1' | 'V2' {
  return columns.some(({ type }) => type === 'DOUBLE') ? 'V1' : 'V2';
}

function fileSql(path: string, isNumbered: boolean): string {
  return `read_parquet(${literal(path)}, hive_partitioning = false, file_row_number = ${isNumbered})`;
}

/** The column of a row's number that DuckDB adds; a file cannot have another one of that name. */
const ROW = 'file_row_number';

/** SELECT of one value that two files have in common if they have the same cells in these columns, in the same rows. */
function fingerprint(path: string, columns: readonly FileColumn[]): string {
  const isNumbered = !columns.some(({ name }) => folded(name) === ROW);
  const cells = columns.map(({ name, type }) => convert(identifier(name), type, 'VARCHAR'));
  const hashed = [...(isNumbered ? [ROW] : []), ...cells].join(', ');
  return `SELECT row(count(*), sum(hash(${hashed}))) FROM ${fileSql(path, isNumbered)}`;
}
