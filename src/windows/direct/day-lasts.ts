import { LRUCache } from 'lru-cache';
import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import { sameColumns } from '../../csv/columns.js';
import type { Column } from '../../csv/rows.js';
import type { Queries } from '../../datasets/queries.js';
import type { Relation, SealedDay } from '../../datasets/relation.js';
import { seriesColumns } from '../compile/every-sql.js';
import type { Window } from '../window.js';
import type { Rows } from './rows.js';
import { type DayBounds, keyOfDay, keyOfRows, memoryOf, rowsOfWindow } from './whole-days.js';

const MiB = 1 << 20;
const DAY = 86_400_000;
/** Maximum bytes of all days together: ten years of some hundred series. The least recently used are dropped first. */
const MOST_BYTES = 24 * MiB;
/** Bytes that a day takes besides its rows. */
const OVERHEAD = 512;
/** Maximum bytes of the rows of one window: computing it from more takes longer than DuckDB does. */
const MOST_OF_WINDOW = 4 * MiB;
/** Windows with more than that are not tried again for so many milliseconds. */
const LEFT = { max: 100, ttl: 600_000 };

/** Whether a window needs nothing of a sealed day but the last row of each series: whole days, compared by their series. */
export function needsLastsOfDays(window: Window): boolean {
  return window.every !== null && window.every % DAY === 0 && isOfLasts(window);
}

/** Whether an answer depends on nothing but the last row of each step and series. */
export function isOfLasts(window: Window): boolean {
  const { every, aggregation, pivot, filters } = window;
  if (every === null || aggregation !== null) return false;
  if (pivot === null && filters.length === 0) return true;
  const series = seriesColumns(window);
  const isAboutSeries = filters.every(
    ({ column, operator }) => series.includes(column) && operator !== 'contains',
  );
  return isAboutSeries && (pivot === null || series.includes(pivot.by));
}

/**
 * The last row of each series of sealed days, in memory: what `every=1d` and longer steps are made of. They are asked of
 * DuckDB once, all days of a window together, and never change. So a year by day costs what its unsealed days cost.
 */
export class DayLasts {
  readonly #next: Queries;
  readonly #localDays: LocalDays;
  readonly #boundsOf: (date: string) => DayBounds;
  readonly #kept = new LRUCache<string, Rows>({
    maxSize: MOST_BYTES,
    sizeCalculation: (rows) => memoryOf(rows) + OVERHEAD,
  });
  readonly #left = new LRUCache<string, true>(LEFT);
  readonly #loading = new Map<string, Promise<ReadonlyMap<string, Rows> | null>>();

  /** `next` is asked for what is not kept. */
  constructor(next: Queries, localDays: LocalDays, boundsOf: (date: string) => DayBounds) {
    this.#next = next;
    this.#localDays = localDays;
    this.#boundsOf = boundsOf;
  }

  /**
   * The last rows of these days, oldest day first, in these columns; null if DuckDB has to answer. Rejects as `Query.run`
   * does.
   */
  async rowsOf(
    dataset: Relation,
    days: readonly SealedDay[],
    columns: readonly Column[],
  ): Promise<readonly Rows[] | null> {
    if (days.some(({ missing }) => missing !== undefined) || isFiledByPoll(dataset)) return null;
    const kept = days.map((day) => this.#keptOf(dataset, day, columns));
    const wanted = days.slice(kept.indexOf(null), kept.lastIndexOf(null) + 1);
    if (wanted.length === 0) return kept as Rows[];
    const loaded = await this.#loaded(dataset, wanted, columns);
    return loaded && days.map(({ date }, index) => kept[index] ?? loaded.get(date)!);
  }

  #keptOf(dataset: Relation, day: SealedDay, columns: readonly Column[]): Rows | null {
    const rows = this.#kept.get(keyOfDay(dataset, day));
    return rows !== undefined && sameColumns(rows.columns, columns) ? rows : null;
  }

  #loaded(
    dataset: Relation,
    days: readonly SealedDay[],
    columns: readonly Column[],
  ): Promise<ReadonlyMap<string, Rows> | null> {
    const key = keyOfRows(dataset, [days[0]!, days.at(-1)!], columns);
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const load = this.#load(key, dataset, days, columns).finally(() => this.#loading.delete(key));
    this.#loading.set(key, load);
    return load;
  }

  /** By date; null if they are left to DuckDB. */
  async #load(
    key: string,
    dataset: Relation,
    days: readonly SealedDay[],
    columns: readonly Column[],
  ): Promise<ReadonlyMap<string, Rows> | null> {
    if (this.#left.has(key)) return null;
    const { from } = this.#boundsOf(days[0]!.date);
    const { to } = this.#boundsOf(days.at(-1)!.date);
    const range = [`from=${from}`, `to=${to}`, 'every=1d'].map((one) => one.split('=') as [string, string]);
    const rows = await rowsOfWindow(this.#next, dataset, range, columns, MOST_OF_WINDOW);
    if (rows === null) {
      this.#left.set(key, true);
      return null;
    }
    const byDay = await this.#byDay(rows);
    const found = new Map(days.map((day) => [day.date, byDay.get(day.date) ?? cut(rows, 0, 0)]));
    for (const day of days) this.#kept.set(keyOfDay(dataset, day), found.get(day.date)!);
    return found;
  }

  async #byDay(rows: Rows): Promise<ReadonlyMap<string, Rows>> {
    const dateOf = this.#localDays.dater();
    const breathe = createYielder();
    const found = new Map<string, Rows>();
    for (let from = 0, to = 0; from < rows.count; from = to) {
      const date = dateOf(rows.times![from]!);
      while (to < rows.count && dateOf(rows.times![to]!) === date) to += 1;
      found.set(date, cut(rows, from, to));
      await breathe();
    }
    return found;
  }
}

/** In a log of new items, a row whose own time cannot be right is in the day of its poll. */
function isFiledByPoll({ pollColumn, timeColumn }: Relation): boolean {
  return pollColumn !== undefined && pollColumn !== timeColumn;
}

/** A copy of the rows `from` (included) to `to` (excluded). */
function cut(rows: Rows, from: number, to: number): Rows {
  const endOf = (row: number) => (row === 0 ? 0 : rows.ends[row - 1]!);
  const start = endOf(from);
  return {
    ...rows,
    body: Buffer.from(rows.body.subarray(start, endOf(to))),
    ends: rows.ends.slice(from, to).map((end) => end - start),
    times: rows.times!.slice(from, to),
    count: to - from,
  };
}
