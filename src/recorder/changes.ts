import { isoTime } from '../base/clock.js';
import { createYielder } from '../base/event-loop.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import { encodeRows, isSameMemory, noRows } from '../csv/encode.js';
import { concatRows } from '../csv/relayout.js';
import { rowKey } from '../csv/row-blocks.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';

/** One item that differs between two polls. Rows are CSV lines with their `\n`; null: the item did not exist. */
export interface Difference {
  readonly before: Buffer | null;
  readonly after: Buffer | null;
  /** When it happened, in milliseconds since the epoch; absent if only the poll that found it is known. */
  readonly at?: number;
  /** When it happened by the source's own clock, not made to fit the order of the rows; absent: unknown. */
  readonly changedAt?: number;
  /** Whether the item was removed by its time to live. */
  readonly isExpired?: boolean;
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

/** What happened to an item; `expire`: it was deleted by its time to live. */
export type Change = 'insert' | 'update' | 'delete' | 'expire';

/** The last known cells of items that are not in the table now, by encoded key. */
export type Deleted = Map<string, readonly Cell[]>;

/** Rows encoded between two yields to the event loop. */
const BATCH = 512;

/**
 * The rows of changes of one poll: the change, the cells after it (of a deleted item only the key), the cells before it
 * without the key (of an item that returns, its last known ones), where `columns` have it the source's time of the change,
 * the time of the previous poll, and the time of the change: that of the difference or, if unknown, of the poll.
 *
 * @param columns layout of the changes dataset, as `changesColumns` gives it
 * @param deleted items deleted before these differences
 * @param since time of the previous successful poll in milliseconds, null when there was none
 */
export async function changeRows(
  differences: readonly Difference[],
  keyCount: number,
  columns: readonly Column[],
  deleted: Deleted,
  since: number | null,
  at: number,
): Promise<EncodedRows> {
  const sinceCell = since === null ? null : isoTime(since);
  const justDeleted: Deleted = new Map();
  const lastKnown = (key: string) => justDeleted.get(key) ?? deleted.get(key);
  const toCells = (difference: Difference): Cell[] => {
    const { before, after, at: happenedAt = at, changedAt } = difference;
    const old = before === null ? lastKnown(rowKey(after as Buffer, keyCount)) : decodeRow(before);
    if (before !== null && after === null) justDeleted.set(rowKey(before, keyCount), old ?? []);
    const now = after === null ? withoutValues(old ?? [], keyCount) : decodeRow(after);
    const previous = now.map((_, index) => old?.[index] ?? null).slice(keyCount);
    const cells = [changeOf(difference), ...now, ...previous];
    const hasTime = cells.length + 2 < columns.length;
    if (hasTime) cells.push(changedAt === undefined ? null : isoTime(changedAt));
    return [...cells, sinceCell, isoTime(happenedAt)];
  };
  const breathe = createYielder();
  const parts: EncodedRows[] = [];
  for (let start = 0; start < differences.length; start += BATCH) {
    parts.push(encodeRows(columns, differences.slice(start, start + BATCH).map(toCells)));
    await breathe();
  }
  return concatRows([noRows(columns), ...parts]);
}

/** One row of changes, decoded. */
export interface ReadChange {
  readonly change: Change;
  /** Cells in the table's own layout; for a delete the last known ones. */
  readonly cells: readonly Cell[];
}

/** The inverse of `changeRows` for one row's cells; `width` is the number of the table's own columns. */
export function readChange(cells: readonly Cell[], width: number, keyCount: number): ReadChange {
  const change = cells[0] as Change;
  const after = cells.slice(1, 1 + width);
  if (!isRemoval(change)) return { change, cells: after };
  const previous = cells.slice(1 + width, 1 + width + width - keyCount);
  return { change, cells: [...after.slice(0, keyCount), ...previous] };
}

/** Whether the item is gone after that change. */
export function isRemoval(change: Change): boolean {
  return change === 'delete' || change === 'expire';
}

function changeOf({ before, after, isExpired = false }: Difference): Change {
  if (before === null) return 'insert';
  if (after !== null) return 'update';
  return isExpired ? 'expire' : 'delete';
}

function withoutValues(cells: readonly Cell[], keyCount: number): Cell[] {
  return cells.map((cell, index) => (index < keyCount ? cell : null));
}
