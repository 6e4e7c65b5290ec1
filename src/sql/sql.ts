import { filesOf } from '../datasets/lookups.js';
import type { Queries } from '../datasets/queries.js';
import type { DescribedDay } from '../history/archived-days.js';
import type { FollowedFiles, ParquetFiles, RewritableFiles } from '../history/parquet-files.js';
import type { SqlEngine } from './sql-engine.js';
import type { SqlOptions } from './sql-options.js';
import type { ViewDataset } from './view-dataset.js';
import type { ViewText } from './views.js';

/**
 * The only entry to DuckDB: sealed days, views, windows and, if allowed, ad-hoc SQL.
 *
 * DuckDB is loaded on first use, so a service that does not need it does not pay for its memory.
 */
export class Sql {
  /** Writes sealed days. */
  readonly parquet: ParquetFiles & RewritableFiles & FollowedFiles = {
    writeParquet: async (...args) => (await this.#engine()).parquet.writeParquet(...args),
    timesIn: async (...args) => (await this.#engine()).parquet.timesIn(...args),
    damageOf: async (...args) => (await this.#engine()).parquet.damageOf(...args),
    schemasOf: async (...args) => (await this.#engine()).parquet.schemasOf(...args),
    rewrite: async (...args) => (await this.#engine()).parquet.rewrite(...args),
    undisturbed: async (...args) => (await this.#engine()).parquet.undisturbed(...args),
    rewritten: (path) => this.#opened?.parquet.rewritten(path),
    queriesEnded: () => this.#opened?.parquet.queriesEnded() ?? null,
  };
  /** Answers queries for HTTP. */
  readonly queries: Queries = {
    window: async (...args) => (await this.#engine()).queries.window(...args),
    sql: async (...args) => (await this.#engine()).queries.sql(...args),
  };
  readonly #options: SqlOptions;
  #opening: Promise<SqlEngine> | null = null;
  #opened: SqlEngine | null = null;
  #isClosed = false;

  constructor(options: SqlOptions) {
    this.#options = options;
  }

  /**
   * Adds the views of a folder to the registry, in the order of their names; call it when all other datasets are
   * registered. A folder that does not exist has none. `shown`: the folder's name for display. A broken view is added too;
   * its status has the reason.
   */
  async openViews(dir: string, shown: string): Promise<readonly ViewDataset[]> {
    const files = await filesOf(dir, '.sql');
    return files.length === 0 ? [] : (await this.#engine()).views.addFolder({ dir, files, shown });
  }

  /** Adds one view, with a name that is not taken, to the registry. A broken view is added too; its status has the reason. */
  async addView(text: ViewText): Promise<ViewDataset> {
    return (await this.#engine()).views.add(text);
  }

  /** What an archive keeps with a sealed day's file: its columns, and the number of its rows. */
  async describeDay(path: string): Promise<DescribedDay> {
    return (await this.#engine()).describeDay(path);
  }

  /** Interrupts running statements and frees DuckDB. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const engine = await this.#opening?.catch(() => null);
    await engine?.close();
  }

  #engine(): Promise<SqlEngine> {
    if (this.#isClosed) return Promise.reject(new DOMException('SQL was closed', 'AbortError'));
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<SqlEngine> {
    const { SqlEngine } = await import('./sql-engine.js');
    this.#opened = await SqlEngine.open(this.#options);
    return this.#opened;
  }
}
