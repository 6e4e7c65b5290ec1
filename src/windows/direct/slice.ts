import type { OutputShape } from '../shape.js';
import type { TimeRange, Window } from '../window.js';
import { firstAt, type Rows } from './rows.js';

/** Rows `from` (included) to `to` (excluded), which contain all rows of a window. */
export interface Slice {
  readonly rows: Rows;
  readonly from: number;
  readonly to: number;
  /** Null if all rows of the slice are in the window's time range; otherwise each row's time has to be checked. */
  readonly time: TimeRange | null;
  /** The part of the window's `offset` and `limit` that is still to be applied. */
  readonly offset: number;
  readonly limit: number | null;
}

/** The slice for a window; null if some of its rows may not be in memory. */
export function sliceOf(window: Window, rows: Rows): Slice | null {
  const { time, offset, limit } = window;
  if (!rows.isWhole && !isWithin(time, rows)) return null;
  if (time === null || rows.times === null)
    return paged(window, { rows, from: 0, to: rows.count, time, offset, limit });
  if (!rows.isInOrder) return { rows, from: 0, to: rows.count, time, offset, limit };
  const from = time.from === null ? 0 : firstAt(rows, time.from);
  const to = time.to === null ? rows.count : firstAt(rows, time.to);
  return paged(window, { rows, from, to: Math.max(from, to), time: null, offset, limit });
}

/** Whether rows are written unchanged: whole lines, without a text for absent values. */
export function isVerbatim(window: Window, shape: OutputShape, slice: Slice): boolean {
  const { format, delimiter, nullText } = shape;
  return (
    keepsRows(window) &&
    window.columns === null &&
    slice.time === null &&
    format === 'csv' &&
    delimiter === ',' &&
    nullText === ''
  );
}

/** Applies `offset` and `limit` to the slice if only the position decides which rows are wanted. */
function paged(window: Window, slice: Slice): Slice {
  if (!keepsRows(window)) return slice;
  const from = Math.min(slice.to, slice.from + window.offset);
  const to = window.limit === null ? slice.to : Math.min(slice.to, from + window.limit);
  return { ...slice, from, to, offset: 0, limit: null };
}

/** Whether, apart from `offset` and `limit`, the answer has all rows of the time range in their stored order. */
function keepsRows(window: Window): boolean {
  return window.filters.length === 0 && keepsOrder(window);
}

/** Whether rows keep their stored order. */
export function keepsOrder({ every, aggregation, pivot, sort }: Window): boolean {
  return every === null && aggregation === null && pivot === null && sort.length === 0;
}

/** Whether the rows that are not in memory, the oldest, are before the window's time range. */
function isWithin(time: TimeRange | null, { times, count }: Rows): boolean {
  return time?.from != null && count > 0 && time.from > times![0]!;
}
