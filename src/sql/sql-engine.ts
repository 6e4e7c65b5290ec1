import { LocalDays } from '../base/local-days.js';
import type { Queries } from '../datasets/queries.js';
import type { ParquetFiles } from '../history/parquet-files.js';
import { Catalog } from './catalog.js';
import { Engine } from './engine.js';
import { DuckDbParquet } from './parquet.js';
import { SelectParser } from './select-parser.js';
import type { SqlOptions } from './sql-options.js';
import { SqlQueries } from './sql-queries.js';
import type { ViewDataset } from './view-dataset.js';
import { openViews, type ViewsOptions } from './views.js';

/** DuckDB and everything that stands on it: what `Sql` loads when it is first asked. */
export class SqlEngine {
  /** Writes sealed days. */
  readonly parquet: ParquetFiles;
  /** What HTTP asks. */
  readonly queries: Queries;
  readonly #engine: Engine;
  readonly #parser: SelectParser;
  readonly #catalog: Catalog;
  readonly #options: SqlOptions;

  private constructor(options: SqlOptions, engine: Engine, parser: SelectParser) {
    const { registry, clock, timeZone } = options;
    this.#options = options;
    this.#engine = engine;
    this.#parser = parser;
    this.#catalog = new Catalog({ engine, registry, localDays: new LocalDays(timeZone) });
    this.parquet = new DuckDbParquet(engine);
    this.queries = new SqlQueries({ engine, parser, catalog: this.#catalog, clock });
  }

  /** Starts DuckDB; nothing is loaded yet. */
  static async open(options: SqlOptions): Promise<SqlEngine> {
    return new SqlEngine(options, await Engine.open(options), await SelectParser.open());
  }

  /** See `Sql.openViews`; `files`: the names of the folder's `.sql` files. */
  openViews(folder: Pick<ViewsOptions, 'dir' | 'files' | 'shown'>): Promise<readonly ViewDataset[]> {
    return openViews({
      ...this.#options,
      ...folder,
      engine: this.#engine,
      parser: this.#parser,
      catalog: this.#catalog,
    });
  }

  /** Stops what is running. */
  async close(): Promise<void> {
    await this.#engine.close();
    await this.#parser.close();
  }
}
