import { HALF, UNIT } from '../aggregate/fixed-sum.js';
import type { Numbers } from './number-column.js';

/*
 * The sums of each place, to the last digit what `FixedSum` makes of them, as sums of doubles that are all whole multiples
 * of something and stay below 2^53 of it, so that none is rounded: `HALF` units, units, what is left of a unit in parts of
 * 2^-31, and what is left of that. Where numbers are small and have few binary places, units and what is left will do.
 */

/** Whole numbers below this are exact as doubles. */
const EXACT = 2 ** 53;
const PART = 2 ** -31;

/** Rows at most that add up exactly. */
export const MOST_ROWS = 1 << 22;

export class Sums {
  readonly #halves: Float64Array;
  readonly #units: Float64Array;
  readonly #rests: Float64Array;
  readonly #fines: Float64Array;
  readonly #isNarrow: boolean;

  private constructor(places: number, isNarrow: boolean) {
    this.#halves = new Float64Array(places);
    this.#units = new Float64Array(places);
    this.#rests = new Float64Array(places);
    this.#fines = new Float64Array(places);
    this.#isNarrow = isNarrow;
  }

  /** Null: some of the numbers are not added in units. `rows`: those that will be added, at most. */
  static of(places: number, numbers: Numbers, rows: number): Sums | null {
    if (!numbers.isInUnits || rows > MOST_ROWS) return null;
    return new Sums(places, isNarrow(numbers, rows));
  }

  /** `places`: of the rows from `from` on, -1 for a row that does not count. */
  add(places: Int32Array, { values }: Numbers, from: number): void {
    if (this.#isNarrow) this.#addNarrow(places, values, from);
    else this.#addWide(places, values, from);
  }

  #addNarrow(places: Int32Array, values: Float64Array, from: number): void {
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
  }

  #addWide(places: Int32Array, values: Float64Array, from: number): void {
    const [halves, units, rests, fines] = [this.#halves, this.#units, this.#rests, this.#fines];
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const value = values[from + i]!;
      if (place === -1 || Number.isNaN(value)) continue;
      const scaled = value * UNIT;
      const whole = Math.trunc(scaled);
      const half = Math.trunc(whole / HALF);
      halves[place] = halves[place]! + half;
      units[place] = units[place]! + (whole - half * HALF);
      const left = scaled - whole;
      const rest = Math.trunc(left / PART) * PART;
      rests[place] = rests[place]! + rest;
      fines[place] = fines[place]! + (left - rest);
    }
  }

  /** See `FixedSum.total`: whole units and what is left of them are rounded each for itself. */
  totalOf(place: number): number {
    const [rests, fine] = carried(this.#rests[place]!, this.#fines[place]!, PART);
    const whole = Math.trunc(rests);
    const [halves, units] = carried(this.#halves[place]! * HALF, this.#units[place]! + whole, HALF);
    return (halves + units) / UNIT + (rests - whole + fine) / UNIT;
  }
}

/** A sum in two parts with the same sign, of which the second one is smaller than `size`, and the first one a multiple of it. */
function carried(large: number, small: number, size: number): readonly [number, number] {
  const carry = Math.trunc(small / size) * size;
  const [more, less] = [large + carry, small - carry];
  if (more > 0 && less < 0) return [more - size, less + size];
  if (more < 0 && less > 0) return [more + size, less - size];
  return [more, less];
}

/** Whether units, and what is left of them, add up exactly without being divided further. */
function isNarrow({ least, most, places }: Numbers, rows: number): boolean {
  const size = Math.max(-least, most, 0);
  const isWholeExact = size * rows * Math.min(2 ** places, UNIT) < EXACT;
  return isWholeExact && (rows * 2 ** places) / UNIT < EXACT;
}
