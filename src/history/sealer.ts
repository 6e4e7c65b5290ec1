import type { Clock } from '../base/clock.js';
import { describeError } from '../base/errors.js';
import { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import { concatRows, sliceRows } from '../csv/relayout.js';
import type { EncodedRows, RowRange } from '../csv/rows.js';
import type { SealedDay } from '../datasets/relation.js';
import { historyInOtherTimeZone } from './errors.js';
import { MissingDays } from './missing-days.js';
import type { DamagedFile, ParquetFiles } from './parquet-files.js';
import { pollsOf, type RowsByDay, rowsByDay, splitByTime } from './rows-by-day.js';
import type { FollowedLog, SealableLog } from './sealable-log.js';
import type { HistoryStore, StoredDay } from './store.js';

/** Sealed days between two progress lines in the service log. */
const PROGRESS_EVERY = 30;
/** How often a folder is read in which another service moves days. */
const MOST_ATTEMPTS = 20;

export interface SealerOptions {
  readonly store: HistoryStore;
  readonly days: LocalDays;
  readonly parquet: ParquetFiles;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How many days are kept: in the CSV file, and in total (null: unlimited). */
export interface Keeping {
  readonly keep: number;
  readonly retention: number | null;
}

/**
 * Moves closed local days of logs and changes from their CSV file to the history store, as Parquet.
 *
 * Order of the steps: every day's Parquet file is put into the store and persisted; then the CSV file is replaced by one
 * without exactly these rows. After an interruption in between, rows are in both: `restore` removes polls that are in a
 * Parquet file from the CSV file. Other rows of a sealed day (a poll recorded while its day was being sealed, a restored
 * file) get a file of their own in that day at the next sealing. The store alone decides what is sealed.
 */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #missing: MissingDays;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#missing = new MissingDays(options);
  }

  /** Rejects with `HISTORY_TIME_ZONE` if the history was sealed in another time zone. Call before the first `restore`. */
  async checkTimeZone(): Promise<void> {
    const { store, days } = this.#options;
    const found = await store.timeZone();
    if (found !== null && found !== days.timeZone)
      throw historyInOtherTimeZone(store.location, found, days.timeZone);
  }

  /**
   * Sets a dataset's sealed days, and finishes an interrupted sealing. Call it before the first poll. If the CSV file
   * cannot be changed (a full disk), days that are in both places are served from the CSV file.
   */
  async restore(dataset: SealableLog): Promise<void> {
    await this.#options.store.recover(dataset.name);
    await this.#missing.follow(dataset);
    const stored = await this.#options.store.days(dataset.name);
    const sealed = this.#withPaths(dataset.name, stored);
    if (this.#mayOverlap(dataset, stored)) await this.#dropSealedRows(dataset, sealed);
    else this.#show(dataset, sealed);
  }

  /** Forgets a removed dataset. */
  forget(dataset: SealableLog): void {
    this.#missing.forget(dataset.name);
  }

  /** Sets an unreadable file aside; from then on its day is shown as missing. */
  setAside(file: DamagedFile): Promise<void> {
    return this.#missing.setAside(file);
  }

  /**
   * Seals the days that are older than `keep` days, and deletes those beyond the retention. Resolves to false when some of
   * their rows are still needed in the file (`SealableLog.neededAfter`): try again after the next poll. When the signal
   * aborts, it rejects with its reason between two days; the next run continues from there.
   */
  async seal(dataset: SealableLog, keeping: Keeping, signal?: AbortSignal): Promise<boolean> {
    const stored = await this.#keptDays(dataset, keeping);
    const rows = await dataset.rows();
    const { found: closed, isAll } = await this.#closedDays(dataset, rows, stored, keeping);
    if (closed.size > 0) await this.#sealDays(dataset, rows, closed, stored, this.#oldest(keeping), signal);
    return isAll;
  }

  /** Whether the CSV file may hold rows of a stored day. */
  #mayOverlap({ firstAt, itemTime }: FollowedLog, stored: readonly StoredDay[]): boolean {
    const newest = stored.at(-1);
    if (newest === undefined) return false;
    if (itemTime !== null) return true;
    return firstAt < this.#options.days.startOf(LocalDays.daysBefore(newest.date, -1));
  }

  /**
   * The sealed days of a dataset that another process records; a day whose rows are still in the CSV file, because its
   * sealing is in progress, is left to the file. Writes nothing.
   */
  async follow(dataset: FollowedLog): Promise<readonly SealedDay[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#followed(dataset);
      } catch (error) {
        if (!(error instanceof FileLeft) || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async #followed(dataset: FollowedLog): Promise<readonly SealedDay[]> {
    const stored = await this.#storedNow(dataset);
    const sealed = this.#withPaths(dataset.name, stored);
    const { hidden } = this.#mayOverlap(dataset, stored)
      ? await this.#doubled(dataset, await dataset.rows(), sealed)
      : { hidden: new Set<string>() };
    return this.#missing.among(dataset.name, without(sealed, hidden));
  }

  /** The stored days, and which others there are that cannot be read, as of one moment: a day goes from one to the other. */
  async #storedNow(dataset: FollowedLog): Promise<readonly StoredDay[]> {
    await this.#missing.learn(dataset);
    for (let attempt = 1; ; attempt++) {
      const stored = await this.#options.store.days(dataset.name);
      if (!(await this.#missing.learn(dataset)) || attempt === MOST_ATTEMPTS) return stored;
    }
  }

  async #dropSealedRows(dataset: SealableLog, sealed: readonly SealedDay[]): Promise<void> {
    const { store, logger } = this.#options;
    const { doubled, hidden } = await this.#doubled(dataset, await dataset.rows(), sealed);
    this.#show(dataset, without(sealed, hidden));
    try {
      await store.persist(dataset.name, doubled.keys());
      await dataset.dropRows([...doubled.values()].flat(), this.#missing.among(dataset.name, sealed));
    } catch (error) {
      logger.warn({ dataset: dataset.name, days: doubled.size }, describeError(error));
    }
  }

  /** By day the rows that are sealed too, and the paths of the files that have them. */
  async #doubled(
    dataset: FollowedLog,
    rows: EncodedRows,
    sealed: readonly SealedDay[],
  ): Promise<{
    readonly doubled: ReadonlyMap<string, readonly RowRange[]>;
    readonly hidden: ReadonlySet<string>;
  }> {
    const byDate = new Map(sealed.map((day) => [day.date, day]));
    const filed = { rows, itemTime: dataset.itemTime };
    const { found } = await rowsByDay(filed, this.#options.days, (date) => byDate.has(date));
    const doubled = new Map<string, readonly RowRange[]>();
    const hidden = new Set<string>();
    for (const [date, ranges] of found) {
      const { paths } = byDate.get(date)!;
      const known = await this.#timesIn(dataset, date, paths).catch((error: unknown) => {
        return this.#missing.note(dataset.name, date, error);
      });
      const { inside } = await splitByTime(rows, ranges, known);
      if (inside.length === 0) continue;
      doubled.set(date, inside);
      // All rows of a file were sealed at once: the other files of the day have rows that are nowhere else.
      const polls = pollsOf(rows, inside);
      for (const path of paths) {
        const times = await this.#timesIn(dataset, date, [path]);
        if ([...times].some((time) => polls.has(time))) hidden.add(path);
      }
    }
    return { doubled, hidden };
  }

  /** The stored days within the retention; older ones are deleted. */
  async #keptDays(dataset: SealableLog, keeping: Keeping): Promise<Map<string, StoredDay>> {
    const stored = await this.#options.store.days(dataset.name);
    const oldest = this.#oldest(keeping);
    const old = stored.map(({ date }) => date).filter((date) => date < oldest);
    const expired = new Set([...old, ...this.#missing.expire(dataset.name, oldest)]);
    if (expired.size > 0) await this.#expire(dataset, expired, oldest);
    return new Map(stored.filter(({ date }) => date >= oldest).map((day) => [day.date, day]));
  }

  /** The oldest day within the retention; without one the empty text, which sorts before every date. */
  #oldest({ retention }: Keeping): string {
    return retention === null ? '' : LocalDays.daysBefore(this.#today(), retention - 1);
  }

  /** Rows of the CSV file that belong to closed days: older than `keep` days, or sealed already. */
  #closedDays(
    { neededAfter, itemTime }: SealableLog,
    rows: EncodedRows,
    stored: ReadonlyMap<string, StoredDay>,
    { keep }: Keeping,
  ): Promise<RowsByDay> {
    const firstKept = LocalDays.daysBefore(this.#today(), keep - 1);
    const isClosed = (date: string) => date < firstKept || stored.has(date);
    return rowsByDay({ rows, itemTime }, this.#options.days, isClosed, neededAfter);
  }

  async #sealDays(
    dataset: SealableLog,
    rows: EncodedRows,
    closed: RowsByDay['found'],
    before: ReadonlyMap<string, StoredDay>,
    oldest: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { store, days, clock, logger } = this.#options;
    const { name } = dataset;
    const started = clock.now();
    await store.setTimeZone(days.timeZone);
    const stored = new Map(before);
    let done = 0;
    const sealing = [...closed].filter(([date]) => date >= oldest).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [date, ranges] of sealing) {
      signal?.throwIfAborted();
      stored.set(date, await this.#sealDay(dataset, date, rows, ranges, stored.get(date)));
      done++;
      if (done % PROGRESS_EVERY === 0)
        logger.info({ dataset: name, days: done, of: sealing.length }, 'sealing days');
    }
    // The rows leave the CSV file only when their Parquet files would survive a power loss.
    await store.persist(
      name,
      sealing.map(([date]) => date),
    );
    const ranges = [...closed.values()].flat();
    const sealed = this.#withPaths(name, [...stored.values()].sort(byDate));
    await dataset.dropRows(ranges, this.#missing.among(name, sealed));
    // A day may have been set aside while the file was replaced.
    this.#show(dataset, dataset.sealedDays);
    const took = clock.now() - started;
    const rowsOfDays = countRows(sealing.flatMap(([, ranges]) => ranges));
    if (sealing.length > 0)
      logger.info({ dataset: name, days: sealing.length, rows: rowsOfDays, took }, 'sealed closed days');
    if (countRows(ranges) > rowsOfDays)
      logger.info(
        { dataset: name, rows: countRows(ranges) - rowsOfDays, before: oldest },
        'left out rows that are older than the retention',
      );
  }

  /** Puts the rows of one day that are not there yet into the store. */
  async #sealDay(
    dataset: SealableLog,
    date: string,
    rows: EncodedRows,
    ranges: readonly RowRange[],
    before: StoredDay | undefined,
  ): Promise<StoredDay> {
    const { store, parquet } = this.#options;
    const missing = await this.#missingRows(dataset, rows, ranges, before);
    if (before !== undefined && missing.length === 0) return before;
    const slices = missing.map(({ from, to }) => sliceRows(rows, from, to));
    return store.put(dataset.name, date, (path) => parquet.writeParquet(concatRows(slices), path));
  }

  async #missingRows(
    dataset: SealableLog,
    rows: EncodedRows,
    ranges: readonly RowRange[],
    day: StoredDay | undefined,
  ): Promise<readonly RowRange[]> {
    if (day === undefined) return ranges;
    const paths = this.#options.store.pathsOf(dataset.name, day);
    return (await splitByTime(rows, ranges, await this.#timesIn(dataset, day.date, paths))).outside;
  }

  /**
   * The times of a day's polls. An unreadable file is set aside and contributes none. Rejects with `FileLeft` where another
   * service has taken the file away.
   */
  async #timesIn(
    { name, pollColumn }: FollowedLog,
    date: string,
    paths: readonly string[],
  ): Promise<ReadonlySet<number>> {
    const { parquet, store } = this.#options;
    const known = new Set<number>();
    for (const path of paths) {
      const held = await store.hold([path]);
      try {
        for (const time of await parquet.timesIn(path, pollColumn)) known.add(time);
      } catch (error) {
        const reason = await parquet.damageOf(path);
        if (reason === null) throw error;
        if (store.mayChange(path) && !(await this.#isStored(name, path))) throw new FileLeft(reason);
        await this.#missing.setAside({ dataset: name, date, path, reason });
      } finally {
        held.release();
      }
    }
    return known;
  }

  async #isStored(dataset: string, path: string): Promise<boolean> {
    const { store } = this.#options;
    return (await store.days(dataset)).some((day) => store.pathsOf(dataset, day).includes(path));
  }

  #show(dataset: SealableLog, days: readonly SealedDay[]): void {
    dataset.sealedDays = this.#missing.among(dataset.name, days);
  }

  /**
   * Hides these days from readers and deletes their files once no query reads them: now, or after the running queries. If
   * the service stops in between, the next sealing deletes them.
   */
  async #expire(dataset: SealableLog, expired: ReadonlySet<string>, oldest: string): Promise<void> {
    const { parquet, store, logger } = this.#options;
    const { name } = dataset;
    dataset.sealedDays = dataset.sealedDays.filter(({ date }) => date >= oldest);
    const remove = async () => {
      for (const date of expired) await store.delete(name, date);
      const facts = { dataset: name, days: expired.size, before: oldest };
      logger.info(facts, 'deleted days beyond the retention');
    };
    const ended = parquet.queriesEnded();
    if (ended === null) return remove();
    void ended.then(remove).catch((error: unknown) => {
      logger.warn({ dataset: name, days: expired.size }, describeError(error));
    });
  }

  #withPaths(name: string, stored: readonly StoredDay[]): SealedDay[] {
    const { store } = this.#options;
    return stored.map((day) => ({ date: day.date, paths: store.pathsOf(name, day) }));
  }

  #today(): string {
    const { days, clock } = this.#options;
    return days.dateOf(clock.now());
  }
}

/** Another service has taken a sealed day's file away: the day is elsewhere now. It never reaches a user. */
class FileLeft extends Error {}

/** The days without some of their files. */
function without(days: readonly SealedDay[], hidden: ReadonlySet<string>): readonly SealedDay[] {
  return days
    .map((day) => ({ ...day, paths: day.paths.filter((path) => !hidden.has(path)) }))
    .filter(({ paths }) => paths.length > 0);
}

function byDate(a: StoredDay, b: StoredDay): number {
  return a.date < b.date ? -1 : 1;
}

function countRows(ranges: readonly RowRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
