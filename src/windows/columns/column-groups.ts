import type { LocalDays } from '../../base/local-days.js';
import { inSlices, type Pausable } from '../../base/pausable.js';
import { type AggregateFunction, type Group, QUANTILES, type Series } from '../aggregate/aggregation.js';
import { checkGroups, placedGroups, seriesInOrder } from '../aggregate/groups.js';
import { columnOf } from '../aggregate/result-columns.js';
import { doubleCell } from '../direct/aggregate-values.js';
import type { ByteCell } from '../direct/byte-text.js';
import { Declined } from '../direct/declined.js';
import { cellTest } from '../direct/filters.js';
import { keysOfAny } from '../direct/order.js';
import { finished, type Table } from '../direct/table.js';
import type { Filter, Window } from '../window.js';
import { BLOCK, Counts, Extremes, Gathered } from './accumulators.js';
import type { Codes } from './coded-column.js';
import type { Numbers } from './number-column.js';
import { type Mask, Places } from './places.js';
import { Sums } from './sums.js';

/** The rows of a dataset as columns, at one point in time: those of `neededColumns`. */
export interface ColumnRows {
  readonly count: number;
  readonly time: Numbers | null;
  readonly numbers: ReadonlyMap<string, Numbers>;
  readonly coded: ReadonlyMap<string, Codes>;
}

/** The answer to a window with aggregates; null: DuckDB has to answer it. Rejects with `BAD_PARAMETER` for a
 * result of too many rows or columns, and with the signal's reason. */
export async function tableOfColumns(
  rows: ColumnRows,
  window: Window,
  localDays: LocalDays,
  signal: AbortSignal,
): Promise<Table | null> {
  try {
    return await inSlices(placed(rows, window, localDays), signal);
  } catch (error) {
    if (error instanceof Declined) return null;
    throw error;
  }
}

function* placed(rows: ColumnRows, window: Window, localDays: LocalDays): Pausable<Table | null> {
  const groups = yield* groupsOfColumns(rows, window, localDays);
  if (groups === null) return null;
  return yield* finished(yield* placedGroups(groups, window, localDays), window, window, keysOfAny);
}

/**
 * The aggregates of each step and series, from columns in memory: a few nanoseconds per row. Null: only DuckDB adds up
 * these numbers exactly, or there are too many steps and series. Throws `Declined` for a cell or a day that only DuckDB
 * reads, and `BAD_PARAMETER` for too many groups.
 */
function* groupsOfColumns(
  rows: ColumnRows,
  window: Window,
  localDays: LocalDays,
): Pausable<readonly Group[] | null> {
  const by = window.aggregation!.by.map((name) => rows.coded.get(name)!);
  const masks = window.filters.map((filter) => maskOf(filter, rows, window));
  const places = Places.of({ window, localDays, time: rows.time, by, masks }, rows.count, rows.numbers.size);
  if (places === null) return null;
  const counted = new Counts(places.count);
  const figures = new Map(
    Array.from(rows.numbers, ([name, numbers]) => [
      name,
      new Figures(numbers, functionsOf(window, name), counted),
    ]),
  );
  const all = [...figures.values()];
  if (!all.every((figure) => figure.begin(places))) return null;
  yield* inBlocks(places, (found, from) => {
    counted.addRows(found);
    for (const figure of all) figure.add(found, from);
  });
  checkGroups(counted.notEmpty);
  yield* gathered(places, all);
  return yield* groupsAt(places, counted, figures, window);
}

/** Adds all rows again for what needs all values. */
function* gathered(places: Places, all: readonly Figures[]): Pausable<void> {
  const gathering = all.filter((figure) => figure.gather());
  if (gathering.length === 0) return;
  yield* inBlocks(places, (found, from) => {
    for (const figure of gathering) figure.addGathered(found, from);
  });
  for (const figure of gathering) yield* figure.finish();
}

function functionsOf({ aggregation }: Window, name: string): ReadonlySet<AggregateFunction> {
  const { aggregates } = aggregation!;
  return new Set(aggregates.filter(({ column }) => column === name).map((aggregate) => aggregate.function));
}

function maskOf(filter: Filter, { coded }: ColumnRows, { dataset }: Window): Mask {
  const codes = coded.get(filter.column)!;
  const test = cellTest(filter, columnOf(dataset, filter.column));
  return { codes, keeps: Uint8Array.from(codes.cells, (cell) => Number(test(cell))) };
}

function* inBlocks(places: Places, add: (found: Int32Array, from: number) => void): Pausable<void> {
  const { from: first, to } = places.rows;
  const block = new Int32Array(Math.min(BLOCK, Math.max(0, to - first)));
  for (let from = first; from < to; from += BLOCK) {
    const found = block.subarray(0, Math.min(BLOCK, to - from));
    places.find(from, found);
    add(found, from);
    yield;
  }
}

/** What a window computes of one column. */
class Figures {
  readonly #numbers: Numbers;
  readonly #functions: ReadonlySet<AggregateFunction>;
  readonly #counts: Counts;
  #sums: Sums | null = null;
  #least: Extremes | null = null;
  #most: Extremes | null = null;
  #gathered: Gathered | null = null;
  readonly #quantiles = new Map<AggregateFunction, Float64Array>();

  /** `counted`: counts the rows, which are the numbers too where none is absent. */
  constructor(numbers: Numbers, functions: ReadonlySet<AggregateFunction>, counted: Counts) {
    this.#numbers = numbers;
    this.#functions = functions;
    this.#counts = numbers.isComplete ? counted : new Counts(counted.of.length);
  }

  /** False: only DuckDB adds up these numbers exactly. */
  begin({ count, rows }: Places): boolean {
    if (this.#functions.has('min')) this.#least = new Extremes(count, 1);
    if (this.#functions.has('max')) this.#most = new Extremes(count, -1);
    if (!this.#functions.has('avg') && !this.#functions.has('sum')) return true;
    this.#sums = Sums.of(count, this.#numbers, rows.to - rows.from);
    return this.#sums !== null;
  }

  add(places: Int32Array, from: number): void {
    if (!this.#numbers.isComplete) this.#counts.add(places, this.#numbers, from);
    this.#sums?.add(places, this.#numbers, from);
    this.#least?.add(places, this.#numbers, from);
    this.#most?.add(places, this.#numbers, from);
  }

  /** Once all rows were added. False: it does not need all values. */
  gather(): boolean {
    if (![...this.#functions].some((name) => QUANTILES[name] !== undefined)) return false;
    this.#gathered = new Gathered(this.#counts.of);
    return true;
  }

  addGathered(places: Int32Array, from: number): void {
    this.#gathered!.add(places, this.#numbers, from);
  }

  *finish(): Pausable<void> {
    for (const name of this.#functions) {
      const fraction = QUANTILES[name];
      if (fraction !== undefined) this.#quantiles.set(name, yield* this.#gathered!.quantiles(fraction));
    }
  }

  cellOf(name: AggregateFunction, place: number): ByteCell {
    const count = this.#counts.of[place]!;
    if (name === 'count') return String(count);
    return count === 0 ? null : doubleCell(this.#numberOf(name, place, count));
  }

  #numberOf(name: AggregateFunction, place: number, count: number): number {
    switch (name) {
      case 'min':
        return this.#least!.of[place]!;
      case 'max':
        return this.#most!.of[place]!;
      case 'sum':
        return this.#sums!.totalOf(place);
      case 'avg':
        return this.#sums!.totalOf(place) / count;
      default:
        return this.#quantiles.get(name)![place]!;
    }
  }
}

/** Groups made between two pauses. */
const GROUPS_PER_PAUSE = 64;

/** The places that have rows, in the order of steps and series. Without `by` and `every` there is one, also of no rows. */
function* groupsAt(
  places: Places,
  counted: Counts,
  figures: ReadonlyMap<string, Figures>,
  window: Window,
): Pausable<readonly Group[]> {
  const { by, aggregates } = window.aggregation!;
  const isOne = window.every === null && by.length === 0;
  const ranked = yield* rankedSeries(places, counted, window);
  const groups: Group[] = [];
  for (let start = 0; start < places.count; start += places.series) {
    const step = places.stepAt(start);
    for (const { series, number } of ranked) {
      const place = start + number;
      const rows = counted.of[place]!;
      if (rows === 0 && !isOne) continue;
      const cells = aggregates.map(({ column, function: name }) =>
        column === null ? String(rows) : figures.get(column)!.cellOf(name, place),
      );
      groups.push({ step, series, cells });
      if (groups.length % GROUPS_PER_PAUSE === 0) yield;
    }
    yield;
  }
  return groups;
}

interface RankedSeries {
  readonly series: Series;
  /** See `Places`. */
  readonly number: number;
}

/** The series that have rows, in order; without `by` the one that there is. */
function* rankedSeries(
  places: Places,
  { of: counts }: Counts,
  window: Window,
): Pausable<readonly RankedSeries[]> {
  const numbers = new Map<Series, number>();
  const isKnown = new Uint8Array(places.series);
  for (let start = 0; start < places.count; start += places.series) {
    for (let number = 0; number < places.series; number++) {
      if (isKnown[number] === 1 || (counts[start + number] === 0 && places.series > 1)) continue;
      isKnown[number] = 1;
      numbers.set(places.cellsOf(number), number);
    }
    yield;
  }
  const ranked = yield* seriesInOrder([...numbers.keys()], window);
  return ranked.map((series) => ({ series, number: numbers.get(series)! }));
}
