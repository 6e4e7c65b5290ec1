import { describeError } from '../base/errors.js';
import type { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import type { Dataset } from '../datasets/dataset.js';
import { datasetMissing } from '../datasets/errors.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { Relation } from '../datasets/relation.js';
import { folded } from '../windows/compile/sql-text.js';
import type { DamagedDays } from './damaged-days.js';
import type { Engine } from './engine.js';
import { RelationTable } from './relation-table.js';
import type { SqlDataset } from './sql-dataset.js';

export interface CatalogOptions {
  readonly engine: Engine;
  readonly registry: DatasetRegistry;
  readonly localDays: LocalDays;
  readonly damagedDays: DamagedDays;
  readonly logger: Logger;
}

/** The datasets of the registry as SQL tables. A dataset removed from the registry is dropped from DuckDB. */
export class Catalog {
  readonly #options: CatalogOptions;
  readonly #tables = new WeakMap<Dataset, SqlDataset>();
  /** By folded name: the drop in progress, or the last one. */
  readonly #drops = new Map<string, Promise<void>>();
  readonly #stopListening: () => void;

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#stopListening = options.registry.onRemoved((dataset) => this.#drop(dataset));
  }

  /** Sets the table of a dataset that has its own: a view. */
  set(dataset: Dataset, table: SqlDataset): void {
    this.#tables.set(dataset, table);
  }

  /** The table of a dataset: the one given to `set`, or one that follows the dataset. */
  of(dataset: Dataset): SqlDataset {
    const known = this.#tables.get(dataset);
    if (known !== undefined) return known;
    const after = this.dropped(dataset.name);
    const table = new RelationTable({ ...this.#options, relation: dataset as Relation, after });
    this.#tables.set(dataset, table);
    return table;
  }

  /** The tables of several datasets, by folded name: names in SQL ignore case. */
  tables(datasets: readonly Dataset[]): ReadonlyMap<string, SqlDataset> {
    return new Map(datasets.map((dataset) => [folded(dataset.name), this.of(dataset)]));
  }

  /** A dataset by its name in SQL, ignoring case; undefined if there is none. */
  lookUp(name: string): Dataset | undefined {
    const { registry } = this.#options;
    return registry.get(name) ?? registry.list().find((dataset) => folded(dataset.name) === folded(name));
  }

  /** Like `lookUp`, but throws if there is none, with the reason (`datasetMissing`). */
  find(name: string): Dataset {
    const found = this.lookUp(name);
    if (found === undefined) throw datasetMissing(this.#options.registry, name);
    return found;
  }

  /** Resolves once no earlier dataset of that name is left in DuckDB; never rejects. */
  dropped(name: string): Promise<void> {
    return this.#drops.get(folded(name)) ?? Promise.resolve();
  }

  /** Stops following the registry. */
  close(): void {
    this.#stopListening();
  }

  #drop(dataset: Dataset): void {
    const table = this.#tables.get(dataset);
    if (table === undefined) return;
    this.#tables.delete(dataset);
    const name = folded(dataset.name);
    const drop = table.drop().catch((error: unknown) => {
      // A closed engine has nothing to drop.
      if (error instanceof DOMException) return;
      const { logger } = this.#options;
      logger.warn({ dataset: dataset.name }, `its SQL table could not be dropped: ${describeError(error)}`);
    });
    this.#drops.set(name, drop);
    void drop.then(() => {
      if (this.#drops.get(name) === drop) this.#drops.delete(name);
    });
  }
}
