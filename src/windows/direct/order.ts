import { mapped, type Pausable, sorted } from '../../base/pausable.js';
import { fits, isNumberText } from '../../csv/fits.js';
import { parseInstant } from '../../csv/instant.js';
import type { Column } from '../../csv/rows.js';
import { decimalKey, parseDecimal } from '../compile/decimal.js';
import type { ByteCell } from './byte-text.js';
import { instantOf } from './instants.js';
import { isExactAsDouble, numberKey } from './numbers.js';

/** One row on its way through a window. */
export interface Row {
  readonly cells: readonly ByteCell[];
  /** Milliseconds since the epoch; NaN without a time. */
  readonly time: number;
}

/** What rows are sorted by: a column at its place in the rows, upwards or downwards. */
export interface RowOrder {
  readonly column: Column;
  readonly index: number;
  readonly descending: boolean;
}

type Key = number | string | null;

/** Keys of one column's cells, all numbers or all texts, that compare as the cells do. */
export type KeysOf = (column: Column, cells: readonly ByteCell[]) => Pausable<readonly Key[]>;

/** The rows sorted; absent values come last either way, and equal rows stay in their order. */
export function* sortRows(
  rows: readonly Row[],
  orders: readonly RowOrder[],
  keys: KeysOf,
): Pausable<readonly Row[]> {
  if (orders.length === 0) return rows;
  const compare: Comparer[] = [];
  for (const order of orders) compare.push(yield* comparerOf(rows, order, keys));
  const places = yield* mapped(rows, (_, place) => place);
  const inOrder = yield* sorted(places, (a, b) => {
    for (let index = 0; index < compare.length; index++) {
      const order = compare[index]!(a, b);
      if (order !== 0) return order;
    }
    return a - b;
  });
  return yield* mapped(inOrder, (place) => rows[place]!);
}

type Comparer = (a: number, b: number) => number;

/** Compares two rows by their places. */
function* comparerOf(
  rows: readonly Row[],
  { column, index, descending }: RowOrder,
  keysFor: KeysOf,
): Pausable<Comparer> {
  const cells = yield* mapped(rows, (row) => row.cells[index]!);
  const keys = yield* keysFor(column, cells);
  return (a, b) => compareKeys(keys[a]!, keys[b]!, descending);
}

/** The rows in the order of time; they all have one, and equal ones stay in their order. */
export function sortByTime(rows: readonly Row[]): Pausable<readonly Row[]> {
  return sorted(rows, (a, b) => a.time - b.time);
}

/** Absent values come last either way. */
export function compareKeys(a: Key, b: Key, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (a === b) return 0;
  return a < b !== descending ? -1 : 1;
}

/** Throws `Declined` for a cell that only DuckDB reads. Text that does not fit the column's type has no key. */
export function* keysOf({ type }: Column, cells: readonly ByteCell[]): Pausable<readonly Key[]> {
  if (type === 'time') return yield* mapped(cells, (cell) => cell && instantOf(cell));
  if (type === 'boolean')
    return yield* mapped(cells, (cell) => (cell !== null && fits(type, cell) ? cell : null));
  if (type !== 'number') return cells;
  const exact = yield* mapped(cells, (cell) => cell === null || isExactAsDouble(cell));
  const areExact = !exact.includes(false);
  return yield* mapped(cells, (cell) => cell && (areExact ? Number(cell) : numberKey(cell)));
}

/** The same for cells that DuckDB has read already: a number or a time in an odd form is no reason to decline. */
export function* keysOfAny(column: Column, cells: readonly ByteCell[]): Pausable<readonly Key[]> {
  const { type } = column;
  if (type === 'time') return yield* mapped(cells, (cell) => cell && parseInstant(cell));
  if (type === 'boolean') return yield* keysOf(column, cells);
  if (type !== 'number') return cells;
  const areExact = yield* differAsDoubles(cells);
  return yield* mapped(cells, (cell) => {
    if (cell === null || !isNumberText(cell)) return null;
    return areExact ? Number(cell) : decimalKey(parseDecimal(cell));
  });
}

/** Whether different cells are different doubles, which then have the order of the cells. */
function* differAsDoubles(cells: readonly ByteCell[]): Pausable<boolean> {
  const texts = new Set<string>();
  const numbers = new Set<number>();
  yield* mapped(cells, (cell) => {
    if (cell === null) return;
    texts.add(cell);
    numbers.add(Number(cell));
  });
  return numbers.size === texts.size && !numbers.has(Number.NaN);
}
