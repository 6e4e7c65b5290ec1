import { DynamoCsvError, describeError } from '../base/errors.js';
import { baselineFile, csvFile, deletedFile } from '../volume/layout.js';
import { AppendedWriter } from './appended-writer.js';
import { Baseline } from './baseline.js';
import { withDeclared } from './column-types.js';
import { keepDamaged, moveDamaged, moveNonFilesAside } from './damage.js';
import { describe, shownSource } from './descriptions.js';
import { keptNames } from './earlier-configuration.js';
import { type ItemTimes, timesOf, withTimeColumn } from './item-times.js';
import { columnsOf, TIMESTAMP } from './layout.js';
import { moveOtherDataAside } from './move-aside.js';
import { appendedBy, type Place, placesOf, type RecorderOptions } from './recorder-options.js';
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
  /** The times of the items; null: they have none. */
  readonly times: ItemTimes | null;
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
  const { name, dataDir, files, health } = options;
  const places = placesOf(options);
  await moveNonFilesAside(places, options);
  const stateFile = stateFileOf(dataDir, name, files);
  const found = await readState(stateFile, options);
  await moveOtherDataAside(found, places, options);
  const times = timesOf(options);
  const layout: Layout = {
    columns: withTimeColumn(withDeclared(found?.columns ?? [], options.types ?? {}), options.time),
    keys: found?.keys ?? [],
    names: await keptNames(found, options),
  };
  const open = (kind: 'log' | 'changes') =>
    openWriter(kind, places, layout, found, times, options, betweenPolls);
  const log = await open('log');
  try {
    const changes = await open('changes');
    const state = new StateKeeper(stateFile, stateOf(found, layout, places, log, changes, options), found);
    // What is new is known without the other items.
    const appends = appendedBy(options) !== null && options.newItemsOnly !== true;
    const hasSnapshot = places.some(({ kind }) => kind === 'snapshot');
    const paths = {
      rows: hasSnapshot ? csvFile(dataDir, name) : baselineFile(dataDir, name),
      deleted: deletedFile(dataDir, name),
    };
    return {
      log,
      changes,
      found,
      state,
      times,
      baseline:
        hasSnapshot || options.changes || appends ? new Baseline(paths, files, options.writeRate) : null,
      snapshot: hasSnapshot
        ? new SnapshotDataset({
            name,
            source: shownSource(options),
            description: describe('snapshot', options),
            health,
            times,
            optionsAt: options.optionsAt,
          })
        : null,
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
  const { items = [], itemsAt, deleted = [], position = null } = found?.commit ?? {};
  return {
    format: 1,
    columns: [...(layout.columns.length === 0 ? ownColumns(log) : layout.columns)],
    keys: [...layout.keys],
    names: layout.names,
    readAt,
    snapshotAt: found?.snapshotAt ?? null,
    comparedAt: found === null ? readAt : latest(found.comparedAt, changes?.lastAt),
    keysSince: found?.keysSince ?? null,
    appends: appendsOf(found, options),
    changes: options.changes,
    source: options.source,
    datasets: [...new Set([...(found?.datasets ?? []), ...places.map(({ dataset }) => dataset)])],
    commit: {
      items,
      ...(itemsAt === undefined ? {} : { itemsAt }),
      deleted,
      position: isContinued(found, log, options) ? position : null,
    },
  };
}

/** A position is meaningful only to the source that returned it, and to a log of new items only while that has them. */
function isContinued(
  found: TableState | null,
  log: AppendedWriter | null,
  { source, newItemsOnly }: RecorderOptions,
): boolean {
  return found?.source === source && !(newItemsOnly === true && log?.version == null);
}

/** A log that was of polls before, or by another column, begins anew. */
function appendsOf(found: TableState | null, options: RecorderOptions): TableState['appends'] {
  const column = appendedBy(options);
  const before = found?.appends ?? null;
  if (column === null) return before === null || options.log ? null : { ...before, ended: true };
  return before?.column === column && before.ended !== true ? before : { column, since: null };
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
  times: ItemTimes | null,
  options: RecorderOptions,
  betweenPolls: BetweenPolls,
): Promise<AppendedWriter | null> {
  const dataset = places.find((place) => place.kind === kind)?.dataset;
  if (dataset === undefined) return null;
  const { dataDir, files, health, logger } = options;
  const path = csvFile(dataDir, dataset);
  const itemTime = kind === 'log' ? appendedBy(options) : null;
  const opened = await AppendedWriter.open({
    name: dataset,
    kind,
    source: shownSource(options),
    description: describe(kind, options),
    path,
    files,
    health,
    known: columnsOf(kind, layout),
    keys: layout.keys,
    pollColumn: layout.names?.timestamp ?? TIMESTAMP,
    itemTime,
    exceptions: () => (kind === 'log' ? (times?.exceptions ?? []) : []),
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
