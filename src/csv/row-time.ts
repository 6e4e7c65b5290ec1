import { createYielder } from '../base/event-loop.js';
import { rowAt } from './decode.js';
import type { EncodedRows } from './rows.js';
import { LF } from './scan.js';

/** `2026-11-24T09:30:00.000Z`, which ends every row of a log and of changes (before its `\n`). */
export const TIME_LENGTH = 24;

/** Milliseconds since the epoch from the last cell of a log's or a changes' row; 0 if that cell is not a time in this form. */
export function timeOfRow(row: Buffer): number {
  const end = row.length - 1;
  const time = Date.parse(row.toString('latin1', Math.max(0, end - TIME_LENGTH), end));
  return Number.isNaN(time) ? 0 : time;
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
