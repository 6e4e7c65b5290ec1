import { closest } from '../base/closest.js';
import type { Dataset, Registry } from './dataset.js';

/** The datasets of the service by name. */
export class DatasetRegistry implements Registry {
  readonly #datasets = new Map<string, Dataset>();

  /** Adds a dataset. A name can be given once: the configuration has been checked, so twice is a programming error. */
  add(dataset: Dataset): void {
    if (this.#datasets.has(dataset.name)) throw new TypeError(`two datasets are called "${dataset.name}"`);
    this.#datasets.set(dataset.name, dataset);
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
}
