import type { LocalDays } from '../../base/local-days.js';
import { stepsOf } from '../direct/every.js';
import type { Window } from '../window.js';
import type { Codes } from './coded-column.js';
import type { Numbers } from './number-column.js';

const DAY = 86_400_000;
const QUARTER = 900_000;
/** Steps times series times columns at most, whether they have rows or not: a window takes some 40 bytes for each. */
const MOST_PLACES = 1 << 20;

/** A filter: by a column's code, whether it keeps a row. */
export interface Mask {
  readonly codes: Codes;
  readonly keeps: Uint8Array;
}

/** What rows are placed by. */
export interface PlacedBy {
  readonly window: Window;
  readonly localDays: LocalDays;
  /** Null: the window has neither a time range nor steps. */
  readonly time: Numbers | null;
  readonly by: readonly Codes[];
  readonly masks: readonly Mask[];
}

/** The rows that may be of the window, `from` (included) to `to` (excluded). */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Finds for each row its place: the number of its step times the number of series, and the number of its series. */
export class Places {
  readonly rows: RowRange;
  /** Places in all. */
  readonly count: number;
  readonly #by: PlacedBy;
  readonly #series: number;
  readonly #firstStep: number;
  readonly #spanAt: (instant: number) => Span;

  private constructor(by: PlacedBy, rows: RowRange, steps: Steps, series: number) {
    this.rows = rows;
    this.count = steps.count * series;
    this.#by = by;
    this.#series = series;
    this.#firstStep = steps.first;
    this.#spanAt = steps.at;
  }

  /** Null: there are too many, or times before 1970. `rows`, `columns`: how many there are. */
  static of(by: PlacedBy, rows: number, columns: number): Places | null {
    const series = by.by.reduce((product, { cells }) => product * cells.length, 1);
    const steps = stepsFor(by);
    if (steps === null || steps.count * series * Math.max(1, columns) > MOST_PLACES) return null;
    return new Places(by, rangeOf(by, rows), steps, series);
  }

  /** Series at most, and the distance between the places of two steps. */
  get series(): number {
    return this.#series;
  }

  /** The number of the step whose places begin at a place. */
  stepAt(place: number): number {
    return this.#firstStep + place / this.#series;
  }

  /** What the rows of a series have in the columns of `by`. */
  cellsOf(series: number): readonly (string | null)[] {
    const cells: (string | null)[] = [];
    for (const { cells: all } of this.#by.by.toReversed()) {
      cells.unshift(all[series % all.length]!);
      series = Math.floor(series / all.length);
    }
    return cells;
  }

  /** Writes the places of the rows from `from` on into `places`, as many as there are; -1 for a row that is not wanted. */
  find(from: number, places: Int32Array): void {
    this.#findSeries(from, places);
    if (this.#by.time?.isInOrder) this.#addStepsInOrder(from, places);
    else if (this.#by.time !== null) this.#addSteps(from, places);
    for (const { codes, keeps } of this.#by.masks) {
      for (let i = 0; i < places.length; i++) if (keeps[codes.codes[from + i]!] === 0) places[i] = -1;
    }
  }

  #findSeries(from: number, places: Int32Array): void {
    const [first, ...others] = this.#by.by;
    if (first === undefined) places.fill(0);
    else for (let i = 0; i < places.length; i++) places[i] = first.codes[from + i]!;
    for (const { codes, cells } of others) {
      const size = cells.length;
      for (let i = 0; i < places.length; i++) places[i] = places[i]! * size + codes[from + i]!;
    }
  }

  /** All rows are in the window's range, and those of one step are neighbours. */
  #addStepsInOrder(from: number, places: Int32Array): void {
    const times = this.#by.time!;
    for (let i = 0; i < places.length; ) {
      const { step, to } = this.#spanAt(times.values[from + i]!);
      const end = Math.min(places.length, firstAt(times, to, from + i, from + places.length) - from);
      const offset = (step - this.#firstStep) * this.#series;
      for (; i < end; i++) places[i] = places[i]! + offset;
    }
  }

  /** A row without a time has no step, and is in no range. */
  #addSteps(from: number, places: Int32Array): void {
    const times = this.#by.time!.values;
    const [first, end] = boundsOf(this.#by.window);
    let [start, stop, offset] = [0, 0, 0];
    for (let i = 0; i < places.length; i++) {
      const time = times[from + i]!;
      if (!(time >= first && time < end)) {
        places[i] = -1;
        continue;
      }
      if (!(time >= start && time < stop)) {
        const span = this.#spanAt(time);
        start = span.from;
        stop = span.to;
        offset = (span.step - this.#firstStep) * this.#series;
      }
      places[i] = places[i]! + offset;
    }
  }
}

/** A part of a step, or all of it: instants from `from` to `to`, which is excluded. */
interface Span {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

interface Steps {
  readonly first: number;
  readonly count: number;
  readonly at: (instant: number) => Span;
}

/** All instants, without steps. */
const ALL_TIME: Span = { step: 0, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
const NO_STEPS: Steps = { first: 0, count: 1, at: () => ALL_TIME };

/** The steps that rows may have. */
function stepsFor({ window, localDays, time }: PlacedBy): Steps | null {
  if (time === null) return NO_STEPS;
  // DuckDB rounds the instants before 1970 in another way.
  if (time.least < 0) return null;
  if (window.every === null) return NO_STEPS;
  const [from, to] = boundsOf(window);
  const [first, last] = [Math.max(from, time.least), Math.min(to - 1, time.most)];
  if (!(first <= last)) return NO_STEPS;
  const at = spansOf(window.every, localDays);
  const firstStep = at(first).step;
  return { first: firstStep, count: at(last).step - firstStep + 1, at };
}

function spansOf(every: number, localDays: LocalDays): (instant: number) => Span {
  const stepOf = stepsOf(every, localDays);
  if (every % DAY !== 0) {
    return (instant) => {
      const step = stepOf(instant);
      return { step, from: step * every, to: (step + 1) * every };
    };
  }
  return (instant) => {
    const step = stepOf(instant);
    const from = Math.floor(instant / QUARTER) * QUARTER;
    const to = from + QUARTER;
    // A local day begins and ends within some quarters of an hour of history.
    const isWhole = stepOf(from) === step && stepOf(to - 1) === step;
    return isWhole ? { step, from, to } : { step, from: instant, to: instant + 1 };
  };
}

function boundsOf({ time }: Window): readonly [from: number, to: number] {
  return [time?.from ?? Number.NEGATIVE_INFINITY, time?.to ?? Number.POSITIVE_INFINITY];
}

/** All rows, or where they are in the order of time those of the window's range. */
function rangeOf({ window, time }: PlacedBy, rows: number): RowRange {
  if (time === null || !time.isInOrder) return { from: 0, to: rows };
  const [from, to] = boundsOf(window);
  const first = firstAt(time, from, 0, rows);
  return { from: first, to: Math.max(first, firstAt(time, to, 0, rows)) };
}

/** The first of the numbers from `before` to `after`, which are in order, that is not below a number. */
function firstAt({ values }: Numbers, number: number, before: number, after: number): number {
  while (before < after) {
    const middle = (before + after) >> 1;
    if (values[middle]! < number) before = middle + 1;
    else after = middle;
  }
  return before;
}
