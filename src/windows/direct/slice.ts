import { Offsets } from '../../csv/scan.js';
import type { OutputShape } from '../shape.js';
import type { TimeRange, Window } from '../window.js';
import { firstAt, type Rows } from './rows.js';

/** The rows of a window's time range. */
export interface Slice {
  readonly rows: Rows;
  /** Null: they are the rows `from` (included) to `to` (excluded). Otherwise these are indexes into this list of rows. */
  readonly picked: Uint32Array | null;
  readonly from: number;
  readonly to: number;
  /** The part of the window's `offset` and `limit` that is still to be applied. */
  readonly offset: number;
  readonly limit: number | null;
}

/** The slice for a window; null if some of its rows may not be in memory. */
export function sliceOf(window: Window, rows: Rows): Slice | null {
  const { time, offset, limit } = window;
  if (!rows.isWhole && !isWithin(time, rows)) return null;
  const slice = { rows, picked: null, offset, limit };
  if (time === null || rows.times === null) return paged(window, { ...slice, from: 0, to: rows.count });
  if (!rows.isInOrder) {
    const picked = rowsIn(time, rows.times.subarray(0, rows.count));
    return paged(window, { ...slice, picked, from: 0, to: picked.length });
  }
  const from = time.from === null ? 0 : firstAt(rows, time.from);
  const to = time.to === null ? rows.count : firstAt(rows, time.to);
  return paged(window, { ...slice, from, to: Math.max(from, to) });
}

/** The rows of a slice, in their stored order. */
export function* rowsOf({ picked, from, to }: Slice): Generator<number, void, undefined> {
  for (let index = from; index < to; index++) yield picked === null ? index : picked[index]!;
}

/** Bytes of the rows of a slice. */
export function sizeOf(slice: Slice): number {
  const { rows, from, to } = slice;
  const before = (row: number) => (row === 0 ? 0 : rows.ends[row - 1]!);
  if (slice.picked === null) return before(to) - before(from);
  let size = 0;
  for (const row of rowsOf(slice)) size += rows.ends[row]! - before(row);
  return size;
}

/** Ranges of neighbouring rows of a slice, in their stored order, as offsets into the bytes of all rows. */
export function rangesOf(slice: Slice): readonly { from: number; to: number }[] {
  const { rows, picked } = slice;
  const before = (row: number) => (row === 0 ? 0 : rows.ends[row - 1]!);
  if (picked === null) return [{ from: before(slice.from), to: before(slice.to) }];
  const ranges: { from: number; to: number }[] = [];
  for (const row of rowsOf(slice)) {
    const last = ranges.at(-1);
    if (last?.to === before(row)) last.to = rows.ends[row]!;
    else ranges.push({ from: before(row), to: rows.ends[row]! });
  }
  return ranges;
}

/** Whether rows are written unchanged: whole lines, without a text for absent values. */
export function isVerbatim(window: Window, shape: OutputShape): boolean {
  const { format, delimiter, nullText } = shape;
  return (
    keepsRows(window) && window.columns === null && format === 'csv' && delimiter === ',' && nullText === ''
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

/**
 * The rows in a time range, where rows are not in time order (a snapshot). Looking at all times takes a millisecond per
 * million rows, less than a request, so they are not sorted. A row without a time is in no range.
 */
function rowsIn({ from, to }: TimeRange, times: Float64Array): Uint32Array {
  const [first, end] = [from ?? Number.NEGATIVE_INFINITY, to ?? Number.POSITIVE_INFINITY];
  const rows = new Offsets();
  for (let row = 0; row < times.length; row++) if (times[row]! >= first && times[row]! < end) rows.push(row);
  return rows.toArray();
}
