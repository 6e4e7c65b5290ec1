import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { distinctNames } from '../csv/columns.js';
import type { Column } from '../csv/rows.js';
import { readCsv } from '../sql/read-csv.js';
import { type CellSqlType, candidateTypes, isKept } from '../sql/sql-types.js';
import { identifier, literal } from '../windows/compile/sql-text.js';

/** Beyond it DuckDB spills to a temporary folder: the file is read as a stream, and twice. */
const MEMORY_LIMIT = '512MB';

/**
 * Turns a CSV file of this service into Parquet with zstd, rows in order. A number is BIGINT or DOUBLE where that keeps
 * every digit of its column, else text. Of names that differ only in case the second gets the suffix `_2`.
 */
export async function writeParquet(csv: string, columns: readonly Column[], path: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'dynamo-csv-parquet-'));
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    temp_directory: scratch,
  });
  try {
    const connection = await instance.connect();
    const names = distinctNames(columns.map(({ name }) => name));
    const source = readCsv(csv, names);
    const types = await typesOf(
      columns,
      names,
      async (sql) => (await connection.runAndReadAll(sql)).getRows()[0] ?? [],
    );
    const cells = columns.map((column, i) => {
      const text = identifier(names[i]!);
      const cell = column.type === 'string' && column.seen ? text : `nullif(${text}, '')`;
      return `CAST(${cell} AS ${types[i]}) AS ${text}`;
    });
    await connection.run(
      `COPY (SELECT ${cells.join(', ')} FROM ${source}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    connection.closeSync();

    async function typesOf(
      all: readonly Column[],
      called: readonly string[],
      row: (sql: string) => Promise<readonly unknown[]>,
    ): Promise<CellSqlType[]> {
      const tries = all.flatMap((column, index) =>
        candidateTypes(column).map((type) => ({ index, type, text: identifier(called[index]!) })),
      );
      if (tries.length === 0) return all.map(() => 'VARCHAR');
      const tests = tries.map(
        ({ text, type }) =>
          `coalesce(bool_and(${isKept(text, type)}) FILTER (${text} IS NOT NULL AND ${text} <> ''), true)`,
      );
      const kept = await row(`SELECT ${tests.join(', ')} FROM ${source}`);
      return all.map(
        (_, index) => tries.find((one, i) => one.index === index && kept[i] === true)?.type ?? 'VARCHAR',
      );
    }
  } finally {
    instance.closeSync();
    await rm(scratch, { recursive: true, force: true });
  }
}
