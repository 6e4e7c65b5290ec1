import type { Clock } from '../../base/clock.js';
import type { Dataset } from '../../datasets/dataset.js';
import type { Relation } from '../../datasets/relation.js';
import { RowStore } from './row-store.js';
import type { Rows } from './rows.js';

/** Maximum bytes of all stores together. The least recently used are dropped first. */
const MOST_BYTES = 64 << 20;
/** Milliseconds after which unused rows are dropped. */
const IDLE = 300_000;
const LOOK_EVERY = 60_000;

/** The rows of all datasets with recent window requests. */
export class RowStores {
  readonly #clock: Clock;
  /** `usedAt`: milliseconds since the epoch. The least recently used comes first. */
  readonly #stores = new Map<Dataset, { readonly store: RowStore; usedAt: number }>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of memory used by the stores. */
  get bytes(): number {
    let bytes = 0;
    for (const { store } of this.#stores.values()) bytes += store.bytes;
    return bytes;
  }

  /** See `RowStore.rows`; also null for a view, whose rows are in DuckDB. */
  async rowsOf(dataset: Dataset): Promise<Rows | null> {
    if (!isRelation(dataset)) return null;
    const store = this.#storeOf(dataset);
    const { bytes } = store;
    const rows = await store.rows();
    if (store.bytes > bytes) this.#makeRoom();
    return rows;
  }

  #storeOf(relation: Relation): RowStore {
    const store = this.#stores.get(relation)?.store ?? new RowStore(relation);
    this.#stores.delete(relation);
    this.#stores.set(relation, { store, usedAt: this.#clock.now() });
    this.#timer ??= setInterval(() => this.#dropIdle(), LOOK_EVERY).unref();
    return store;
  }

  #makeRoom(): void {
    for (const dataset of this.#stores.keys()) {
      if (this.bytes <= MOST_BYTES) return;
      this.#stores.delete(dataset);
    }
  }

  #dropIdle(): void {
    const longAgo = this.#clock.now() - IDLE;
    for (const [dataset, { usedAt }] of this.#stores) if (usedAt < longAgo) this.#stores.delete(dataset);
    if (this.#stores.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

function isRelation(dataset: Dataset): dataset is Relation {
  return 'appendedSince' in dataset;
}
