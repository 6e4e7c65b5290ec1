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
export type KeysOf = (column: Column, cells: readonly ByteCell[]) => readonly Key[];

/** The rows sorted; absent values come last either way, and equal rows stay in their order. */
export function sortRows(rows: readonly Row[], orders: readonly RowOrder[], keys: KeysOf): readonly Row[] {
  if (orders.length === 0) return rows;
  const compare = orders.map((order) => comparerOf(rows, order, keys));
  const places = rows.map((_, place) => place);
  places.sort((a, b) => {
    for (let index = 0; index < compare.length; index++) {
      const order = compare[index]!(a, b);
      if (order !== 0) return order;
    }
    return a - b;
  });
  return places.map((place) => rows[place]!);
}

/** Compares two rows by their places. */
function comparerOf(rows: readonly Row[], { column, index, descending }: RowOrder, keysFor: KeysOf) {
  const keys = keysFor(
    column,
    rows.map(({ cells }) => cells[index]!),
  );
  return (a: number, b: number): number => compareKeys(keys[a]!, keys[b]!, descending);
}

/** The rows in the order of time; they all have one, and equal ones stay in their order. */
export function sortByTime(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((a, b) => a.time - b.time);
}

/** Absent values come last either way. */
export function compareKeys(a: Key, b: Key, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (a === b) return 0;
  return a < b !== descending ? -1 : 1;
}

/** Throws `Declined` for a cell that only DuckDB reads. Text that does not fit the column's type has no key. */
export function keysOf({ type }: Column, cells: readonly ByteCell[]): readonly Key[] {
  if (type === 'time') return cells.map((cell) => cell && instantOf(cell));
  if (type === 'boolean') return cells.map((cell) => (cell !== null && fits(type, cell) ? cell : null));
  if (type !== 'number') return cells;
  const areExact = cells.every((cell) => cell === null || isExactAsDouble(cell));
  return cells.map((cell) => cell && (areExact ? Number(cell) : numberKey(cell)));
}

/** The same for cells that DuckDB has read already: a number or a time in an odd form is no reason to decline. */
export function keysOfAny(column: Column, cells: readonly ByteCell[]): readonly Key[] {
  const { type } = column;
  if (type === 'time') return cells.map((cell) => cell && parseInstant(cell));
  if (type === 'boolean') return keysOf(column, cells);
  if (type !== 'number') return cells;
  const areExact = differAsDoubles(cells);
  return cells.map((cell) => {
    if (cell === null || !isNumberText(cell)) return null;
    return areExact ? Number(cell) : decimalKey(parseDecimal(cell));
  });
}

/** Whether different cells are different doubles, which then have the order of the cells. */
function differAsDoubles(cells: readonly ByteCell[]): boolean {
  const texts = new Set(cells);
  texts.delete(null);
  const numbers = new Set(Array.from(texts, Number));
  return numbers.size === texts.size && !numbers.has(Number.NaN);
}
