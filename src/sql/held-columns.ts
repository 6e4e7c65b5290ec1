import { LRUCache } from 'lru-cache';
import type { LocalDays } from '../base/local-days.js';
import { SerialQueue } from '../base/serial-queue.js';
import { type ColumnRows, tableOfColumns } from '../windows/columns/column-groups.js';
import { type NeededColumns, neededColumns } from '../windows/columns/needed-columns.js';
import type { Table } from '../windows/direct/table.js';
import type { Window } from '../windows/window.js';
import type { Engine } from './engine.js';
import { HeldRows } from './held-rows.js';
import type { Session, SessionOptions } from './session.js';
import { readTogether, type SqlDataset } from './sql-dataset.js';

/** Maximum bytes of the columns of all datasets together. The least recently used are dropped first. */
const MOST_BYTES = 64 << 20;
/** Milliseconds after which the columns of a dataset that no window asks for are dropped. */
const IDLE = 300_000;

/**
 * Columns of tables in DuckDB as numbers in memory, for windows with aggregates: adding up a million of them takes a
 * fraction of what a statement takes. A column is read when a second window of the same rows asks for it, and then only
 * what was appended: DuckDB answers one window sooner than it hands over all rows.
 */
export class HeldColumns {
  readonly #engine: Engine;
  readonly #localDays: LocalDays;
  readonly #held = new LRUCache<SqlDataset, HeldRows>({
    maxSize: MOST_BYTES,
    sizeCalculation: (rows) => rows.size,
    ttl: IDLE,
    updateAgeOnGet: true,
    ttlAutopurge: true,
  });
  readonly #queues = new WeakMap<SqlDataset, SerialQueue>();

  /** `localDays`: whose days steps are. */
  constructor(engine: Engine, localDays: LocalDays) {
    this.#engine = engine;
    this.#localDays = localDays;
  }

  /**
   * The answer to a window with aggregates of a dataset as it is after `sync`; null: DuckDB has to answer it. Rejects as
   * `tableOfColumns` and a session do.
   */
  async tableFor(
    window: Window,
    dataset: SqlDataset,
    options: SessionOptions & { readonly signal: AbortSignal },
  ): Promise<Table | null> {
    const rows = await this.#rowsFor(window, dataset, options);
    return rows === null ? null : tableOfColumns(rows, window, this.#localDays, options.signal);
  }

  /** The columns that it needs, of all rows. */
  async #rowsFor(window: Window, dataset: SqlDataset, options: SessionOptions): Promise<ColumnRows | null> {
    const needed = this.#wanted(window, dataset);
    if (needed === null) return null;
    const known = this.#held.get(dataset)!.at(dataset.state, needed);
    if (known !== null) return known;
    const queue = this.#queues.get(dataset) ?? new SerialQueue();
    this.#queues.set(dataset, queue);
    return queue.run(() => this.#engine.session(options, (session) => this.#read(session, window, dataset)));
  }

  /** Null where a window is not answered from columns, or is the first one to ask for them. */
  #wanted(window: Window, dataset: SqlDataset): NeededColumns | null {
    const stored = dataset.stored(window.time ?? ALWAYS);
    if (stored === null) return null;
    const needed = neededColumns(window, stored.table);
    if (needed === null) return null;
    const held = this.#held.get(dataset);
    if (held?.load === stored.load) return held.isAsked(needed) ? needed : null;
    const fresh = new HeldRows(stored.load);
    fresh.isAsked(needed);
    this.#held.set(dataset, fresh);
    return null;
  }

  async #read(session: Session, window: Window, dataset: SqlDataset): Promise<ColumnRows | null> {
    await readTogether(session, [dataset]);
    const held = this.#held.get(dataset);
    const stored = dataset.stored(window.time ?? ALWAYS);
    if (stored === null || held?.load !== stored.load) return null;
    const needed = neededColumns(window, stored.table);
    if (needed === null) return null;
    const rows = await held.follow(session, stored.table, dataset.state, needed, MOST_BYTES);
    // Anew, with its size; not if another load has taken its place.
    if (this.#held.get(dataset) === held) this.#held.set(dataset, held);
    return rows;
  }
}

const ALWAYS = { from: null, to: null };
