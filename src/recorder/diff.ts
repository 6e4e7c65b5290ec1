import { createYielder } from '../base/event-loop.js';
import { rowAt } from '../csv/decode.js';
import { isSameMemory } from '../csv/encode.js';
import type { EncodedRows } from '../csv/rows.js';

/** One item that differs between two polls. Rows are CSV lines with their `\n`; null: the item did not exist. */
export interface Difference {
  readonly before: Buffer | null;
  readonly after: Buffer | null;
  /** When it happened, in milliseconds since the epoch; absent if only the poll that found it is known. */
  readonly at?: number;
}

/** How many rows ahead an inserted or deleted row is searched for before both rows are set aside. */
const LOOK_AHEAD = 32;

/**
 * The differences between two readings, by key. Both have the same layout, with the `keyCount` key columns first.
 *
 * Both readings are in key order, so nearly all rows meet their counterpart at once and are compared as bytes. Correctness
 * does not depend on the order: rows without a counterpart nearby are set aside and matched by key at the end.
 * Yields to the event loop in long readings.
 */
export async function diffRows(
  before: EncodedRows,
  after: EncodedRows,
  keyCount: number,
): Promise<Difference[]> {
  // A source that finds nothing changed returns the rows it returned before.
  if (isSameMemory(before.body, after.body)) return [];
  const differences: Difference[] = [];
  const lostRows = new Map<string, Buffer>();
  const newRows: Buffer[] = [];
  const breathe = createYielder();
  const keyAt = (rows: EncodedRows, index: number) => rowKey(rowAt(rows, index), keyCount);
  const find = (rows: EncodedRows, from: number, key: string) => {
    const end = Math.min(rows.ends.length, from + LOOK_AHEAD);
    for (let index = from; index < end; index++) if (keyAt(rows, index) === key) return index;
    return -1;
  };

  let i = 0;
  let j = 0;
  while (i < before.ends.length && j < after.ends.length) {
    if (((i + j) & 255) === 0) await breathe();
    const oldRow = rowAt(before, i);
    const newRow = rowAt(after, j);
    if (oldRow.equals(newRow)) {
      i++;
      j++;
      continue;
    }
    const oldKey = rowKey(oldRow, keyCount);
    const newKey = rowKey(newRow, keyCount);
    if (oldKey === newKey) {
      differences.push({ before: oldRow, after: newRow });
      i++;
      j++;
      continue;
    }
    const oldIsAt = find(after, j + 1, oldKey);
    if (oldIsAt !== -1) {
      for (; j < oldIsAt; j++) newRows.push(rowAt(after, j));
      continue;
    }
    const newIsAt = find(before, i + 1, newKey);
    if (newIsAt !== -1) {
      for (; i < newIsAt; i++) lostRows.set(keyAt(before, i), rowAt(before, i));
      continue;
    }
    lostRows.set(oldKey, oldRow);
    newRows.push(newRow);
    i++;
    j++;
  }
  for (; i < before.ends.length; i++) {
    if ((i & 255) === 0) await breathe();
    lostRows.set(keyAt(before, i), rowAt(before, i));
  }
  for (; j < after.ends.length; j++) {
    if ((j & 255) === 0) await breathe();
    newRows.push(rowAt(after, j));
  }

  for (const [index, row] of newRows.entries()) {
    if ((index & 255) === 0) await breathe();
    const key = rowKey(row, keyCount);
    const old = lostRows.get(key);
    lostRows.delete(key);
    if (old === undefined) differences.push({ before: null, after: row });
    else if (!old.equals(row)) differences.push({ before: old, after: row });
  }
  for (const row of lostRows.values()) differences.push({ before: row, after: null });
  return differences;
}

const COMMA = 0x2c;
const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** The encoded bytes of the first `keyCount` cells: equal exactly for rows of the same item. */
export function rowKey(row: Buffer, keyCount: number): string {
  let quoted = false;
  let cells = 0;
  for (let index = 0; index < row.length; index++) {
    const byte = row[index];
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === COMMA || byte === NEWLINE) && ++cells === keyCount) {
      return row.toString('latin1', 0, index);
    }
  }
  return row.toString('latin1');
}
