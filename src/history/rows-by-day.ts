import { createYielder } from '../base/event-loop.js';
import type { LocalDays } from '../base/local-days.js';
import { rowAt } from '../csv/decode.js';
import { filedAt, timeOfRow, timesOf } from '../csv/row-time.js';
import type { EncodedRows, RowRange } from '../csv/rows.js';

/** Rows between two yields to the event loop, as a mask. */
const YIELD_MASK = 1023;

/** The rows of a log by local day. */
export interface RowsByDay {
  /** Per wanted local day, its rows in order. */
  readonly found: ReadonlyMap<string, readonly RowRange[]>;
  /** Whether no wanted row is newer than `until`. */
  readonly isAll: boolean;
}

/** Whose rows are filed. */
export interface FiledRows {
  readonly rows: EncodedRows;
  /** See `SealableLog.itemTime`. */
  readonly itemTime: string | null;
}

/**
 * Finds the rows of the local days for which `wants` is true, up to the first row of a poll newer than `until`
 * (milliseconds since the epoch). Rows are in the order of their polls, with the poll's time in the last column.
 */
export function rowsByDay(
  { rows, itemTime }: FiledRows,
  days: LocalDays,
  wants: (date: string) => boolean,
  until = Number.POSITIVE_INFINITY,
): Promise<RowsByDay> {
  return itemTime === null
    ? rowsByDayOfPoll(rows, days, wants, until)
    : rowsByOwnDay(rows, itemTime, days, wants, until);
}

/** Rows of one day follow each other. */
async function rowsByDayOfPoll(
  rows: EncodedRows,
  days: LocalDays,
  wants: (date: string) => boolean,
  until: number,
): Promise<RowsByDay> {
  const yieldToOthers = createYielder();
  const found = new Map<string, RowRange[]>();
  let ranges: RowRange[] | null = null;
  let dayStart = Number.POSITIVE_INFINITY;
  let dayEnd = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows.ends.length; row++) {
    if ((row & YIELD_MASK) === 0) await yieldToOthers();
    const time = timeOfRow(rowAt(rows, row));
    if (time > until) return { found, isAll: !wants(days.dateOf(time)) };
    if (time < dayStart || time >= dayEnd) {
      const date = days.dateOf(time);
      dayStart = time;
      dayEnd = days.endOf(time);
      ranges = wants(date) ? (found.get(date) ?? []) : null;
      if (ranges !== null) found.set(date, ranges);
    }
    if (ranges !== null) addRow(ranges, row);
  }
  return { found, isAll: true };
}

async function rowsByOwnDay(
  rows: EncodedRows,
  itemTime: string,
  days: LocalDays,
  wants: (date: string) => boolean,
  until: number,
): Promise<RowsByDay> {
  const times = await timesOf(rows, itemTime);
  const dateOf = days.dater();
  const yieldToOthers = createYielder();
  const found = new Map<string, RowRange[]>();
  let isAll = true;
  for (let row = 0; row < rows.ends.length; row++) {
    if ((row & YIELD_MASK) === 0) await yieldToOthers();
    const poll = timeOfRow(rowAt(rows, row));
    const date = dateOf(filedAt(times[row]!, poll));
    if (!wants(date)) continue;
    isAll &&= poll <= until;
    if (poll > until) continue;
    const ranges = found.get(date) ?? [];
    if (ranges.length === 0) found.set(date, ranges);
    addRow(ranges, row);
  }
  return { found, isAll };
}

/** Splits rows by whether their poll's time is one of `times` (milliseconds since the epoch). */
export async function splitByTime(
  rows: EncodedRows,
  ranges: readonly RowRange[],
  times: ReadonlySet<number>,
): Promise<{ readonly inside: readonly RowRange[]; readonly outside: readonly RowRange[] }> {
  const yieldToOthers = createYielder();
  const inside: RowRange[] = [];
  const outside: RowRange[] = [];
  for (const { from, to } of ranges) {
    for (let row = from; row < to; row++) {
      if ((row & YIELD_MASK) === 0) await yieldToOthers();
      addRow(times.has(timeOfRow(rowAt(rows, row))) ? inside : outside, row);
    }
  }
  return { inside, outside };
}

/** The times of the polls that found rows, in milliseconds since the epoch. */
export function pollsOf(rows: EncodedRows, ranges: readonly RowRange[]): ReadonlySet<number> {
  const times = new Set<number>();
  for (const { from, to } of ranges) {
    for (let row = from; row < to; row++) times.add(timeOfRow(rowAt(rows, row)));
  }
  return times;
}

/** Adds a row to ordered ranges: extends the last one if the row follows it directly. */
function addRow(ranges: RowRange[], row: number): void {
  const last = ranges.at(-1);
  if (last?.to === row) last.to++;
  else ranges.push({ from: row, to: row + 1 });
}
