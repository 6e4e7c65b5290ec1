import { dirname } from 'node:path';
import { AppendFile } from '../volume/append-file.js';
import { fileNotWritten } from '../volume/errors.js';
import type { Files } from '../volume/files.js';
import { readFirstRow } from '../volume/first-row.js';
import { baselineFile, csvFile, historyOf, takenOverFolder } from '../volume/layout.js';
import { moveAside } from '../volume/write.js';
import { CHANGE, SINCE, TIMESTAMP } from './layout.js';
import { appendedBy, type Place, type RecorderOptions } from './recorder-options.js';
import { claimantOf, type TableState } from './table-state.js';

/** What a CSV file turned out to be; `foreign`: a snapshot with columns that this source never had. */
type Found = Place['kind'] | 'foreign';

/**
 * Moves data aside that has one of a source's file names but is not what will be written there: `log` or another option
 * changed since the last start, or another source had the name. It goes to `taken-over/` by one rename, and that is
 * logged. The items that the next poll is compared with move between `<name>.csv` and the hidden baseline, so that no
 * change is lost. After an interruption the next start completes it. Call it before opening files.
 *
 * @param state the state of this source on the volume; null: none
 * @param places what will be written
 */
export async function moveOtherDataAside(
  state: TableState | null,
  places: readonly Place[],
  options: RecorderOptions,
): Promise<void> {
  try {
    for (const place of places) await moveAsideAt(place, state, options);
    await moveBaseline(places, options);
  } catch (error) {
    throw fileNotWritten(options.dataDir, error);
  }
}

async function moveAsideAt(place: Place, state: TableState | null, options: RecorderOptions): Promise<void> {
  const { dataDir, files } = options;
  const hiddenBaseline = baselineFile(dataDir, options.name);
  const path = csvFile(dataDir, place.dataset);
  const header = await readFirstRow(path, files);
  const history = historyOf(dataDir, place.dataset);
  const hasHistory = (await files.list(history)).length > 0;
  // Who owns the data is only asked where there is some: it means reading the states of all datasets.
  if (header === null && !hasHistory) return;
  const claimant = await claimantOf(place.dataset, options.name, state, dataDir, files);
  const found = header === null ? null : whatIs(header, state, options.timestampColumn);
  const isOther = place.kind === 'log' && isOtherLog(state, options);
  if (claimant === null && !isOther && (found === null || found === place.kind)) return;
  // Truncate a partial append first, so that the kept file has whole polls only.
  if (found === 'log' || found === 'changes') await (await AppendFile.open(path, files)).close();
  const folder = takenOverFolder(dataDir);
  const isComparedNext = found === 'snapshot' && place.dataset === options.name && claimant === null;
  // Sealed days of a log stay, in case it becomes a log again; those of another source or log would look like ours.
  const historyAt =
    hasHistory && (claimant !== null || isOther) ? await moveAside(files, history, folder) : history;
  const moved = {
    ...(found === null
      ? {}
      : { keptAt: isComparedNext ? hiddenBaseline : await moveAside(files, path, folder) }),
    ...(hasHistory ? { sealedDaysAt: historyAt } : {}),
  };
  if (isComparedNext) await moveFile(files, path, hiddenBaseline);
  options.logger.warn({ dataset: place.dataset, ...moved }, sentence(place, found, claimant, isOther));
}

/** Whether the log on the volume is of polls and the configured one of new items, or by another time, or the other way. */
function isOtherLog(state: TableState | null, options: RecorderOptions): boolean {
  if (state === null) return false;
  const { appends } = state;
  return (appends?.column ?? null) !== appendedBy(options) || appends?.ended === true;
}

/** What was found and what was done. */
function sentence(
  { dataset, kind }: Place,
  found: Found | null,
  claimant: string | null,
  isOther: boolean,
): string {
  if (claimant === null && isOther && found !== 'snapshot')
    return `${dataset} was recorded with other options log or time: the old data is kept aside, and a new log begins`;
  const was =
    claimant === null
      ? `${dataset}.csv held ${found === null ? 'nothing' : NAMES[found]}`
      : `the data under the name ${dataset} was recorded for ${claimant}`;
  return `${was}, and ${dataset} is ${NAMES[kind]} now: the old data is kept aside, and a new file begins`;
}

const NAMES: Readonly<Record<Found, string>> = {
  snapshot: 'a snapshot',
  log: 'a log',
  changes: 'changes',
  foreign: 'columns that this source never had',
};

async function moveFile(files: Files, from: string, to: string): Promise<void> {
  await files.rename(from, to);
  await files.syncFolder(dirname(to));
  await files.syncFolder(dirname(from));
}

/** When `<name>.csv` is no longer a log, the items that the next poll is compared with go back there. */
async function moveBaseline(
  places: readonly Place[],
  { name, dataDir, files }: RecorderOptions,
): Promise<void> {
  const hiddenBaseline = baselineFile(dataDir, name);
  const path = csvFile(dataDir, name);
  const isSnapshot = places.some(({ dataset, kind }) => dataset === name && kind === 'snapshot');
  if (!isSnapshot || (await files.stat(path)) !== null || (await files.stat(hiddenBaseline)) === null) return;
  await moveFile(files, hiddenBaseline, path);
}

/** Determines from its header what a file is, by the columns that this service adds to a table's own. */
function whatIs(header: readonly string[], state: TableState | null, timestampColumn: string | null): Found {
  const own = new Set(state?.columns.map(({ name }) => name) ?? []);
  const names = state?.names ?? null;
  const times = names === null ? [TIMESTAMP, timestampColumn] : [names.timestamp];
  const last = header.at(-1) ?? '';
  if (times.includes(last) && !own.has(last)) {
    const isChanges = header[0] === (names?.change ?? CHANGE) && header.includes(names?.since ?? SINCE);
    return isChanges ? 'changes' : 'log';
  }
  return state !== null && header.some((name) => !own.has(name)) ? 'foreign' : 'snapshot';
}
