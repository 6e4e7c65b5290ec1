import type { Column } from '../../csv/rows.js';
import { type AggregateFunction, QUANTILES } from '../aggregate/aggregation.js';
import { FixedSum, sumOf } from '../aggregate/fixed-sum.js';
import { formatDecimal, parseDecimal } from '../compile/decimal.js';
import type { ByteCell } from './byte-text.js';
import { oneZero } from './every.js';
import { instantOf } from './instants.js';
import { numberKey } from './numbers.js';

/** One cell with where it stands: milliseconds since the epoch (NaN: no time), and its number as a double. */
interface Entry {
  readonly cell: string;
  readonly time: number;
  /** NaN where it is not a finite number, or no aggregate needs one. */
  readonly number: number;
}

/** What the rows of one step and series have in one column. Cells come in the order of their rows. */
export class ColumnValues {
  readonly #column: Column;
  readonly #isTimed: boolean;
  readonly #entries: Entry[] = [];
  readonly #rises = new FixedSum();
  #riseCount = 0;
  /** Milliseconds between the values that `increase` compares. */
  #elapsed = 0;
  #sorted: Float64Array | null = null;

  constructor(column: Column, isTimed: boolean) {
    this.#column = column;
    this.#isTimed = isTimed;
  }

  add(cell: string, time: number, number: number): void {
    this.#entries.push({ cell, time, number });
  }

  /** A rise since the value before, which may be in the step before. */
  addRise(rise: number, elapsed: number): void {
    this.#elapsed += elapsed;
    if (!Number.isFinite(rise)) return;
    this.#rises.add(rise);
    this.#riseCount += 1;
  }

  /** The aggregate as a cell; null where there is nothing to compute it from. */
  cellOf(name: AggregateFunction): ByteCell {
    switch (name) {
      case 'count':
        return String(this.#entries.length);
      case 'distinct':
        return String(new Set(this.#entries.map(({ cell }) => keyOf(cell, this.#column))).size);
      case 'first':
        return this.#cell(this.#ordered().reduce<Entry | null>(earlier, null));
      case 'last':
        return this.#cell(this.#ordered().reduce<Entry | null>(later, null));
      case 'increase':
        return doubleCell(this.#increase);
      case 'rate':
        return doubleCell(this.#elapsed === 0 ? Number.NaN : this.#increase / (this.#elapsed / 1000));
      default:
        return doubleCell(this.#numberOf(name));
    }
  }

  #cell(entry: Entry | null): ByteCell {
    if (entry === null) return null;
    return this.#column.type === 'number' ? oneZero(entry.cell) : entry.cell;
  }

  get #increase(): number {
    return this.#riseCount === 0 ? Number.NaN : this.#rises.total;
  }

  /** A row without a time is neither before nor after another. */
  #ordered(): readonly Entry[] {
    return this.#isTimed ? this.#entries.filter(({ time }) => !Number.isNaN(time)) : this.#entries;
  }

  #numberOf(name: AggregateFunction): number {
    const sorted = this.#inOrder();
    if (sorted.length === 0) return Number.NaN;
    switch (name) {
      case 'min':
        return sorted[0]!;
      case 'max':
        return sorted.at(-1)!;
      case 'sum':
        return totalOf(sorted);
      case 'avg':
        return totalOf(sorted) / sorted.length;
      case 'stddev':
        return stddevOf(sorted);
      default:
        return quantileOf(sorted, QUANTILES[name]!);
    }
  }

  #inOrder(): Float64Array {
    this.#sorted ??= Float64Array.from(
      this.#entries.map(({ number }) => number).filter(Number.isFinite),
    ).sort();
    return this.#sorted;
  }
}

function earlier(known: Entry | null, entry: Entry): Entry {
  return known === null || entry.time < known.time ? entry : known;
}

/** Of equal times the one that stood last. */
function later(known: Entry | null, entry: Entry): Entry {
  return known === null || !(entry.time < known.time) ? entry : known;
}

function totalOf(values: Float64Array): number {
  const sum = new FixedSum();
  for (const value of values) sum.add(value);
  return sum.total;
}

/** Of a sample; absent for a single value. */
function stddevOf(sorted: Float64Array): number {
  if (sorted.length < 2) return Number.NaN;
  const mean = totalOf(sorted) / sorted.length;
  return Math.sqrt(sumOf(sorted.map((value) => (value - mean) * (value - mean))) / (sorted.length - 1));
}

/** Between two values the point in proportion, as DuckDB's quantile_cont does it. */
function quantileOf(sorted: Float64Array, fraction: number): number {
  const place = (sorted.length - 1) * fraction;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (place - below);
}

/** A double as windows write it: in plain digits; null where it is none. */
export function doubleCell(value: number): ByteCell {
  if (!Number.isFinite(value)) return null;
  const text = String(value);
  return text.includes('e') ? formatDecimal(parseDecimal(text)) : text;
}

/** Equal for cells that are one value. */
function keyOf(cell: string, { type }: Column): string | number | null {
  if (type === 'time') return instantOf(cell);
  return type === 'number' ? numberKey(cell) : cell;
}
