import { rowAt } from './decode.js';
import type { EncodedRows } from './rows.js';

/** `2026-11-24T09:30:00.000Z`, the way every row of a log and of changes ends (before its `\n`). */
const TIME_LENGTH = 24;

/** Milliseconds since the epoch from the last cell of a log's or a changes' row; 0 when that cell is no time of ours. */
export function timeOfRow(row: Buffer): number {
  const end = row.length - 1;
  const time = Date.parse(row.toString('latin1', Math.max(0, end - TIME_LENGTH), end));
  return Number.isNaN(time) ? 0 : time;
}

/** The time of the last row, 0 without rows. */
export function lastTimeIn(rows: EncodedRows): number {
  return rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, rows.ends.length - 1));
}
