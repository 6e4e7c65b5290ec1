import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { Catalog } from './engine/catalog.js';
import { Engine } from './engine/engine.js';
import { DuckDbParquet } from './engine/parquet.js';
import { SelectParser } from './engine/select-parser.js';
import { SqlQueries } from './engine/sql-queries.js';
import { LocalDays } from './local-day.js';
import type { Queries } from './queries.js';
import type { DatasetRegistry } from './registry.js';
import type { ParquetWriter } from './sealer.js';
import type { ViewDataset } from './view-dataset.js';
import { openViews } from './views.js';

export interface SqlOptions {
  /** The volume's folder. */
  readonly dataDir: string;
  /** An IANA name. */
  readonly timeZone: string;
  /** The datasets that SQL sees; it may be filled later. */
  readonly registry: DatasetRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Everything that SQL does here: sealed days, views, windows and, where it is allowed, foreign SQL. */
export class Sql {
  /** Writes sealed days. */
  readonly parquet: ParquetWriter;
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
  static async open(options: SqlOptions): Promise<Sql> {
    return new Sql(options, await Engine.open(options), await SelectParser.open());
  }

  /**
   * Adds the views of a folder to the registry, when all other datasets are there. `shown`: how the folder is called to
   * people. A view that is broken is there all the same and says so.
   */
  openViews(dir: string, shown: string): Promise<readonly ViewDataset[]> {
    return openViews({
      ...this.#options,
      dir,
      shown,
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
