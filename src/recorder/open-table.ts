import { DynamoCsvError, describeError } from '../base/errors.js';
import { csvFile } from '../volume/layout.js';
import { AppendedDataset } from './appended-dataset.js';
import { TIMESTAMP } from './column-names.js';
import { keptNames } from './earlier-configuration.js';
import { columnsOf, type Layout } from './layout.js';
import { makeWay } from './make-way.js';
import { type Place, placesOf, type RecorderOptions } from './recorder-options.js';
import type { TableState, TableStateFile } from './table-state.js';

/** What the volume has of a table, but for the items that the next poll is compared with. */
export interface OpenedTable {
  readonly log: AppendedDataset | null;
  readonly changes: AppendedDataset | null;
  /** What the state file has to say from now on: what it said, and what log and changes have beyond it. */
  readonly state: TableState;
  /** What the state file said; null: there was none that could be read. */
  readonly found: TableState | null;
}

/**
 * Opens log and changes of a table, finishing or undoing what was interrupted, and moves out of the way what was recorded
 * under their names and is something else now. What is wrong is said in the log.
 */
export async function openTable(stateFile: TableStateFile, options: RecorderOptions): Promise<OpenedTable> {
  const found = await readState(stateFile, options);
  const places = placesOf(options);
  await makeWay(found, places, options);
  const layout: Layout = {
    columns: found?.columns ?? [],
    keys: found?.keys ?? [],
    names: await keptNames(found, options),
  };
  const log = await openAppended('log', places, layout, options);
  try {
    const changes = await openAppended('changes', places, layout, options);
    return { log, changes, found, state: stateOf(found, layout, places, log, changes, options) };
  } catch (error) {
    await log?.close();
    throw error;
  }
}

function stateOf(
  found: TableState | null,
  layout: Layout,
  places: readonly Place[],
  log: AppendedDataset | null,
  changes: AppendedDataset | null,
  options: RecorderOptions,
): TableState {
  const readAt = latest(found?.readAt, changes?.lastAt ?? log?.lastAt);
  return {
    format: 1,
    ...layout,
    // Without a state file the header of a log tells what columns there are, the time last.
    columns: layout.columns.length === 0 ? (log?.columns?.slice(0, -1) ?? []) : layout.columns,
    readAt,
    snapshotAt: found?.snapshotAt ?? null,
    comparedAt: found === null ? readAt : latest(found.comparedAt, changes?.lastAt),
    keysSince: found?.keysSince ?? null,
    changes: options.changes,
    source: options.source,
    datasets: [...new Set([...(found?.datasets ?? []), ...places.map(({ dataset }) => dataset)])],
  };
}

/** A state that cannot be read is told of in the log, and is none. */
async function readState(file: TableStateFile, options: RecorderOptions): Promise<TableState | null> {
  try {
    return await file.read();
  } catch (error) {
    if (!(error instanceof DynamoCsvError) || error.code !== 'STATE_UNREADABLE') throw error;
    options.logger.warn({ dataset: options.name }, describeError(error));
    return null;
  }
}

/**
 * Opens the log or the changes of a table, null where they are not kept; what an interruption left at the file's end is
 * cut off, and said in the log.
 */
async function openAppended(
  kind: 'log' | 'changes',
  places: readonly Place[],
  layout: Layout,
  options: RecorderOptions,
): Promise<AppendedDataset | null> {
  const published = places.find((place) => place.kind === kind)?.dataset;
  if (published === undefined) return null;
  const { source, dataDir, files, health, logger } = options;
  const { dataset, recovery } = await AppendedDataset.open({
    name: published,
    kind,
    source,
    description:
      kind === 'log'
        ? `Every poll of ${source}, with its time.`
        : `What was inserted, updated and deleted in ${source} from poll to poll.`,
    path: csvFile(dataDir, published),
    files,
    health,
    known: columnsOf(kind, layout),
    keys: layout.keys,
    timeColumn: layout.names?.timestamp ?? TIMESTAMP,
  });
  if (recovery !== null) {
    logger.warn(
      { dataset: published, ...recovery },
      'cut off what an interruption left at the end of the file',
    );
  }
  return dataset;
}

/** The later of two times that may not be known (undefined, or 0 for a file without rows). */
function latest(a: number | null | undefined, b: number | undefined): number | null {
  return Math.max(a ?? 0, b ?? 0) || null;
}
