import type { Pausable } from '../../base/pausable.js';
import { HALF, UNIT } from '../aggregate/fixed-sum.js';
import { addsExactly, type Numbers } from './number-column.js';
import { quantileOf } from './quantile.js';

/** Rows that are added at a time: some ten microseconds. */
export const BLOCK = 1 << 14;

/** Counts the numbers of each place. */
export class Counts {
  readonly of: Int32Array;

  constructor(places: number) {
    this.of = new Int32Array(places);
  }

  /** `places`: of the rows from `from` on, -1 for a row that does not count. */
  add(places: Int32Array, { values }: Numbers, from: number): void {
    const counts = this.of;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      if (place !== -1 && !Number.isNaN(values[from + i]!)) counts[place] = counts[place]! + 1;
    }
  }

  /** Places that have any. */
  get notEmpty(): number {
    let found = 0;
    for (const count of this.of) if (count > 0) found++;
    return found;
  }

  addRows(places: Int32Array): void {
    const counts = this.of;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      if (place !== -1) counts[place] = counts[place]! + 1;
    }
  }
}

/** The least numbers of each place, or with `sign` -1 the greatest ones. */
export class Extremes {
  readonly of: Float64Array;
  readonly #sign: 1 | -1;

  constructor(places: number, sign: 1 | -1) {
    this.of = new Float64Array(places).fill(sign * Number.POSITIVE_INFINITY);
    this.#sign = sign;
  }

  add(places: Int32Array, { values }: Numbers, from: number): void {
    const [known, sign] = [this.of, this.#sign];
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const value = values[from + i]!;
      if (place !== -1 && sign * value < sign * known[place]!) known[place] = value;
    }
  }
}

/**
 * The sums of each place, to the last digit what `FixedSum` makes of them: whole units and what is left of them are added
 * as doubles, which is exact where `addsExactly` says so. For more rows, whole units are moved on after each block.
 */
export class Sums {
  /** Multiples of `HALF` units. */
  readonly #halves: Float64Array;
  readonly #units: Float64Array;
  readonly #rests: Float64Array;
  readonly #carries: boolean;

  private constructor(places: number, carries: boolean) {
    this.#halves = new Float64Array(places);
    this.#units = new Float64Array(places);
    this.#rests = new Float64Array(places);
    this.#carries = carries;
  }

  /** Null: these numbers do not add up exactly in this way. `rows`: those that will be added, at most. */
  static of(places: number, numbers: Numbers, rows: number): Sums | null {
    if (addsExactly(numbers, rows)) return new Sums(places, false);
    // Beside what was carried, which is less than the numbers of another block.
    return addsExactly(numbers, 2 * BLOCK) ? new Sums(places, true) : null;
  }

  add(places: Int32Array, { values }: Numbers, from: number): void {
    const [units, rests] = [this.#units, this.#rests];
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const value = values[from + i]!;
      if (place === -1 || Number.isNaN(value)) continue;
      const scaled = value * UNIT;
      const whole = Math.trunc(scaled);
      units[place] = units[place]! + whole;
      rests[place] = rests[place]! + (scaled - whole);
    }
    if (this.#carries) for (let place = 0; place < units.length; place++) this.#carry(place);
  }

  /** See `FixedSum.total`. */
  totalOf(place: number): number {
    this.#carry(place);
    let halves = this.#halves[place]!;
    let units = this.#units[place]!;
    if (halves > 0 && units < 0) {
      halves -= 1;
      units += HALF;
    } else if (halves < 0 && units > 0) {
      halves += 1;
      units -= HALF;
    }
    return (halves * HALF + units) / UNIT + this.#rests[place]! / UNIT;
  }

  #carry(place: number): void {
    const whole = Math.trunc(this.#rests[place]!);
    const units = this.#units[place]! + whole;
    const halves = Math.trunc(units / HALF);
    this.#rests[place] = this.#rests[place]! - whole;
    this.#units[place] = units - halves * HALF;
    this.#halves[place] = this.#halves[place]! + halves;
  }
}

/** The numbers of each place together, for what needs all of them. */
export class Gathered {
  readonly #counts: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #values: Float64Array;

  /** `counts`: how many numbers each place has. */
  constructor(counts: Int32Array) {
    this.#counts = counts;
    this.#starts = new Int32Array(counts.length);
    let start = 0;
    for (let place = 0; place < counts.length; place++) {
      this.#starts[place] = start;
      start += counts[place]!;
    }
    this.#ends = this.#starts.slice();
    this.#values = new Float64Array(start);
  }

  add(places: Int32Array, { values }: Numbers, from: number): void {
    const [gathered, ends] = [this.#values, this.#ends];
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const value = values[from + i]!;
      if (place === -1 || Number.isNaN(value)) continue;
      const end = ends[place]!;
      gathered[end] = value;
      ends[place] = end + 1;
    }
  }

  /** Of each place, once all are added; NaN where a place has none. */
  *quantiles(fraction: number): Pausable<Float64Array> {
    const quantiles = new Float64Array(this.#counts.length);
    for (let place = 0; place < quantiles.length; place++) {
      const start = this.#starts[place]!;
      const values = this.#values.subarray(start, start + this.#counts[place]!);
      quantiles[place] = yield* quantileOf(values, fraction);
    }
    return quantiles;
  }
}
