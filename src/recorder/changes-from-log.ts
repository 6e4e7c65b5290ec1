import { encodeFile } from '../csv/encode.js';
import { type AppendedWriter, rowsAfter } from './appended-writer.js';
import type { Baseline } from './baseline.js';
import { changesOfLog } from './changes-of-log.js';
import { changesColumns, logColumns } from './column-names.js';
import { addedNames } from './layout.js';
import type { OpenedTable } from './open-table.js';
import type { RecorderOptions } from './recorder-options.js';

/** Derives past changes from the log when `changes` is turned on. */
export async function readChangesFromLog(table: OpenedTable, options: RecorderOptions): Promise<void> {
  const { log, changes, baseline, state } = table;
  if (log === null || changes === null || baseline === null) return;
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
  await baseline.announce(encodeFile(baseline.rows!));
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
