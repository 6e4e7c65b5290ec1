import type { LocalDays } from '../base/local-days.js';
import type { Dataset, Registry } from '../datasets/dataset.js';
import { datasetUnknown } from '../datasets/errors.js';
import type { Relation } from '../datasets/relation.js';
import { folded } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { RelationTable } from './relation-table.js';
import type { SqlDataset } from './sql-dataset.js';

/** The datasets of the registry as SQL has them. */
export class Catalog {
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #localDays: LocalDays;
  readonly #tables = new WeakMap<Dataset, SqlDataset>();

  constructor(options: {
    readonly engine: Engine;
    readonly registry: Registry;
    readonly localDays: LocalDays;
  }) {
    this.#engine = options.engine;
    this.#registry = options.registry;
    this.#localDays = options.localDays;
  }

  /** The dataset in SQL. A view is one by itself; everything else gets a table that follows it. */
  of(dataset: Dataset): SqlDataset {
    const known = this.#tables.get(dataset);
    if (known !== undefined) return known;
    const table = isSqlDataset(dataset)
      ? dataset
      : new RelationTable(this.#engine, dataset as Relation, this.#localDays);
    this.#tables.set(dataset, table);
    return table;
  }

  /** The same of several, by their folded names, as SQL does not mind case. */
  tables(datasets: readonly Dataset[]): ReadonlyMap<string, SqlDataset> {
    return new Map(datasets.map((dataset) => [folded(dataset.name), this.of(dataset)]));
  }

  /** A dataset by the name that SQL calls it, which does not mind case. */
  find(name: string): Dataset {
    const found =
      this.#registry.get(name) ??
      this.#registry.list().find((dataset) => folded(dataset.name) === folded(name));
    if (found === undefined) throw datasetUnknown(name, this.#registry.closest(name));
    return found;
  }
}

function isSqlDataset(dataset: Dataset): dataset is Dataset & SqlDataset {
  return 'sync' in dataset;
}
