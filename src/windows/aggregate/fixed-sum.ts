/*
 * Sums of doubles that do not depend on the order in which rows come. DuckDB adds in parallel, so a plain sum of doubles
 * differs in its last digits from one time to the next, and between DuckDB and what is computed from rows in memory.
 * Here a number is cut into two whole numbers, which add exactly in any order: units of 2^-21, and of what is left units
 * of 2^-83. That is exact for doubles from 2^-31 (0.0000000005) to below 2^41 (two million million). The few others are
 * added from the least to the greatest as doubles. `compile/aggregates-sql.ts` does the same in SQL, and
 * `columns/sums.ts` for columns. Measured over a million rows, 60 steps and 50 series, DuckDB takes as long for this as
 * for its own avg; sorting all numbers before they are added takes six times as long.
 */

export const UNIT = 2 ** 21;
export const FINE_UNIT = 2 ** 62;
export const LEAST = 2 ** -31;
export const BEYOND = 2 ** 41;
/** A sum of units is a BIGINT times this, and a rest: both become doubles without rounding where the sum is below 2^53. */
export const HALF = 2 ** 31;

/** Whether a number is added in units. */
export function isInUnits(value: number): boolean {
  const size = Math.abs(value);
  return size < BEYOND && (size >= LEAST || size === 0);
}

/** Adds finite numbers; `total` is the same in whatever order they came. */
export class FixedSum {
  #units = 0n;
  #fine = 0n;
  #others: number[] | null = null;

  add(value: number): void {
    if (!isInUnits(value)) {
      this.#others ??= [];
      this.#others.push(value);
      return;
    }
    const scaled = value * UNIT;
    const units = Math.trunc(scaled);
    if (units !== 0) this.#units += BigInt(units);
    const fine = Math.trunc((scaled - units) * FINE_UNIT);
    if (fine !== 0) this.#fine += BigInt(fine);
  }

  get total(): number {
    const fine = BigInt(FINE_UNIT);
    const units = this.#units + this.#fine / fine;
    const half = BigInt(HALF);
    const whole = (Number(units / half) * HALF + Number(units % half)) / UNIT;
    const total = whole + Number(this.#fine % fine) / FINE_UNIT / UNIT;
    return this.#others === null ? total : total + sumOf(this.#others.sort((a, b) => a - b));
  }
}

/** The sum of numbers in their order. */
export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
