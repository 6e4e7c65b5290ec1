import { basename } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { literal } from '../windows/compile/sql-text.js';
import { DAMAGED } from './parquet.js';
import { Scratch } from './scratch.js';
import { readDuckDbError } from './select-mistake.js';

/** Beyond it DuckDB spills to the scratch folder. */
const MEMORY_LIMIT = '512MB';

/** What reading a file found: how many rows it has, or as part of a sentence why it cannot be read. */
export type WholeFile = { readonly rows: number } | { readonly damage: string };

/** Reads Parquet files as a whole, each column of each row. `close` frees DuckDB and the scratch folder. */
export class WholeFiles {
  readonly #scratch: Scratch;
  readonly #instance: DuckDBInstance;

  private constructor(scratch: Scratch, instance: DuckDBInstance) {
    this.#scratch = scratch;
    this.#instance = instance;
  }

  static async open(): Promise<WholeFiles> {
    const scratch = new Scratch();
    const options = { memory_limit: MEMORY_LIMIT, temp_directory: scratch.folder };
    return new WholeFiles(scratch, await DuckDBInstance.create(':memory:', options));
  }

  /** Rejects if that says nothing about the file: no memory, no room on the disk. */
  read(content: Uint8Array): Promise<WholeFile> {
    return this.#scratch.withFile(content, (path) => this.#read(path));
  }

  async #read(path: string): Promise<WholeFile> {
    const file = `read_parquet(${literal(path)}, hive_partitioning = false) AS file`;
    const connection = await this.#instance.connect();
    try {
      const answer = await connection.runAndReadAll(`SELECT count(*), bit_xor(hash(file)) FROM ${file}`);
      return { rows: Number(answer.getRows()[0]?.[0] ?? 0) };
    } catch (error) {
      if (!(error instanceof Error) || !DAMAGED.test(error.message)) throw error;
      return { damage: readDuckDbError(error).reason.replaceAll(path, basename(path)) };
    } finally {
      connection.closeSync();
    }
  }

  async close(): Promise<void> {
    this.#instance.closeSync();
    await this.#scratch.close();
  }
}
