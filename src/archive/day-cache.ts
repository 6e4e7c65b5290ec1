import { setMaxListeners } from 'node:events';
import { join, relative, sep } from 'node:path';
import { describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { SerialQueue } from '../base/serial-queue.js';
import type { ArchivedDay, ArchivedDays } from '../history/archived-days.js';
import type { Hold } from '../history/day-files.js';
import { type Files, readUnlessGone } from '../volume/files.js';
import type { DayFetches } from './day-fetches.js';
import { cacheBusy, cacheTooSmall } from './errors.js';
import { partOf } from './parts.js';

/** Milliseconds that holding days may take, however many they are. */
const HOLD_LIMIT = 120_000;

export interface DayCacheOptions {
  readonly days: ArchivedDays;
  readonly fetches: DayFetches;
  readonly dataDir: string;
  readonly files: Files;
  /** Bytes of archived days that may be on this machine. */
  readonly limit: number;
  readonly logger: Logger;
}

/** Room for days that are not here, and a hold on them and the others. */
interface Reserved {
  readonly held: Hold;
  /** Those that come for this hold. */
  readonly mine: readonly ArchivedDay[];
}

/**
 * The copies of archived days that are in the data folder now. The least recently used are removed first, and none that
 * somebody holds. Only days that `ArchivedDays` lists are ever removed: the archive has them.
 */
export class DayCache {
  readonly #options: DayCacheOptions;
  /** By path relative to the data folder, as everything here: how many hold that file. */
  readonly #held = new Map<string, number>();
  /** Bytes of the copies that are here, least recently used first. */
  readonly #copies = new Map<string, number>();
  /** Bytes of the days that are being fetched. */
  readonly #coming = new Map<string, number>();
  /** Copies that are being removed. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Copies to remove as soon as nobody holds them. */
  readonly #unwanted = new Set<string>();
  /** Files that are no copies any more, to remove as soon as nobody holds them. */
  readonly #outdated = new Set<string>();
  /** Called when something may have become free. */
  readonly #waiting = new Set<() => void>();
  /** How often something may have become free. */
  #changes = 0;
  /** Room is made for one hold at a time. */
  readonly #reserving = new SerialQueue();

  constructor(options: DayCacheOptions) {
    this.#options = options;
  }

  /** Bytes of the copies that are here. */
  get bytes(): number {
    return sumOf(this.#copies.values());
  }

  /** Counts the copies of a dataset that are here, after a start. */
  async adopt(dataset: string): Promise<void> {
    const { days, dataDir, files } = this.#options;
    const found: { path: string; size: number; at: number }[] = [];
    for (const { path, size } of days.of(dataset)) {
      const state = await files.stat(join(dataDir, path));
      // Of another size is what the day was before it was written again.
      if (state?.isFile === true && state.size !== size) await files.remove(join(dataDir, path));
      else if (state?.isFile === true) found.push({ path, size, at: state.modifiedAt });
    }
    for (const { path, size } of found.sort((a, b) => a.at - b.at)) this.#copies.set(path, size);
    await this.#makeRoom(() => []);
  }

  /** See `DayFiles.tryHold`. */
  tryHold(paths: readonly string[]): Hold | null {
    const names = paths.map((path) => this.#nameOf(path));
    if (this.#missing(names).length > 0) return null;
    for (const name of names) this.#touch(name);
    return this.#hold(names);
  }

  /** See `DayFiles.hold`. */
  async hold(paths: readonly string[], signal?: AbortSignal): Promise<Hold> {
    const here = this.tryHold(paths);
    if (here !== null) return here;
    const names = paths.map((path) => this.#nameOf(path));
    const wanted = this.#archived(names);
    const bytes = sumOf(wanted.map(({ size }) => size));
    const { limit } = this.#options;
    if (bytes > limit) throw cacheTooSmall(wanted, bytes, limit);
    return this.#bring(names, signal);
  }

  /** Removes the files of days that were listed just now, at once or when nobody holds them any more. */
  async depart(days: readonly ArchivedDay[]): Promise<void> {
    for (const { path, size } of days) {
      this.#copies.set(path, size);
      this.#unwanted.add(path);
      await this.#evict(path);
    }
  }

  /** Lets these days stay: their files are here when it resolves, and they are no longer listed. */
  async keep(days: readonly ArchivedDay[], signal: AbortSignal): Promise<void> {
    const held = this.#hold(days.map(({ path }) => path));
    try {
      // From then on nothing is fetched in its place: a copy that has rotted here would be all there is.
      for (const day of days) if (!(await this.#isSound(day))) await this.discard(day.path);
      await Promise.all(days.map((day) => this.#fetch(day, signal)));
      await this.#options.days.drop(days);
      for (const { path } of days) this.forget(path);
    } finally {
      held.release();
    }
  }

  /**
   * Lists these days and no others, in a folder that follows. A file here that is not what its day is now does not count any
   * more, and is removed when nobody holds it; so is that of a day which is gone.
   */
  async replace(days: readonly ArchivedDay[]): Promise<void> {
    const { days: listed } = this.#options;
    const before = new Map([...listed].map(({ path, hash }) => [path, hash]));
    await listed.replace(days);
    const others = days.filter(({ path, hash }) => before.get(path) !== hash);
    const gone = [...before.keys()].filter((path) => listed.get(path) === undefined);
    for (const path of [...gone, ...others.map(({ path }) => path)]) this.forget(path);
    for (const day of others) await this.#lookAt(day);
    for (const path of gone) await this.remove(path);
  }

  /** Removes a file that does not count any more, at once or when nobody holds it. If that fails, it is fetched over. */
  async remove(path: string): Promise<void> {
    await this.#removeOutdated(path);
  }

  /** A file is no longer a copy: it is gone, or it stays. */
  forget(path: string): void {
    this.#copies.delete(path);
    this.#unwanted.delete(path);
    this.#wake();
  }

  /** Whether a file stays only because somebody holds it. */
  isOutdated(path: string): boolean {
    return this.#outdated.has(path);
  }

  /** Removes a copy that is not what the archive has, whoever holds it. */
  async discard(path: string): Promise<void> {
    this.forget(path);
    await this.#options.files.remove(join(this.#options.dataDir, path));
  }

  #nameOf(path: string): string {
    return relative(this.#options.dataDir, path).replaceAll(sep, '/');
  }

  #archived(names: readonly string[]): ArchivedDay[] {
    return [...new Set(names)].flatMap((name) => this.#options.days.get(name) ?? []);
  }

  #missing(names: readonly string[]): ArchivedDay[] {
    return this.#archived(names).filter(({ path }) => !this.#copies.has(path));
  }

  #hold(names: readonly string[]): Hold {
    this.#keepHere(names);
    return this.#releasing(names);
  }

  #keepHere(names: readonly string[]): void {
    for (const name of names) this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
  }

  #releasing(names: readonly string[]): Hold {
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        for (const name of names) this.#letGo(name);
        this.#wake();
      },
    };
  }

  #letGo(name: string): void {
    const left = (this.#held.get(name) ?? 1) - 1;
    if (left > 0) this.#held.set(name, left);
    else this.#held.delete(name);
    if (left <= 0 && this.#unwanted.has(name)) void this.#evict(name);
    if (left <= 0 && this.#outdated.has(name)) void this.#removeOutdated(name);
  }

  #touch(name: string): void {
    const size = this.#copies.get(name);
    if (size === undefined) return;
    this.#copies.delete(name);
    this.#copies.set(name, size);
  }

  async #bring(names: readonly string[], outer: AbortSignal | undefined): Promise<Hold> {
    const limit = AbortSignal.timeout(HOLD_LIMIT);
    const one = new AbortController();
    const signal = AbortSignal.any([limit, one.signal, ...(outer === undefined ? [] : [outer])]);
    // Each day that comes listens to it.
    setMaxListeners(0, signal);
    const missing = this.#missing(names);
    let reserved: Reserved | null = null;
    try {
      reserved = await this.#reserve(names, signal);
      await Promise.all(this.#missing(names).map((day) => this.#fetch(day, signal)));
      return reserved.held;
    } catch (error) {
      reserved?.held.release();
      throw limit.aborted ? cacheBusy(missing, HOLD_LIMIT) : error;
    } finally {
      // After one that failed nobody waits for the others.
      one.abort();
      for (const { path } of reserved?.mine ?? []) this.#coming.delete(path);
      this.#wake();
    }
  }

  async #fetch({ path }: ArchivedDay, signal: AbortSignal): Promise<void> {
    const { days, fetches } = this.#options;
    await this.#leaving.get(path);
    const day = days.get(path);
    if (day === undefined || this.#copies.has(path)) return;
    const isOther = () => days.get(path)?.hash !== day.hash;
    await fetches.fetch(day, signal).catch((error: unknown) => {
      if (signal.aborted || !isOther()) throw error;
    });
    // It was written again meanwhile.
    if (isOther()) return this.#fetch(day, signal);
    this.#copies.set(path, day.size);
    this.#outdated.delete(path);
  }

  /** Whether the copy of that day, if it is here, is what the archive has. */
  async #isSound({ path, hash }: ArchivedDay): Promise<boolean> {
    const { dataDir, files } = this.#options;
    return !this.#copies.has(path) || partOf(await files.readFile(join(dataDir, path))).hash === hash;
  }

  /** Counts a file that is here as a copy of that day if it is one. */
  async #lookAt({ path, size, hash }: ArchivedDay): Promise<void> {
    const { dataDir, files } = this.#options;
    const state = await files.stat(join(dataDir, path));
    if (state === null) return;
    const bytes = state.size === size ? await readUnlessGone(files, join(dataDir, path)) : null;
    if (bytes !== null && partOf(bytes).hash === hash) this.#copies.set(path, size);
    else await this.#removeOutdated(path);
  }

  /** Unless somebody holds it, or it was fetched anew. */
  async #removeOutdated(path: string): Promise<void> {
    const { dataDir, files, logger } = this.#options;
    this.#outdated.add(path);
    if (this.#held.has(path)) return;
    this.#outdated.delete(path);
    if (this.#copies.has(path)) return;
    const removing = files.remove(join(dataDir, path)).catch((error: unknown) => {
      logger.warn({ file: path }, describeError(error));
    });
    this.#leaving.set(path, removing);
    await removing;
    this.#leaving.delete(path);
  }

  /** Resolves when there is room for those that are not here. Who waits for it holds nothing, so that two do not wait for each other. */
  async #reserve(names: readonly string[], signal: AbortSignal): Promise<Reserved> {
    for (;;) {
      signal.throwIfAborted();
      const reserved = await this.#reserving.run(() => this.#tryReserve(names));
      if (typeof reserved !== 'number') return reserved;
      await this.#change(signal, reserved);
    }
  }

  /** What is here already stays while the others come. A number: there was no room after so many changes. */
  async #tryReserve(names: readonly string[]): Promise<Reserved | number> {
    const changes = this.#changes;
    this.#keepHere(names);
    // Not those that come for another one, or have come meanwhile.
    const mine = () => this.#missing(names).filter(({ path }) => !this.#coming.has(path));
    await this.#makeRoom(mine);
    const days = mine();
    if (!this.#isFull(days)) {
      for (const { path, size } of days) this.#coming.set(path, size);
      return { held: this.#releasing(names), mine: days };
    }
    // That makes no room which there was not before.
    for (const name of names) this.#letGo(name);
    return changes;
  }

  #isFull(days: readonly ArchivedDay[]): boolean {
    const bytes = sumOf(days.map(({ size }) => size));
    return this.bytes + sumOf(this.#coming.values()) + bytes > this.#options.limit;
  }

  /** Removes the least recently used copies until these fit as well, or others hold the rest. */
  async #makeRoom(days: () => readonly ArchivedDay[]): Promise<void> {
    for (const path of [...this.#copies.keys()]) {
      if (!this.#isFull(days())) return;
      await this.#evict(path);
    }
  }

  /** Removes a copy unless somebody holds it. If that fails, it stays a copy. */
  async #evict(path: string): Promise<void> {
    const { days, dataDir, files, logger } = this.#options;
    const size = this.#copies.get(path);
    if (days.get(path) === undefined) this.forget(path);
    if (size === undefined || this.#held.has(path) || days.get(path) === undefined) return;
    this.#copies.delete(path);
    const removing = files.remove(join(dataDir, path)).then(
      () => {
        this.#unwanted.delete(path);
      },
      (error: unknown) => {
        this.#copies.set(path, size);
        logger.warn({ file: path }, describeError(error));
      },
    );
    this.#leaving.set(path, removing);
    await removing;
    this.#leaving.delete(path);
    if (!this.#copies.has(path)) this.#wake();
  }

  #wake(): void {
    this.#changes += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when something may have become free since that change; rejects with the signal's reason. */
  #change(signal: AbortSignal, since: number): Promise<void> {
    if (since !== this.#changes) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const wake = end(resolve);
      const abort = end(() => reject(signal.reason));
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }
}

function sumOf(sizes: Iterable<number>): number {
  let sum = 0;
  for (const size of sizes) sum += size;
  return sum;
}
