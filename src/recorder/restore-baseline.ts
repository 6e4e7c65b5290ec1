import type { EncodedRows } from '../csv/rows.js';
import { type AppendedDataset, rowsAfter } from './appended-dataset.js';
import type { Baseline } from './baseline.js';
import { changesColumns } from './column-names.js';
import type { TableState } from './table-state.js';

/**
 * Reads the items that the next poll is compared with, and applies the changes that came after them: an interruption may
 * have come between the two. `rows` is what to show of them, null for nothing; `modifiedAt` is when their file was last
 * replaced (milliseconds since the epoch), null without a file.
 */
export async function restoreBaseline(
  baseline: Baseline,
  { columns, keys, names, snapshotAt, keysSince }: TableState,
  changes: AppendedDataset | null,
): Promise<{ readonly rows: EncodedRows | null; readonly modifiedAt: number | null }> {
  const modifiedAt = await baseline.load(columns, keys.length);
  const found = baseline.rows;
  const comparableFrom = keysSince ?? 0;
  // A crash came between the first poll with other keys and its snapshot.
  if ((snapshotAt ?? 0) < comparableFrom) baseline.clear();
  if (changes !== null && names !== null && keys.length > 0) {
    const known = columns.length === 0 ? (found?.columns ?? []) : columns;
    const newer = rowsAfter(await changes.rows(), Math.max(snapshotAt ?? 0, comparableFrom - 1));
    baseline.redo(newer, changesColumns(known, keys.length, names), known, keys.length);
  }
  return { rows: baseline.rows ?? found, modifiedAt };
}
