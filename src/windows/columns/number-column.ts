import { BEYOND, LEAST } from '../aggregate/fixed-sum.js';

/** Numbers at one point in time. Numbers appended later do not change it. */
export interface Numbers {
  /** NaN where a cell has no number; only the first `count` belong to it. */
  readonly values: Float64Array;
  readonly count: number;
  /** Whether none is NaN. */
  readonly isComplete: boolean;
  /** Whether none is NaN, and none is less than the one before. */
  readonly isInOrder: boolean;
  /** The least and the greatest number; Infinity and -Infinity where there is none. */
  readonly least: number;
  readonly most: number;
  /** Binary places: every number times 2 to the power of this is whole, if all are added in units. */
  readonly places: number;
  /** Whether all numbers are added in units, see `fixed-sum.ts`. */
  readonly isInUnits: boolean;
}

const FIRST_CAPACITY = 1_024;
/** How much larger than needed memory is made when numbers are appended. */
const SPARE = 1.25;
/** Numbers of more binary places than these are not added in units: they have 53 digits from `LEAST` on. */
const MOST_SCALE = 2 ** 83;

/** The numbers of a column, of each row one, to which more can be appended. */
export class NumberColumn {
  #values = new Float64Array(FIRST_CAPACITY);
  #count = 0;
  #isComplete = true;
  #isInOrder = true;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #leastSize = Number.POSITIVE_INFINITY;
  #places = 0;

  get now(): Numbers {
    const mostSize = Math.max(-this.#least, this.#most);
    return {
      values: this.#values,
      count: this.#count,
      isComplete: this.#isComplete,
      isInOrder: this.#isInOrder,
      least: this.#least,
      most: this.#most,
      places: this.#places,
      isInUnits: mostSize < BEYOND && this.#leastSize >= LEAST,
    };
  }

  /** Bytes of memory. */
  get size(): number {
    return this.#values.byteLength;
  }

  /** Makes room for as many numbers in all. */
  reserve(count: number): void {
    if (count <= this.#values.length) return;
    const grown = this.#count === 0 ? count : Math.ceil(count * SPARE);
    const larger = new Float64Array(grown);
    larger.set(this.#values.subarray(0, this.#count));
    this.#values = larger;
  }

  /** Appends numbers, a few thousand at a time. */
  append(numbers: Float64Array): void {
    this.reserve(this.#count + numbers.length);
    this.#values.set(numbers, this.#count);
    let before = this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#values[this.#count - 1]!;
    let scale = 2 ** this.#places;
    for (const number of numbers) {
      // NaN is neither before nor after.
      if (!(number >= before)) this.#isInOrder = false;
      before = number;
      if (Number.isNaN(number)) {
        this.#isComplete = false;
        continue;
      }
      if (number < this.#least) this.#least = number;
      if (number > this.#most) this.#most = number;
      const size = Math.abs(number);
      if (size < this.#leastSize && size > 0) this.#leastSize = size;
      while (scale < MOST_SCALE && number * scale !== Math.trunc(number * scale)) scale *= 2;
    }
    this.#places = Math.log2(scale);
    this.#count += numbers.length;
  }
}
