import type { Pausable } from '../../base/pausable.js';
import type { Numbers } from './number-column.js';
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
