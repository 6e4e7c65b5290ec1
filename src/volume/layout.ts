/**
 * The layout of the data folder: every path below it is made here, and docs/volume.md describes each for users.
 * All functions take the data folder (`dir`) and published names, and return paths; none touches the disk.
 */
import { basename, dirname, join } from 'node:path';

const OWN = '.dynamo-csv';
const STATE_SUFFIX = '.json';
const ARCHIVED_DAYS = '_archived-days.json';

/** The service's own folder: states, baselines, journals and the lock. */
export function ownFolder(dir: string): string {
  return join(dir, OWN);
}

/** The service's own folder for the file at `path`. */
export function ownFolderBeside(path: string): string {
  return ownFolder(dirname(path));
}

/** A dataset's CSV: the latest rows of a snapshot, or the unsealed days of a log or of changes. */
export function csvFile(dir: string, dataset: string): string {
  return join(dir, `${dataset}.csv`);
}

/** The state of a table: its layout, and the last poll that counts. */
export function stateFile(dir: string, name: string): string {
  return join(ownFolder(dir), `${name}${STATE_SUFFIX}`);
}

/** The published name that a state file in the own folder belongs to; null for any other file. */
export function nameOfStateFile(file: string): string | null {
  return file.endsWith(STATE_SUFFIX) && !isTemporary(file) ? basename(file, STATE_SUFFIX) : null;
}

/** The items that the next poll is compared with, if `<name>.csv` is a log. */
export function baselineFile(dir: string, name: string): string {
  return join(ownFolder(dir), `${name}.baseline.csv`);
}

/** The last known values of items that were deleted. */
export function deletedFile(dir: string, name: string): string {
  return join(ownFolder(dir), `${name}.deleted.csv`);
}

/** Announces the append in progress on the file at `path`. */
export function journalFile(path: string): string {
  return join(ownFolderBeside(path), `${basename(path)}.append`);
}

/** The file that the service locks while it works on the folder. */
export function lockFile(dir: string): string {
  return join(ownFolder(dir), 'lock');
}

/** Locked by a service while it replaces the lock of one that stopped, so that two do not at once. */
export function successionFile(dir: string): string {
  return join(ownFolder(dir), 'succession');
}

/** What the service that collects says about its polls to those that follow it. */
export function pollReportFile(dir: string): string {
  return join(ownFolder(dir), 'polls');
}

/** Which tables were found by name, and how each is published. */
export function discoveredFile(dir: string): string {
  return join(ownFolder(dir), 'discovered');
}

/** What reading has cost in this month. */
export function spendingFile(dir: string): string {
  return join(ownFolder(dir), 'spending');
}

/** Which archive the folder belongs to, and its last point that the folder has. */
export function archiveFile(dir: string): string {
  return join(ownFolder(dir), 'archive');
}

const OF_THE_MACHINE = new Set(['lock', 'succession', 'archive']);

/**
 * The files of a data folder that an archive keeps, by their paths relative to it: not the locks, files in progress, what
 * announces an append in progress, and the notes about the archive itself.
 */
export function isArchived(path: string): boolean {
  const name = basename(path);
  if (isTemporary(name) || (name === ARCHIVED_DAYS && dirname(path) !== '.')) return false;
  return dirname(path) !== OWN || !(OF_THE_MACHINE.has(name) || name.endsWith('.append'));
}

/**
 * What is moved when the data at a path relative to the data folder is moved aside: all of the history, or the file itself.
 * Null: it is kept aside already.
 */
export function movedAsOne(path: string): string | null {
  const history = basename(historyFolder(''));
  const isIn = (folder: string) => path.startsWith(`${folder}/`);
  if (isIn(takenOverFolder('')) || isIn(damagedFolder(''))) return null;
  return isIn(history) ? history : path;
}

/** Whether a path relative to the data folder is a sealed day's. */
export function isSealedDay(path: string): boolean {
  return path.startsWith(`${basename(historyFolder(''))}/`) && isDayFile(basename(path));
}

/** Where the originals of converted files, and files moved aside, are kept. */
export function takenOverFolder(dir: string): string {
  return join(dir, 'taken-over');
}

/** Where damaged files and lines are kept that the service continues without. */
export function damagedFolder(dir: string): string {
  return join(dir, 'damaged');
}

/** The sealed days of all datasets, in Hive's layout. */
export function historyFolder(dir: string): string {
  return join(dir, 'history');
}

/** The last results of views that another engine computes: `<name>.csv`, and what is known of it. */
export function resultFile(dir: string, view: string): string {
  return join(dir, 'results', `${view}.csv`);
}

export function resultStateFile(dir: string, view: string): string {
  return join(dir, 'results', `${view}.json`);
}

/** Names the time zone whose midnights separate the sealed days. */
export function timeZoneFile(dir: string): string {
  return join(historyFolder(dir), 'time-zone');
}

/** The sealed days of one dataset. */
export function historyOf(dir: string, dataset: string): string {
  return join(historyFolder(dir), dataset);
}

/** The columns that all files of a dataset's sealed days have. Engines pass over names that begin with `_`. */
export function historySchemaFile(dir: string, dataset: string): string {
  return join(historyOf(dir, dataset), '_schema.json');
}

/** Names the sealed days of one dataset that the archive keeps; their files may be absent here, and are fetched to their places. */
export function archivedDaysFile(dir: string, dataset: string): string {
  return join(historyOf(dir, dataset), ARCHIVED_DAYS);
}

/** Whether a path relative to the data folder is a list of archived days, wherever its folder was moved. */
export function isArchivedDaysFile(path: string): boolean {
  return basename(path) === ARCHIVED_DAYS && dirname(path) !== '.';
}

/** A file of a sealed day. */
export interface DayPath {
  readonly dataset: string;
  /** Local day, `2026-11-24`. */
  readonly date: string;
  readonly file: string;
}

/** The dataset, local day and file name of a sealed day, by its path relative to the data folder; null for other paths. */
export function dayOfPath(path: string): DayPath | null {
  const [folder, dataset = '', day = '', file = '', ...more] = path.split('/');
  const date = dateOfDayFolder(day);
  if (folder !== basename(historyFolder('')) || date === null || !isDayFile(file) || more.length > 0)
    return null;
  return { dataset, date, file };
}

/** The Parquet files of one local day, `2026-11-24`. */
export function dayFolder(dir: string, dataset: string, date: string): string {
  return join(historyOf(dir, dataset), dayFolderName(date));
}

/** Where the damaged days of one dataset are kept, in the layout of `historyOf`. */
export function damagedHistoryOf(dir: string, dataset: string): string {
  return join(damagedFolder(dir), basename(historyFolder(dir)), dataset);
}

/** The damaged files of one local day, `2026-11-24`. */
export function damagedDayFolder(dir: string, dataset: string, date: string): string {
  return join(damagedHistoryOf(dir, dataset), dayFolderName(date));
}

/** The name of a day's folder: `date=2026-11-24`. */
export function dayFolderName(date: string): string {
  return `date=${date}`;
}

/** The day that a folder of `historyOf` is named after; null for any other name. */
export function dateOfDayFolder(name: string): string | null {
  return /^date=(\d{4}-\d\d-\d\d)$/.exec(name)?.[1] ?? null;
}

/** The name of a day's Parquet file: `2026-11-24.parquet`, or with `-2` and so on for later ones of the same day. */
export function dayFileName(date: string, number: number): string {
  return number === 1 ? `${date}.parquet` : `${date}-${number}.parquet`;
}

/** Whether a file in a day's folder holds sealed rows. */
export function isDayFile(name: string): boolean {
  return name.endsWith('.parquet') && !isTemporary(name);
}

/**
 * Where a file's next content is written before it takes the file's place. Hidden, in the same folder, and always
 * the same name, so that what a crash leaves behind is overwritten or removed by the next start.
 */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/** Whether a file's name is one of `temporaryPath`. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp');
}
