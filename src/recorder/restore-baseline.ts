import { DynamoCsvError } from '../base/errors.js';
import { rowAt } from '../csv/decode.js';
import { relayout } from '../csv/relayout.js';
import { withoutTime } from '../csv/row-time.js';
import type { EncodedRows } from '../csv/rows.js';
import { baselineFile } from '../volume/layout.js';
import { type AppendedWriter, rowsAfter } from './appended-writer.js';
import type { Baseline, Finding } from './baseline.js';
import { keepDamaged } from './damage.js';
import { changesColumns } from './layout.js';
import type { OpenedTable } from './open-table.js';
import type { RecorderOptions } from './recorder-options.js';
import type { TableState } from './table-state.js';

type Table = OpenedTable & { readonly baseline: Baseline };

/** The items to show (null: none), and when their file was last replaced (milliseconds since the epoch). */
export interface Restored {
  readonly rows: EncodedRows | null;
  readonly modifiedAt: number | null;
}

/**
 * Reads the items that the next poll is compared with, and applies newer changes: an interruption may have come between
 * the two. A file that is damaged, or changed from outside, never causes changes: if a log has the items of the latest
 * poll they are taken from there, otherwise the next poll is not compared.
 */
export async function restoreBaseline(table: Table, options: RecorderOptions): Promise<Restored> {
  const { baseline, state, log } = table;
  const { columns, comparedAt, snapshotAt, commit } = state.current;
  const { finding, modifiedAt } = await loadItems(table, options);
  if (finding === 'changed') {
    const hasPolls = log !== null && log.itemTime === null;
    const isRebuilt = comparedAt !== null && hasPolls && (await takeItemsFromLog(log, comparedAt, table));
    await reportChanged(isRebuilt, table, options);
    if (isRebuilt) state.update({ snapshotAt: comparedAt });
    else baseline.isTrue = false;
    await loadDeleted(table, options);
    return { rows: baseline.rows, modifiedAt };
  }
  const newestAt = commit?.itemsAt ?? comparedAt ?? 0;
  if (finding === 'newest') state.update({ snapshotAt: Math.max(snapshotAt ?? 0, newestAt) || null });
  baseline.fileAt = state.current.snapshotAt;
  const found = baseline.rows;
  if (found !== null || commit?.deleted.length) await loadDeleted(table, options);
  await applyChanges(table, columns.length === 0 ? (found?.columns ?? []) : columns);
  return { rows: baseline.rows ?? found, modifiedAt };
}

/** Like `Baseline.load`, but a file that is not CSV counts as changed from outside. */
async function loadItems(
  { baseline, state }: Table,
  options: RecorderOptions,
): Promise<{ readonly finding: Finding; readonly modifiedAt: number | null }> {
  const { columns, commit } = state.current;
  try {
    return await baseline.load(columns, commit?.items ?? null);
  } catch (error) {
    await reportUnreadable(baseline.path, error, options);
    return { finding: 'changed', modifiedAt: null };
  }
}

async function loadDeleted(table: Table, options: RecorderOptions): Promise<void> {
  const { baseline, state, changes } = table;
  const { columns, keys, names, commit } = state.current;
  const finding = await baseline
    .loadDeleted(keys.length, commit?.deleted ?? null)
    .catch((error: unknown) => reportUnreadable(baseline.deletedPath, error, options));
  if (finding !== 'changed') return;
  const { dataset, keptAt } = await keepFound(baseline.deletedPath, options);
  options.logger.warn(
    { dataset, file: baseline.deletedPath, keptAt },
    'another program, or the disk, changed the last known values of deleted items: they are taken from the changes instead',
  );
  baseline.deleted.clear();
  if (changes === null || names === null || keys.length === 0) return;
  baseline.rememberDeleted(
    await changes.rows(),
    changesColumns(columns, keys.length, names),
    columns,
    keys.length,
  );
}

/** Applies the changes that the items do not have yet; without changes, the new items in the log. */
async function applyChanges(
  { baseline, state, changes, log }: Table,
  columns: TableState['columns'],
): Promise<void> {
  const { keys, names, snapshotAt, keysSince } = state.current;
  const comparableFrom = keysSince ?? 0;
  // A crash came between the first poll with new keys and its snapshot.
  if ((snapshotAt ?? 0) < comparableFrom) baseline.clear();
  if (names === null || keys.length === 0) return;
  const appliedAt = Math.max(snapshotAt ?? 0, comparableFrom - 1);
  if (changes === null) {
    if (log?.itemTime != null) baseline.redoNew(rowsAfter(await log.rows(), appliedAt), columns, keys.length);
    return;
  }
  const newer = rowsAfter(await changes.rows(), appliedAt);
  baseline.redo(newer, changesColumns(columns, keys.length, names), columns, keys.length);
}

/** Takes the items from the log's latest poll. False when that is not the poll at `readAt`, or has other columns. */
async function takeItemsFromLog(
  log: AppendedWriter,
  readAt: number,
  { baseline, state }: Table,
): Promise<boolean> {
  const own = state.current.columns;
  const columns = log.columns?.slice(0, -1) ?? [];
  const isOwn = columns.every(({ name }) => own.some((column) => column.name === name));
  if (log.lastAt !== readAt || !isOwn) return false;
  const rows = rowsAfter(await log.rows(), readAt - 1);
  const items = relayout(await withoutTime(rows), own);
  baseline.setRows(
    own,
    Array.from(items.ends, (_, index) => rowAt(items, index)),
  );
  return true;
}

/** Logs that the items are not what this service wrote, and the consequence. */
async function reportChanged(
  isRebuilt: boolean,
  { baseline }: Table,
  options: RecorderOptions,
): Promise<void> {
  const { name, dataDir, logger } = options;
  const isHidden = baseline.path === baselineFile(dataDir, name);
  const kept = isHidden ? await keepFound(baseline.path, options) : { dataset: name };
  const consequence = isRebuilt
    ? 'the items of the latest poll are taken from the log instead'
    : isHidden
      ? 'the next poll is not compared, so what changed before it is not among the changes'
      : 'the file is served as found, and the next poll is not compared with it';
  logger.warn(
    { ...kept, file: baseline.path },
    `another program, or the disk, changed the latest items: ${consequence}`,
  );
}

/** Keeps a copy of a file that cannot be parsed; any other error is thrown again. */
async function reportUnreadable(path: string, error: unknown, options: RecorderOptions): Promise<'changed'> {
  if (!(error instanceof DynamoCsvError) || error.code !== 'CSV_MALFORMED') throw error;
  const kept = await keepFound(path, options);
  options.logger.warn({ ...kept, file: path }, `${error.message}: the service continues without that file`);
  return 'changed';
}

/** Keeps a copy of the file at `path` in `damaged/`, if it exists. */
async function keepFound(path: string, options: RecorderOptions) {
  const { name: dataset, files } = options;
  if ((await files.stat(path)) === null) return { dataset, keptAt: null };
  return { dataset, keptAt: await keepDamaged(path, null, await files.readFile(path), options) };
}
