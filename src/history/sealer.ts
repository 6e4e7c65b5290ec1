import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { describeError } from '../base/errors.js';
import { createYielder } from '../base/event-loop.js';
import { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import { rowAt } from '../csv/decode.js';
import { concatRows, sliceRows } from '../csv/relayout.js';
import { timeOfRow } from '../csv/row-time.js';
import type { EncodedRows, RowRange } from '../csv/rows.js';
import type { SealedDay } from '../datasets/relation.js';
import type { Files } from '../volume/files.js';
import {
  dateOfDayFolder,
  dayFileName,
  dayFolder,
  historyFolder,
  historyOf,
  isDayFile,
  isTemporary,
  temporaryPath,
  timeZoneFile,
} from '../volume/layout.js';
import { SnapshotFile } from '../volume/snapshot-file.js';
import { historyInOtherTimeZone } from './errors.js';
import type { SealableLog } from './sealable-log.js';

/** Sealed days between two lines in the log. */
const PROGRESS_EVERY = 30;

/** What sealing needs of the SQL engine. */
export interface ParquetWriter {
  /** Writes rows of one local day as Parquet (zstd). */
  writeParquet(rows: EncodedRows, date: string, path: string): Promise<void>;
  /** The times of the polls in a Parquet file of ours, milliseconds since the epoch. */
  timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>>;
  /** Resolves when everybody who may be reading sealed days now has ended; null: nobody is. */
  reading(): Promise<void> | null;
}

export interface SealerOptions {
  readonly dataDir: string;
  readonly files: Files;
  readonly days: LocalDays;
  readonly parquet: ParquetWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a dataset's days are kept, in days: in its CSV file, and altogether (null: for ever). */
export interface Keeping {
  readonly keep: number;
  readonly retention: number | null;
}

/**
 * Moves closed local days of logs and changes from their CSV file to `history/<dataset>/date=YYYY-MM-DD/`, as Parquet.
 *
 * Order of the steps: every day's Parquet file is written under a temporary name, synced and renamed; then the CSV file
 * is replaced by one without exactly these rows. Interrupted in between, rows stand in both: `restore` takes polls that
 * are in a Parquet file out of the CSV file. Other rows of a sealed day (a poll that was recorded while its day was
 * sealed, a restored file) get a file beside it at the next sealing. What is sealed is told by the folder alone.
 */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #timeZoneFile: SnapshotFile;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#timeZoneFile = new SnapshotFile(timeZoneFile(options.dataDir), options.files);
  }

  /** Refuses a history that was sealed by another time zone's days. Call before the first `restore`. */
  async checkTimeZone(): Promise<void> {
    const { dataDir, days } = this.#options;
    const found = (await this.#timeZoneFile.read())?.toString('utf8').trim();
    if (found !== undefined && found !== '' && found !== days.timeZone) {
      throw historyInOtherTimeZone(historyFolder(dataDir), found, days.timeZone);
    }
  }

  /**
   * Tells a dataset which of its days are sealed, and makes good what an interruption left. Call it before the first
   * poll. On a disk that does not take the change, days that stand in both places are shown from the CSV file.
   */
  async restore(dataset: SealableLog): Promise<void> {
    const { files, days, logger } = this.#options;
    const folder = this.#folder(dataset.name);
    for (const entry of await files.list(folder)) {
      const leftovers = (await files.list(join(folder, entry))).filter(isTemporary);
      for (const name of leftovers) await files.remove(join(folder, entry, name));
    }
    const sealed = await this.#sealedDays(dataset.name);
    const newest = sealed.at(-1);
    if (newest === undefined || dataset.firstAt >= days.startOf(LocalDays.daysBefore(newest.date, -1))) {
      dataset.sealedDays = sealed;
      return;
    }
    const byDate = new Map(sealed.map((day) => [day.date, day]));
    const rows = await dataset.rows();
    const doubled: RowRange[] = [];
    const dates = new Set<string>();
    const { found } = await this.#byDay(rows, (date) => byDate.has(date));
    for (const [date, ranges] of found) {
      const { inside } = await this.#compare(byDate.get(date) as SealedDay, rows, ranges, dataset.timeColumn);
      doubled.push(...inside);
      if (inside.length > 0) dates.add(date);
    }
    dataset.sealedDays = sealed.filter((day) => !dates.has(day.date));
    try {
      await this.#makeNamesSafe(dataset.name, dates);
      await dataset.dropRows(doubled, sealed);
    } catch (error) {
      logger.warn({ dataset: dataset.name, days: dates.size }, describeError(error));
    }
  }

  /**
   * Seals the days that are older than `keep` days, and drops those beyond the retention. False when some of their rows
   * are still needed where they are (`SealableLog.neededAfter`), which the next poll mends. When the signal aborts,
   * it rejects with its reason between two days; the next run goes on from there.
   */
  async seal(dataset: SealableLog, keeping: Keeping, signal?: AbortSignal): Promise<boolean> {
    const { files, dataDir, days, clock, logger } = this.#options;
    const today = days.dateOf(clock.now());
    const firstKept = LocalDays.daysBefore(today, keeping.keep - 1);
    // Without a retention the empty text, which is before every day.
    const oldest = keeping.retention === null ? '' : LocalDays.daysBefore(today, keeping.retention - 1);
    const found = await this.#sealedDays(dataset.name);
    const gone = found.filter(({ date }) => date < oldest);
    if (gone.length > 0) await this.#drop(dataset, gone, oldest);
    const rows = await dataset.rows();
    const kept = found.filter(({ date }) => date >= oldest);
    const sealed = new Map(kept.map((day) => [day.date, day]));
    const isClosed = (date: string) => date < firstKept || sealed.has(date);
    const { found: closed, isAll } = await this.#byDay(rows, isClosed, dataset.neededAfter);
    if (closed.size === 0) return isAll;
    const started = clock.now();
    await files.makeFolder(historyFolder(dataDir));
    await this.#timeZoneFile.replace(Buffer.from(`${days.timeZone}\n`));
    let done = 0;
    for (const [date, ranges] of [...closed].sort(([a], [b]) => (a < b ? -1 : 1))) {
      signal?.throwIfAborted();
      sealed.set(date, await this.#sealDay(dataset, date, rows, ranges, sealed.get(date)));
      done++;
      if (done % PROGRESS_EVERY === 0)
        logger.info({ dataset: dataset.name, days: done, of: closed.size }, 'sealing days');
    }
    await this.#makeNamesSafe(dataset.name, closed.keys());
    const ranges = [...closed.values()].flat().sort((a, b) => a.from - b.from);
    await dataset.dropRows(ranges, [...sealed.values()].sort(byDate));
    const took = clock.now() - started;
    const count = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    logger.info({ dataset: dataset.name, days: closed.size, rows: count, took }, 'sealed closed days');
    return isAll;
  }

  async #sealDay(
    dataset: SealableLog,
    date: string,
    rows: EncodedRows,
    ranges: readonly RowRange[],
    before: SealedDay | undefined,
  ): Promise<SealedDay> {
    const { files, parquet, dataDir } = this.#options;
    const folder = dayFolder(dataDir, dataset.name, date);
    const rest =
      before === undefined ? ranges : (await this.#compare(before, rows, ranges, dataset.timeColumn)).outside;
    if (before !== undefined && rest.length === 0) return before;
    await files.makeFolder(folder);
    const path = join(folder, freeName(date, before?.paths ?? []));
    const temporary = temporaryPath(path);
    await parquet.writeParquet(
      concatRows(rest.map(({ from, to }) => sliceRows(rows, from, to))),
      date,
      temporary,
    );
    await sync(files, temporary);
    await files.rename(temporary, path);
    return { date, paths: [...(before?.paths ?? []), path] };
  }

  /**
   * What leaves the CSV file must not be lost with a name: that of a Parquet file, which perhaps a process wrote that was
   * killed thereafter, or of a folder above it.
   */
  async #makeNamesSafe(name: string, dates: Iterable<string>): Promise<void> {
    const { files, dataDir } = this.#options;
    const folder = this.#folder(name);
    const dayFolders = [...dates].map((date) => dayFolder(dataDir, name, date));
    for (const place of [...dayFolders, folder, historyFolder(dataDir), dataDir])
      await files.syncFolder(place);
  }

  /** The rows of a sealed day by whether its Parquet files have their poll. */
  async #compare(
    day: SealedDay,
    rows: EncodedRows,
    ranges: readonly RowRange[],
    timeColumn: string,
  ): Promise<{ readonly inside: RowRange[]; readonly outside: RowRange[] }> {
    const known = new Set<number>();
    for (const path of day.paths) {
      for (const time of await this.#options.parquet.timesIn(path, timeColumn)) known.add(time);
    }
    const breathe = createYielder();
    const found = { inside: [] as RowRange[], outside: [] as RowRange[] };
    for (const { from, to } of ranges) {
      for (let row = from; row < to; row++) {
        if ((row & 1023) === 0) await breathe();
        addRow(known.has(timeOfRow(rowAt(rows, row))) ? found.inside : found.outside, row);
      }
    }
    return found;
  }

  /**
   * Where the rows of the local days are that `wants` names, up to the first row that is newer than `until`; `isAll`:
   * that one is of no such day.
   */
  async #byDay(
    rows: EncodedRows,
    wants: (date: string) => boolean,
    until = Number.POSITIVE_INFINITY,
  ): Promise<{ readonly found: Map<string, RowRange[]>; readonly isAll: boolean }> {
    const { days } = this.#options;
    const breathe = createYielder();
    const found = new Map<string, RowRange[]>();
    let ranges: RowRange[] | null = null;
    let dayStart = Number.POSITIVE_INFINITY;
    let dayEnd = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < rows.ends.length; row++) {
      if ((row & 1023) === 0) await breathe();
      const time = timeOfRow(rowAt(rows, row));
      if (time > until) return { found, isAll: !wants(days.dateOf(time)) };
      if (time < dayStart || time >= dayEnd) {
        const date = days.dateOf(time);
        dayStart = time;
        dayEnd = days.endOf(time);
        ranges = wants(date) ? (found.get(date) ?? []) : null;
        if (ranges !== null) found.set(date, ranges);
      }
      if (ranges !== null) addRow(ranges, row);
    }
    return { found, isAll: true };
  }

  /**
   * Nobody is shown these days any more, and their files go when nobody reads them any more: at once or, when an answer is
   * under way, behind it. A stop in between leaves them to the next start.
   */
  async #drop(dataset: SealableLog, gone: readonly SealedDay[], oldest: string): Promise<void> {
    const { parquet, logger } = this.#options;
    dataset.sealedDays = dataset.sealedDays.filter((day) => day.date >= oldest);
    const remove = async () => {
      await this.#remove(dataset.name, gone);
      const facts = { dataset: dataset.name, days: gone.length, before: oldest };
      logger.info(facts, 'dropped days beyond the retention');
    };
    const reading = parquet.reading();
    if (reading === null) return remove();
    void reading.then(remove).catch((error: unknown) => {
      logger.warn({ dataset: dataset.name, days: gone.length }, describeError(error));
    });
  }

  async #remove(name: string, days: readonly SealedDay[]): Promise<void> {
    const { files, dataDir } = this.#options;
    for (const { date } of days) await files.removeFolder(dayFolder(dataDir, name, date));
  }

  /** The days in the history folder, oldest first. */
  async #sealedDays(name: string): Promise<SealedDay[]> {
    const { files } = this.#options;
    const folder = this.#folder(name);
    const found: SealedDay[] = [];
    for (const entry of await files.list(folder)) {
      const date = dateOfDayFolder(entry);
      if (date === null) continue;
      const names = (await files.list(join(folder, entry))).filter(isDayFile);
      if (names.length > 0)
        found.push({ date, paths: names.sort().map((name) => join(folder, entry, name)) });
    }
    return found.sort(byDate);
  }

  #folder(name: string): string {
    return historyOf(this.#options.dataDir, name);
  }
}

function byDate(a: SealedDay, b: SealedDay): number {
  return a.date < b.date ? -1 : 1;
}

/** `2026-11-24.parquet`, or the first of `2026-11-24-2.parquet` and so on that no file of that day has. */
function freeName(date: string, taken: readonly string[]): string {
  const names = new Set(taken.map((path) => basename(path)));
  for (let number = 1; ; number++) {
    const name = dayFileName(date, number);
    if (!names.has(name)) return name;
  }
}

/** Adds a row to ranges that are in order, to the last of them where it follows it. */
function addRow(ranges: RowRange[], row: number): void {
  const last = ranges.at(-1);
  if (last?.to === row) last.to++;
  else ranges.push({ from: row, to: row + 1 });
}

async function sync(files: Files, path: string): Promise<void> {
  const file = await files.open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
