import { DynamoCsvError, describeError } from '../base/errors.js';
import { baselineFile, csvFile, deletedFile } from '../volume/layout.js';
import { AppendedWriter } from './appended-writer.js';
import { Baseline } from './baseline.js';
import { keepDamaged, moveDamaged, moveNonFilesAside } from './damage.js';
import { keptNames } from './earlier-configuration.js';
import { columnsOf, TIMESTAMP } from './layout.js';
import { moveOtherDataAside } from './move-aside.js';
import { type Place, placesOf, type RecorderOptions } from './recorder-options.js';
import { SnapshotDataset } from './snapshot-dataset.js';
import {
  type Layout,
  StateKeeper,
  stateFileOf,
  type TableState,
  type TableStateFile,
} from './table-state.js';

/** What the volume has of a table, opened for writing. */
export interface OpenedTable {
  readonly snapshot: SnapshotDataset | null;
  readonly log: AppendedWriter | null;
  readonly changes: AppendedWriter | null;
  /** The items that the next poll is compared with; null for a log alone, which needs none. Not read yet. */
  readonly baseline: Baseline | null;
  /** The state to be written: that of the state file, plus what log and changes have beyond it. */
  readonly state: StateKeeper;
  /** The state as it was in the file; null if there was none that could be read. */
  readonly found: TableState | null;
}

type BetweenPolls = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Opens the files of a table. Interrupted work is finished or undone, damaged files are kept aside, and other data under
 * these names is moved aside; each of these is logged.
 */
export async function openTable(options: RecorderOptions, betweenPolls: BetweenPolls): Promise<OpenedTable> {
  const { name, dataDir, files, source, health } = options;
  const places = placesOf(options);
  await moveNonFilesAside(places, options);
  const stateFile = stateFileOf(dataDir, name, files);
  const found = await readState(stateFile, options);
  await moveOtherDataAside(found, places, options);
  const layout: Layout = {
    columns: found?.columns ?? [],
    keys: found?.keys ?? [],
    names: await keptNames(found, options),
  };
  const open = (kind: 'log' | 'changes') => openWriter(kind, places, layout, found, options, betweenPolls);
  const log = await open('log');
  try {
    const changes = await open('changes');
    const state = new StateKeeper(stateFile, stateOf(found, layout, places, log, changes, options), found);
    const hasSnapshot = places.some(({ kind }) => kind === 'snapshot');
    const paths = {
      rows: hasSnapshot ? csvFile(dataDir, name) : baselineFile(dataDir, name),
      deleted: deletedFile(dataDir, name),
    };
    const description = `What the latest poll of ${source} found.`;
    return {
      log,
      changes,
      found,
      state,
      baseline: hasSnapshot || options.changes ? new Baseline(paths, files) : null,
      snapshot: hasSnapshot ? new SnapshotDataset({ name, source, description, health }) : null,
    };
  } catch (error) {
    await log?.close();
    throw error;
  }
}

function stateOf(
  found: TableState | null,
  layout: Layout,
  places: readonly Place[],
  log: AppendedWriter | null,
  changes: AppendedWriter | null,
  options: RecorderOptions,
): TableState {
  const readAt = latest(found?.readAt, changes?.lastAt ?? log?.lastAt);
  const { items = [], deleted = [], position = null } = found?.commit ?? {};
  return {
    format: 1,
    columns: [...(layout.columns.length === 0 ? ownColumns(log) : layout.columns)],
    keys: [...layout.keys],
    names: layout.names,
    readAt,
    snapshotAt: found?.snapshotAt ?? null,
    comparedAt: found === null ? readAt : latest(found.comparedAt, changes?.lastAt),
    keysSince: found?.keysSince ?? null,
    changes: options.changes,
    source: options.source,
    datasets: [...new Set([...(found?.datasets ?? []), ...places.map(({ dataset }) => dataset)])],
    // A position is meaningful only to the source that returned it.
    commit: { items, deleted, position: found?.source === options.source ? position : null },
  };
}

/** Without a state file the columns come from the header of the log, the time last. */
function ownColumns(log: AppendedWriter | null) {
  return log?.columns?.slice(0, -1) ?? [];
}

/** Reads the state; one that is damaged or not ours is moved aside and treated as missing. */
async function readState(file: TableStateFile, options: RecorderOptions): Promise<TableState | null> {
  try {
    return await file.read();
  } catch (error) {
    if (!(error instanceof DynamoCsvError) || error.code !== 'STATE_UNREADABLE') throw error;
    const keptAt = await moveDamaged(file.path, options);
    options.logger.warn({ dataset: options.name, keptAt }, describeError(error));
    return null;
  }
}

/** Opens the log or the changes of a table; null if they are not kept. */
async function openWriter(
  kind: 'log' | 'changes',
  places: readonly Place[],
  layout: Layout,
  found: TableState | null,
  options: RecorderOptions,
  betweenPolls: BetweenPolls,
): Promise<AppendedWriter | null> {
  const dataset = places.find((place) => place.kind === kind)?.dataset;
  if (dataset === undefined) return null;
  const { source, dataDir, files, health, logger } = options;
  const path = csvFile(dataDir, dataset);
  const opened = await AppendedWriter.open({
    name: dataset,
    kind,
    source,
    description:
      kind === 'log'
        ? `${options.newItemsOnly ? 'Every new item' : 'Every poll'} of ${source}, with its time.`
        : `What was inserted, updated and deleted in ${source} from poll to poll.`,
    path,
    files,
    health,
    known: columnsOf(kind, layout),
    keys: layout.keys,
    timeColumn: layout.names?.timestamp ?? TIMESTAMP,
    ...(found?.commit == null ? {} : { committedAt: found.readAt ?? 0 }),
    keepDamaged: (what, bytes) => keepDamaged(path, what, bytes, options),
    onMoved: (what) => logger.warn({ dataset, path }, MOVED[what]),
    betweenPolls,
  });
  const { recovery, damaged } = opened;
  if (recovery !== null)
    logger.warn({ dataset, ...recovery }, `truncated a partial ${recovery.what} at the end of the file`);
  if (damaged !== null) logger.warn({ dataset, ...damaged }, 'moved damaged lines aside');
  return opened.dataset;
}

const MOVED = {
  begun: 'the file was moved or removed while this service wrote it: a new file begins',
  adopted: 'the data folder was replaced by a copy while this service wrote it: polls go on in the copy',
} as const;

/** The later of two times that may not be known (undefined, or 0 for a file without rows). */
function latest(a: number | null | undefined, b: number | undefined): number | null {
  return Math.max(a ?? 0, b ?? 0) || null;
}
