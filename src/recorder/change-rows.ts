import { isoTime } from '../base/clock.js';
import { createYielder } from '../base/event-loop.js';
import { decodeRow } from '../csv/decode.js';
import { encodeRows, noRows } from '../csv/encode.js';
import { concatRows } from '../csv/relayout.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';
import { type Difference, rowKey } from './diff.js';

/** What happened to an item. */
export type Change = 'insert' | 'update' | 'delete';

/** The last known cells of items that are not in the table now, by encoded key. */
export type Deleted = Map<string, readonly Cell[]>;

/** Rows encoded between two yields to the event loop. */
const BATCH = 512;

/**
 * The rows of changes of one poll: the change, the cells after it (of a deleted item only the key), the cells before it
 * without the key (of an item that returns, its last known ones), the time of the previous poll, and the time of the
 * change: that of the difference or, if unknown, of the poll.
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
  const toCells = ({ before, after, at: happenedAt = at }: Difference): Cell[] => {
    const change: Change = before === null ? 'insert' : after === null ? 'delete' : 'update';
    const old = before === null ? lastKnown(rowKey(after as Buffer, keyCount)) : decodeRow(before);
    if (before !== null && after === null) justDeleted.set(rowKey(before, keyCount), old ?? []);
    const now = after === null ? withoutValues(old ?? [], keyCount) : decodeRow(after);
    const previous = now.map((_, index) => old?.[index] ?? null).slice(keyCount);
    return [change, ...now, ...previous, sinceCell, isoTime(happenedAt)];
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
  if (change !== 'delete') return { change, cells: after };
  const previous = cells.slice(1 + width, 1 + width + width - keyCount);
  return { change, cells: [...after.slice(0, keyCount), ...previous] };
}

function withoutValues(cells: readonly Cell[], keyCount: number): Cell[] {
  return cells.map((cell, index) => (index < keyCount ? cell : null));
}
