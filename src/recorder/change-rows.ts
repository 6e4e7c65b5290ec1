import { isoTime } from '../base/clock.js';
import { createYielder } from '../base/event-loop.js';
import { decodeRow } from '../csv/decode.js';
import { encodeRows, noRows } from '../csv/encode.js';
import { concatRows } from '../csv/relayout.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';
import { type Difference, rowKey } from './diff.js';

/** What happened to an item from one poll to the next. */
export type Change = 'insert' | 'update' | 'delete';

/** The last known cells of items that are not in the table at present, by encoded key. */
export type Deleted = Map<string, readonly Cell[]>;

/** Rows encoded at a time, between two looks at the event loop. */
const BATCH = 512;

/**
 * The changes rows of one poll: change, cells after (a deleted item keeps its key only), cells before without the key
 * (an item that comes back carries its last known ones), time of the poll before, time of this poll.
 *
 * @param columns layout of the changes dataset, as `changesColumns` gives it
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
  const times: Cell[] = [since === null ? null : isoTime(since), isoTime(at)];
  const breathe = createYielder();
  const parts: EncodedRows[] = [];
  for (let start = 0; start < differences.length; start += BATCH) {
    const cells = differences.slice(start, start + BATCH).map(({ before, after }) => {
      const change: Change = before === null ? 'insert' : after === null ? 'delete' : 'update';
      const old = before === null ? deleted.get(rowKey(after as Buffer, keyCount)) : decodeRow(before);
      const now = after === null ? withoutValues(old ?? [], keyCount) : decodeRow(after);
      const previous = now.map((_, index) => old?.[index] ?? null).slice(keyCount);
      return [change, ...now, ...previous, ...times];
    });
    parts.push(encodeRows(columns, cells));
    await breathe();
  }
  return concatRows([noRows(columns), ...parts]);
}

/** One row of changes taken apart again. */
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
