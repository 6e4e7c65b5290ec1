import { sameColumns } from '../../csv/columns.js';
import { rowEnd } from '../../csv/scan.js';
import { datasetNotReadYet } from '../../datasets/errors.js';
import type { Relation } from '../../datasets/relation.js';
import { Declined } from './declined.js';
import { IndexedRows, type Rows } from './rows.js';

const MiB = 1 << 20;
/** Maximum bytes of rows of a dataset with times; beyond it only the newest are kept, which is what windows usually need. */
const MOST_TIMED = 16 * MiB;
/** Bytes kept when a dataset has grown beyond that, so that rows are not moved at every poll. */
const KEPT_TIMED = 12 * MiB;
/** Maximum bytes of a dataset without times, for which a window always scans all rows. */
const MOST_UNTIMED = 4 * MiB;

/** The rows of one dataset in memory, updated on demand. */
export class RowStore {
  readonly #relation: Relation;
  #version: string | null = null;
  /** Null: they are too large to be kept in memory, or in a form that only DuckDB can interpret. */
  #rows: IndexedRows | null = null;
  #loading: Promise<void> | null = null;

  constructor(relation: Relation) {
    this.#relation = relation;
  }

  /** Bytes of memory that belong to this store alone. */
  get bytes(): number {
    if (this.#rows === null) return 0;
    // A log's file was read for this store; the bytes of everything else are in memory anyway.
    return this.#rows.indexSize + (this.#isFile ? this.#rows.size : 0);
  }

  /**
   * The dataset's current rows; null if DuckDB has to answer windows on them.
   * Rejects as `Dataset.content` does.
   */
  async rows(): Promise<Rows | null> {
    for (;;) {
      const { version, name } = this.#relation;
      if (version === null) throw datasetNotReadYet(name, this.#relation.status().lastError);
      if (version === this.#version) return this.#rows?.now ?? null;
      if (this.#append(version)) continue;
      this.#loading ??= this.#load().finally(() => {
        this.#loading = null;
      });
      await this.#loading;
    }
  }

  get #isFile(): boolean {
    return this.#relation.kind === 'log' || this.#relation.kind === 'changes';
  }

  /** Adds the rows appended since then; false if everything has to be read again. */
  #append(version: string): boolean {
    const rows = this.#rows;
    const { columns } = this.#relation;
    if (rows === null || this.#version === null || columns === null || this.#loading !== null) return false;
    if (!sameColumns(rows.columns, columns)) return false;
    const appended = this.#relation.appendedSince(this.#version);
    if (appended === null) return false;
    this.#rows = declinedIsNull(() => {
      rows.append(appended.body);
      return bounded(rows);
    });
    this.#version = version;
    return true;
  }

  async #load(): Promise<void> {
    const { timeColumn } = this.#relation;
    const { bytes, columns, version } = await this.#relation.content();
    const isTooLarge = timeColumn === null && bytes.length > MOST_UNTIMED;
    const rows = isTooLarge
      ? null
      : await IndexedRows.of(columns, timeColumn, bytes.subarray(rowEnd(bytes, 0))).catch(nullIfDeclined);
    this.#rows = rows === null ? null : bounded(rows);
    this.#version = version;
  }
}

/** The rows, or the newest of them; null if they are too large and not in time order. */
function bounded(rows: IndexedRows): IndexedRows | null {
  if (rows.size <= MOST_TIMED) return rows;
  if (rows.now.times === null || !rows.now.isInOrder) return null;
  rows.keepLast(KEPT_TIMED);
  return rows;
}

function declinedIsNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    return nullIfDeclined(error);
  }
}

function nullIfDeclined(error: unknown): null {
  if (error instanceof Declined) return null;
  throw error;
}
