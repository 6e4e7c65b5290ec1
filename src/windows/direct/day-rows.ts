import { LRUCache } from 'lru-cache';
import { sameColumns } from '../../csv/columns.js';
import type { Column } from '../../csv/rows.js';
import type { Queries } from '../../datasets/queries.js';
import type { Relation, SealedDay } from '../../datasets/relation.js';
import { firstAt, type Rows } from './rows.js';
import { type DayBounds, keyOfDay, keyOfRows, memoryOf, rowsOfWindow } from './whole-days.js';

const MiB = 1 << 20;
/** Maximum bytes of all days together. The least recently used are dropped first. */
const MOST_BYTES = 48 * MiB;
/** Maximum bytes of CSV of one day: computing a window of more takes longer than DuckDB does. */
const MOST_OF_DAY = 4 * MiB;
/** Maximum days that a window may reach into to be answered from memory. */
const MOST_DAYS = 8;
/** Milliseconds after which a day that no window asks for is dropped. */
const IDLE = 300_000;
/** Days of which it is remembered that a window has asked for them. */
const MOST_ASKED = 1_000;

/**
 * Sealed days that windows ask for repeatedly, as CSV lines in memory. A day asked for once is not loaded: DuckDB reads the
 * few rows of one window sooner than all rows of its days.
 */
export class DayRows {
  readonly #next: Queries;
  readonly #boundsOf: (date: string) => DayBounds;
  readonly #kept = new LRUCache<string, Rows | typeof LEFT>({
    maxSize: MOST_BYTES,
    sizeCalculation: (rows) => (rows === LEFT ? 1 : memoryOf(rows)),
    ttl: IDLE,
    updateAgeOnGet: true,
    ttlAutopurge: true,
  });
  readonly #asked = new LRUCache<string, true>({ max: MOST_ASKED, ttl: IDLE });
  readonly #loading = new Map<string, Promise<Rows | null>>();

  /** `next` is asked for the rows of whole days. */
  constructor(next: Queries, boundsOf: (date: string) => DayBounds) {
    this.#next = next;
    this.#boundsOf = boundsOf;
  }

  /**
   * The rows of these days, oldest day first, in these columns; null if DuckDB has to answer. Rejects as `Query.run` does.
   */
  async rowsOf(
    dataset: Relation,
    days: readonly SealedDay[],
    columns: readonly Column[],
  ): Promise<readonly Rows[] | null> {
    if (days.length > MOST_DAYS || days.some(({ missing }) => missing !== undefined)) return null;
    const keys = days.map((day) => keyOfDay(dataset, day));
    const isRepeated = keys.every((key) => this.#asked.has(key) || this.#kept.has(key));
    for (const key of keys) this.#asked.set(key, true);
    if (!isRepeated) return null;
    const all: Rows[] = [];
    for (const [index, day] of days.entries()) {
      const rows = await this.#rowsOf(keys[index]!, dataset, day, columns);
      if (rows === null) return null;
      all.push(rows);
    }
    return all;
  }

  #rowsOf(
    key: string,
    dataset: Relation,
    day: SealedDay,
    columns: readonly Column[],
  ): Rows | null | Promise<Rows | null> {
    const kept = this.#kept.get(key);
    if (kept === LEFT) return null;
    if (kept !== undefined && sameColumns(kept.columns, columns)) return kept;
    const loaded = keyOfRows(dataset, [day], columns);
    const loading =
      this.#loading.get(loaded) ??
      this.#load(key, dataset, day, columns).finally(() => this.#loading.delete(loaded));
    this.#loading.set(loaded, loading);
    return loading;
  }

  async #load(
    key: string,
    dataset: Relation,
    { date }: SealedDay,
    columns: readonly Column[],
  ): Promise<Rows | null> {
    const { from, to } = this.#boundsOf(date);
    const range = [
      ['from', String(from)],
      ['to', String(to)],
    ] as const;
    const rows = await rowsOfWindow(this.#next, dataset, range, columns, MOST_OF_DAY);
    this.#kept.set(key, rows ?? LEFT);
    return rows;
  }
}

/** Stands for a day that is left to DuckDB: too large, or with cells that only DuckDB can read. */
const LEFT = 'left to DuckDB';

/** The rows of parts that follow each other in time, between two instants (`to` excluded), as one. */
export function joined(parts: readonly Rows[], from: number, to: number): Rows {
  const ranges = parts.map((rows) => ({ rows, from: firstAt(rows, from), to: firstAt(rows, to) }));
  const used = ranges.filter((range) => range.to > range.from);
  const count = used.reduce((sum, range) => sum + range.to - range.from, 0);
  const ends = new Uint32Array(count);
  const times = new Float64Array(count);
  const bodies: Buffer[] = [];
  let row = 0;
  let size = 0;
  for (const range of used) {
    const { rows } = range;
    const start = range.from === 0 ? 0 : rows.ends[range.from - 1]!;
    bodies.push(rows.body.subarray(start, rows.ends[range.to - 1]!));
    times.set(rows.times!.subarray(range.from, range.to), row);
    for (let index = range.from; index < range.to; index++) ends[row++] = rows.ends[index]! - start + size;
    size = ends[row - 1]!;
  }
  return {
    state: [...new Set(parts.map(({ state }) => state))].join(' '),
    columns: parts[0]!.columns,
    body: Buffer.concat(bodies),
    ends,
    count,
    times,
    isInOrder: true,
    isWhole: true,
  };
}
