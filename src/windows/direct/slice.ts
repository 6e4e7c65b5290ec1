import type { OutputShape } from '../shape.js';
import type { TimeRange, Window } from '../window.js';
import type { Rows } from './rows.js';

/** Rows `from` (included) to `to` (excluded), among which all rows of a window are. */
export interface Slice {
  readonly rows: Rows;
  readonly from: number;
  readonly to: number;
  /** Null where all rows of the slice are in the window's time; otherwise each row's time has to be looked at. */
  readonly time: TimeRange | null;
  /** What is left to be done of the window's `offset` and `limit`. */
  readonly offset: number;
  readonly limit: number | null;
}

/** The slice of a window; null where rows of its time may be missing in memory. */
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

/** Whether rows are written as they lie in memory: whole lines, nothing in place of an absent value. */
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

/** Where nothing but their place decides which rows are wanted, the others are not looked at. */
function paged(window: Window, slice: Slice): Slice {
  if (!keepsRows(window)) return slice;
  const from = Math.min(slice.to, slice.from + window.offset);
  const to = window.limit === null ? slice.to : Math.min(slice.to, from + window.limit);
  return { ...slice, from, to, offset: 0, limit: null };
}

/** Whether all rows of the window's time are in the answer but for `offset` and `limit`, in the order in which they stand. */
function keepsRows(window: Window): boolean {
  return window.filters.length === 0 && keepsOrder(window);
}

/** Whether rows are taken as they stand. */
export function keepsOrder({ every, aggregation, pivot, sort }: Window): boolean {
  return every === null && aggregation === null && pivot === null && sort.length === 0;
}

/** Whether the oldest rows, which are not in memory, are before the window's time. */
function isWithin(time: TimeRange | null, { times, count }: Rows): boolean {
  return time?.from != null && count > 0 && time.from > times![0]!;
}

/** The first row that is not before an instant; rows are in the order of time. */
function firstAt({ times, count }: Rows, instant: number): number {
  let before = 0;
  let after = count;
  while (before < after) {
    const middle = (before + after) >> 1;
    if (times![middle]! < instant) before = middle + 1;
    else after = middle;
  }
  return before;
}
