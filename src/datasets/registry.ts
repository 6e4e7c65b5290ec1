import { closest } from '../base/closest.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Dataset, Registry } from './dataset.js';

/** The datasets of the service by name. They can be added and removed at any time. */
export class DatasetRegistry implements Registry {
  readonly #datasets = new Map<string, Dataset>();
  readonly #removalListeners = new Set<(dataset: Dataset) => void>();
  readonly #explanations = new Set<(name: string) => DynamoCsvError | undefined>();
  #revision = 0;

  /** Changes whenever a dataset is added or removed: datasets looked up under another revision may be gone. */
  get revision(): number {
    return this.#revision;
  }

  /** Adds a dataset at the end. The configuration has been checked, so a name given twice is a programming error. */
  add(dataset: Dataset): void {
    if (this.#datasets.has(dataset.name)) throw new TypeError(`two datasets are called "${dataset.name}"`);
    this.#datasets.set(dataset.name, dataset);
    this.#revision++;
  }

  /** Removes a dataset and notifies listeners. A name that is not there is fine. The dataset is not closed. */
  remove(name: string): void {
    const dataset = this.#datasets.get(name);
    if (dataset === undefined) return;
    this.#datasets.delete(name);
    this.#revision++;
    for (const listener of this.#removalListeners) listener(dataset);
  }

  /** Calls `listener` with each removed dataset. Returns a function that ends that. */
  onRemoved(listener: (dataset: Dataset) => void): () => void {
    this.#removalListeners.add(listener);
    return () => this.#removalListeners.delete(listener);
  }

  get(name: string): Dataset | undefined {
    return this.#datasets.get(name);
  }

  list(): readonly Dataset[] {
    return [...this.#datasets.values()];
  }

  closest(name: string): string | undefined {
    return closest(name, this.#datasets.keys());
  }

  absence(name: string): DynamoCsvError | undefined {
    for (const explain of this.#explanations) {
      const reason = explain(name);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Asks `explain` about names that no dataset has. Returns a function that ends that. */
  onAbsent(explain: (name: string) => DynamoCsvError | undefined): () => void {
    this.#explanations.add(explain);
    return () => this.#explanations.delete(explain);
  }
}
