import { createYielder } from '../base/event-loop.js';
import { rowAt } from './decode.js';
import type { EncodedRows } from './rows.js';
import { cellEnd, LF } from './scan.js';

/** `2026-11-24T09:30:00.000Z`, which ends every row of a log and of changes (before its `\n`). */
export const TIME_LENGTH = 24;

/** Milliseconds since the epoch from the last cell of a log's or a changes' row; 0 if that cell is not a time in this form. */
export function timeOfRow(row: Buffer): number {
  const end = row.length - 1;
  const time = Date.parse(row.toString('latin1', Math.max(0, end - TIME_LENGTH), end));
  return Number.isNaN(time) ? 0 : time;
}

/** Milliseconds by which an item's time may be ahead of the poll that found it: clocks and time zones differ. */
export const AHEAD = 86_400_000;

/**
 * The instant by which a row is filed, milliseconds since the epoch: its own time (NaN: it has none), or that of its poll
 * if its own is before 1970 or more than a day ahead. A wrong clock makes no days in 1904 or 2106.
 */
export function filedAt(itemTime: number, pollTime: number): number {
  return itemTime >= 0 && itemTime <= pollTime + AHEAD ? itemTime : pollTime;
}

/** The rows of a log without their time column. Yields to the event loop now and then. */
export async function withoutTime({ columns, body, ends }: EncodedRows): Promise<EncodedRows> {
  const breathe = createYielder();
  const length = TIME_LENGTH + 1;
  const target = Buffer.allocUnsafe(body.length - ends.length * length);
  const newEnds = new Uint32Array(ends.length);
  let from = 0;
  let to = 0;
  for (const [row, end] of ends.entries()) {
    if ((row & 1023) === 0) await breathe();
    to += body.copy(target, to, from, end - 1 - length);
    target[to++] = LF;
    newEnds[row] = to;
    from = end;
  }
  return { columns: columns.slice(0, -1), body: target, ends: newEnds };
}

/** The time of the last row in milliseconds since the epoch, 0 without rows. */
export function lastTimeIn(rows: EncodedRows): number {
  return rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, rows.ends.length - 1));
}

/**
 * The times in a column of rows, in milliseconds since the epoch; NaN where a cell has none in the form of all times in
 * CSV. Yields to the event loop now and then.
 */
export async function timesOf(rows: EncodedRows, column: string): Promise<Float64Array> {
  const { columns, body, ends } = rows;
  const place = columns.findIndex(({ name }) => name === column);
  const breathe = createYielder();
  const times = new Float64Array(ends.length).fill(Number.NaN);
  for (let row = 0; place !== -1 && row < ends.length; row++) {
    if ((row & 1023) === 0) await breathe();
    let from = row === 0 ? 0 : ends[row - 1]!;
    for (let cell = 0; cell < place; cell++) from = cellEnd(body, from) + 1;
    if (cellEnd(body, from) - from === TIME_LENGTH)
      times[row] = Date.parse(body.toString('latin1', from, from + TIME_LENGTH));
  }
  return times;
}
