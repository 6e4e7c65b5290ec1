import { LocalDays } from '../base/local-days.js';
import type { Queries } from '../datasets/queries.js';
import type { ParquetFiles } from '../history/parquet-files.js';
import { Catalog } from './catalog.js';
import { Engine } from './engine.js';
import { DuckDbParquet } from './parquet.js';
import { SelectParser } from './select-parser.js';
import type { SqlOptions } from './sql-options.js';
import { SqlQueries } from './sql-queries.js';
import { ViewGraph } from './view-graph.js';
import { Views } from './views.js';

/** DuckDB and everything that stands on it: what `Sql` loads when it is first asked. */
export class SqlEngine {
  /** Writes sealed days. */
  readonly parquet: ParquetFiles;
  /** What HTTP asks. */
  readonly queries: Queries;
  readonly views: Views;
  readonly #engine: Engine;
  readonly #parser: SelectParser;
  readonly #catalog: Catalog;

  private constructor(options: SqlOptions, engine: Engine, parser: SelectParser) {
    const { registry, clock, timeZone, logger } = options;
    this.#engine = engine;
    this.#parser = parser;
    const catalog = new Catalog({ engine, registry, localDays: new LocalDays(timeZone), logger });
    this.#catalog = catalog;
    const graph = new ViewGraph({ registry, catalog, clock });
    this.views = new Views({ ...options, engine, parser, catalog, graph });
    this.parquet = new DuckDbParquet(engine);
    this.queries = new SqlQueries({ engine, parser, catalog, clock });
  }

  /** Starts DuckDB; nothing is loaded yet. */
  static async open(options: SqlOptions): Promise<SqlEngine> {
    return new SqlEngine(options, await Engine.open(options), await SelectParser.open());
  }

  /** Stops what is running. */
  async close(): Promise<void> {
    this.#catalog.close();
    await this.#engine.close();
    await this.#parser.close();
  }
}
