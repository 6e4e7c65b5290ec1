import { isSameLayout, type Layout } from './layout.js';
import type { TableState, TableStateFile } from './table-state.js';

const NO_LAYOUT: Layout = { columns: [], keys: [], names: null };

/**
 * The state of one table, in memory and on the volume. `current` is ahead of the file: a new layout is written before
 * the rows that need it, everything else together with its poll.
 */
export class StateKeeper {
  readonly #file: TableStateFile;
  #current: TableState;
  /** The layout that the file describes. */
  #described: Layout;
  /** Whether a write failed after which the file may hold the new state or the old one. */
  #isDoubtful = false;

  /** `found`: the state in the file; null if there is none that could be read. */
  constructor(file: TableStateFile, current: TableState, found: TableState | null) {
    this.#file = file;
    this.#current = current;
    const isDescribed = found?.commit != null && found.datasets.length === current.datasets.length;
    this.#described = isDescribed ? found : NO_LAYOUT;
  }

  get current(): TableState {
    return this.#current;
  }

  update(change: Partial<TableState>): void {
    this.#current = { ...this.#current, ...change };
  }

  /** Makes sure that the file describes the current layout, also after a write of unknown outcome. */
  async describe(): Promise<void> {
    if (!this.#isDoubtful && isSameLayout(this.#described, this.#current)) return;
    await this.write();
  }

  /** Writes the current state. */
  async write(): Promise<void> {
    const state = this.#current;
    this.#isDoubtful = true;
    await this.#file.write(state);
    this.#isDoubtful = false;
    this.#described = state;
  }

  /**
   * Commits a poll by writing `change`. If this rejects, the file may or may not hold it; `settle` then makes sure that it
   * does not.
   */
  async commit(change: Partial<TableState>): Promise<void> {
    const before = this.#current;
    this.update(change);
    try {
      await this.write();
    } catch (error) {
      this.#current = before;
      throw error;
    }
  }

  /** Resolves once the file does not hold a commit that failed. */
  async settle(): Promise<void> {
    if (this.#isDoubtful) await this.write();
  }
}
