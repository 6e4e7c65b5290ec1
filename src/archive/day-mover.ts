import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import { type ArchivedDay, type ArchivedDays, unpackDays } from '../history/archived-days.js';
import { type FileState, type Files, isSameState } from '../volume/files.js';
import { dayOfPath } from '../volume/layout.js';
import type { DayCache } from './day-cache.js';
import type { ObjectStore } from './objects.js';
import { partOf } from './parts.js';
import type { Point } from './point.js';
import { fetchDay } from './restore.js';

/** Days handled between two looks at the clock. */
const BATCH = 8;

export interface DayMoverOptions {
  readonly objects: ObjectStore;
  readonly days: ArchivedDays;
  readonly cache: DayCache;
  readonly dataDir: string;
  readonly files: Files;
  /** How many days stay in the data folder; null: all. */
  readonly localDays: number | null;
  readonly localDates: LocalDays;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Decides which sealed days are in the data folder: those of the last `localDays`. Older ones leave it once the archive was
 * seen to have them; younger ones that are not there, after a restore, are fetched.
 */
export class DayMover {
  readonly #options: DayMoverOptions;
  /** Days of which it was logged that they stay, for the archive does not have them as it should. */
  readonly #stuck = new Set<string>();

  constructor(options: DayMoverOptions) {
    this.#options = options;
  }

  /** Moves days for about that many milliseconds. `point`: the last one. Rejects as a request to the archive does. */
  async move(point: Point, limit: number, signal: AbortSignal): Promise<void> {
    const { days, logger } = this.#options;
    const oldest = this.#oldest();
    const young = [...days].filter((day) => dateOf(day) >= oldest).sort(youngestFirst);
    const old = unpackDays(point).filter((day) => dateOf(day) < oldest && days.get(day.path) === undefined);
    const until = this.#options.clock.now() + limit;
    const fetched = await this.#inBatches(young, until, signal, (batch) => this.#fetch(batch, signal));
    if (fetched > 0) logger.info({ days: fetched, left: young.length - fetched }, 'fetched sealed days');
    const left = await this.#inBatches(old, until, signal, (batch) => this.#remove(batch, signal));
    if (left > 0) logger.info({ days: left, before: oldest }, 'removed local copies of archived days');
  }

  /** The oldest day that stays; without a limit the empty text, which sorts before every date. */
  #oldest(): string {
    const { localDays, localDates, clock } = this.#options;
    return localDays === null ? '' : LocalDays.daysBefore(localDates.dateOf(clock.now()), localDays);
  }

  async #inBatches(
    days: readonly ArchivedDay[],
    until: number,
    signal: AbortSignal,
    move: (batch: readonly ArchivedDay[]) => Promise<number>,
  ): Promise<number> {
    let moved = 0;
    for (let from = 0; from < days.length && this.#options.clock.now() < until; from += BATCH) {
      signal.throwIfAborted();
      moved += await move(days.slice(from, from + BATCH));
    }
    return moved;
  }

  async #fetch(batch: readonly ArchivedDay[], signal: AbortSignal): Promise<number> {
    let fetched = 0;
    for (const day of batch) {
      const isHere = await this.#unlessDamaged(day, () => this.#options.cache.keep([day], signal));
      if (isHere) fetched += 1;
    }
    return fetched;
  }

  async #remove(batch: readonly ArchivedDay[], signal: AbortSignal): Promise<number> {
    const compared = new Map<ArchivedDay, FileState>();
    for (const day of batch) {
      const compare = async () => void compared.set(day, await this.#compare(day, signal));
      await this.#unlessDamaged(day, compare);
    }
    // That took a while: one may have been written again.
    const sound = await this.#untouched(compared);
    if (sound.length === 0) return 0;
    await this.#options.days.add(sound);
    // Or just before it was listed; from then on who writes it again takes it off the list.
    const leaving = await this.#untouched(compared, sound);
    await this.#options.days.drop(sound.filter((day) => !leaving.includes(day)));
    await this.#options.cache.depart(leaving);
    return leaving.length;
  }

  /** Rejects unless the file here and the archive's object have the same content, that of the point. */
  async #compare(day: ArchivedDay, signal: AbortSignal): Promise<FileState> {
    const { dataDir, files, objects } = this.#options;
    const path = join(dataDir, day.path);
    const state = await files.stat(path);
    if (state === null || partOf(await files.readFile(path)).hash !== day.hash) throw new Changed();
    await fetchDay(objects, day, signal);
    return state;
  }

  async #untouched(
    compared: ReadonlyMap<ArchivedDay, FileState>,
    days: Iterable<ArchivedDay> = compared.keys(),
  ): Promise<readonly ArchivedDay[]> {
    const untouched: ArchivedDay[] = [];
    for (const day of days) if (await this.#isUntouched(day, compared.get(day)!)) untouched.push(day);
    return untouched;
  }

  async #isUntouched(day: ArchivedDay, before: FileState): Promise<boolean> {
    const state = await this.#options.files.stat(join(this.#options.dataDir, day.path));
    return isSameState(state, before);
  }

  /** Resolves to whether it succeeded. A day that the archive lost stays where it is, and that is logged once. */
  async #unlessDamaged(day: ArchivedDay, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Changed) return false;
      const cause = error instanceof DynamoCsvError ? (error.cause ?? error) : error;
      if (!(cause instanceof DynamoCsvError) || cause.code !== 'ARCHIVE_DAMAGED') throw error;
      if (!this.#stuck.has(day.path)) this.#options.logger.error({ file: day.path }, describeError(cause));
      this.#stuck.add(day.path);
      return false;
    }
  }
}

/** A day is not as it was when the point was taken. */
class Changed extends Error {}

function dateOf({ path }: ArchivedDay): string {
  return dayOfPath(path)?.date ?? '';
}

function youngestFirst(a: ArchivedDay, b: ArchivedDay): number {
  return dateOf(a) < dateOf(b) ? 1 : -1;
}
