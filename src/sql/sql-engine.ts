import { LocalDays } from '../base/local-days.js';
import type { Queries } from '../datasets/queries.js';
import type { DescribedDay } from '../history/archived-days.js';
import type { FollowedFiles, ParquetFiles, RewritableFiles } from '../history/parquet-files.js';
import { Catalog } from './catalog.js';
import { DamagedDays } from './damaged-days.js';
import { Engine } from './engine.js';
import { describeFile, rowsIn } from './file-columns.js';
import { DuckDbParquet } from './parquet.js';
import { SelectParser } from './select-parser.js';
import type { SqlOptions } from './sql-options.js';
import { SqlQueries } from './sql-queries.js';
import { ViewGraph } from './view-graph.js';
import { Views } from './views.js';

/** DuckDB and everything built on it; `Sql` loads it on first use. */
export class SqlEngine {
  /** Writes sealed days. */
  readonly parquet: ParquetFiles & RewritableFiles & FollowedFiles;
  /** Answers queries for HTTP. */
  readonly queries: Queries;
  readonly views: Views;
  readonly #engine: Engine;
  readonly #parser: SelectParser;
  readonly #catalog: Catalog;

  private constructor(options: SqlOptions, engine: Engine, parser: SelectParser) {
    const { registry, clock, timeZone, logger } = options;
    this.#engine = engine;
    this.#parser = parser;
    const parquet = new DuckDbParquet(engine);
    const damagedDays = new DamagedDays(parquet, options.damagedFile ?? null, engine.days);
    const localDays = new LocalDays(timeZone);
    const catalog = new Catalog({ engine, registry, localDays, damagedDays, logger });
    this.#catalog = catalog;
    const graph = new ViewGraph({ registry, catalog, clock });
    this.views = new Views({ ...options, engine, parser, catalog, graph, damagedDays });
    this.parquet = parquet;
    this.queries = new SqlQueries({ engine, parser, catalog, damagedDays, clock, localDays });
  }

  /** Starts DuckDB; nothing is loaded yet. */
  static async open(options: SqlOptions): Promise<SqlEngine> {
    return new SqlEngine(options, await Engine.open(options), await SelectParser.open());
  }

  /** See `Sql.describeDay`. */
  async describeDay(path: string): Promise<DescribedDay> {
    return { columns: await describeFile(this.#engine, path), rows: await rowsIn(this.#engine, path) };
  }

  /** Interrupts running statements and frees DuckDB. */
  async close(): Promise<void> {
    this.#catalog.close();
    await this.#engine.close();
    await this.#parser.close();
  }
}
