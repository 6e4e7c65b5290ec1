import { createYielder } from '../base/event-loop.js';
import { rowAt } from '../csv/decode.js';
import { encodeFile, noRows } from '../csv/encode.js';
import { concatRows } from '../csv/relayout.js';
import { rowKey } from '../csv/row-blocks.js';
import { timeOfRow } from '../csv/row-time.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { type AppendedWriter, rowsAfter } from './appended-writer.js';
import type { Baseline } from './baseline.js';
import { changeRows, type Difference } from './changes.js';
import { addedNames, changesColumns, logColumns } from './layout.js';
import type { OpenedTable } from './open-table.js';
import type { RecorderOptions } from './recorder-options.js';

/** Derives past changes from the log when `changes` is turned on. */
export async function readChangesFromLog(table: OpenedTable, options: RecorderOptions): Promise<void> {
  const { log, changes, baseline, state } = table;
  if (log === null || log.itemTime !== null || changes === null || baseline === null) return;
  if (changes.isEmpty && log.lastAt >= Math.max(1, state.current.keysSince ?? 0))
    await fillChanges(log, changes, baseline, table, options);
  log.neededAfter = Number.POSITIVE_INFINITY;
}

async function fillChanges(
  log: AppendedWriter,
  changes: AppendedWriter,
  baseline: Baseline,
  { state }: OpenedTable,
  { logger }: RecorderOptions,
): Promise<void> {
  const { columns: own, keys, keysSince } = state.current;
  const names = addedNames(state.current);
  const columns = changesColumns(own, keys.length, names);
  await state.write();
  await log.layOut(logColumns(own, names), keys, names.timestamp);
  logger.info({ dataset: changes.name, rows: log.status().rows }, 'deriving changes from the log');
  const comparable = rowsAfter(await log.rows(), (keysSince ?? 0) - 1);
  const past = await changesOfLog(comparable, own, keys.length, columns, baseline);
  // The baseline first: if this is interrupted before the changes are written, all of it runs again.
  await baseline.announce(encodeFile(baseline.rows!), past.at);
  state.update({ commit: { position: null, ...baseline.marks } });
  await state.write();
  await baseline.write();
  state.update({
    readAt: past.at,
    comparedAt: past.at,
    snapshotAt: past.at,
    commit: { position: null, ...baseline.marks },
  });
  changes.neededAfter = past.at;
  await state.write();
  await changes.layOut(columns, keys, names.timestamp);
  await changes.fill(past.rows, past.at);
  logger.info({ dataset: changes.name, rows: past.rows.ends.length }, 'derived changes from the log');
}

/** `,2026-11-24T09:30:00.000Z\n`: what a log adds to a table's row. */
const ADDED_LENGTH = 26;

/**
 * Derives changes from a log: the differences between consecutive polls. So a table that was logged for months before
 * changes were kept (by the Python script) has its history in both.
 *
 * @param log rows of the log, in time order
 * @param table the table's own columns, keys first, as the log has them
 * @param changes layout of the changes
 * @param baseline ends up as the log's last poll left the table
 * @returns the changes, and the time of the log's last poll in milliseconds
 */
async function changesOfLog(
  log: EncodedRows,
  table: readonly Column[],
  keyCount: number,
  changes: readonly Column[],
  baseline: Baseline,
): Promise<{ readonly rows: EncodedRows; readonly at: number }> {
  const breathe = createYielder();
  baseline.clear();
  const parts: EncodedRows[] = [noRows(changes)];
  let items = new Map<string, string>();
  let since: number | null = null;
  for (let row = 0; row < log.ends.length; ) {
    await breathe();
    const at = timeOfRow(rowAt(log, row));
    const found = new Map<string, string>();
    for (; row < log.ends.length && timeOfRow(rowAt(log, row)) === at; row++) {
      if ((row & 255) === 0) await breathe();
      const logged = rowAt(log, row);
      found.set(rowKey(logged, keyCount), logged.toString('latin1', 0, logged.length - ADDED_LENGTH));
    }
    const differences = await compare(items, found);
    if (differences.length > 0) {
      parts.push(await changeRows(differences, keyCount, changes, baseline.deleted, since, at));
      await baseline.track(differences, keyCount);
    }
    items = found;
    since = at;
  }
  const rows = [...items.values()].map(toRow);
  baseline.setRows(table, rows);
  return { rows: concatRows(parts), at: since ?? 0 };
}

async function compare(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Promise<Difference[]> {
  const breathe = createYielder();
  const differences: Difference[] = [];
  let looked = 0;
  for (const [key, row] of after) {
    if ((looked++ & 255) === 0) await breathe();
    const old = before.get(key);
    if (old !== row) differences.push({ before: old === undefined ? null : toRow(old), after: toRow(row) });
  }
  for (const [key, row] of before) {
    if ((looked++ & 255) === 0) await breathe();
    if (!after.has(key)) differences.push({ before: toRow(row), after: null });
  }
  return differences;
}

function toRow(text: string): Buffer {
  return Buffer.from(`${text}\n`, 'latin1');
}
