import leven from 'leven';
import type { Dataset, Registry } from './dataset.js';

/** How many letters may differ for "did you mean", at most; and never more than half the name. */
const CLOSE = 4;

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
    const limit = Math.min(CLOSE, Math.floor(name.length / 2));
    let best: string | undefined;
    let bestDistance = limit + 1;
    for (const candidate of this.#datasets.keys()) {
      // As far apart as their lengths at least; what leven does grows with the product of the two.
      if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
      const distance = leven(name.toLowerCase(), candidate.toLowerCase());
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return best;
  }
}
