import { join, relative, sep } from 'node:path';
import { type ArchivedDay, type ArchivedDays, storedDays } from '../history/archived-days.js';
import type { Hold, KnownColumn } from '../history/day-files.js';
import { LocalStore } from '../history/local-store.js';
import type { StoredDay } from '../history/store.js';
import type { Files } from '../volume/files.js';
import { dayOfPath } from '../volume/layout.js';
import type { DayCache } from './day-cache.js';
import { partOf } from './parts.js';

export interface ArchivedStoreOptions {
  readonly dataDir: string;
  readonly files: Files;
  readonly days: ArchivedDays;
  readonly cache: DayCache;
}

/**
 * Sealed days in the data folder and in an archive. Where a day's file is in the archive only, it is fetched to the place
 * that it would have in the data folder, so paths never change.
 */
export class ArchivedStore extends LocalStore {
  readonly #options: ArchivedStoreOptions;

  constructor(options: ArchivedStoreOptions) {
    super(options.dataDir, options.files);
    this.#options = options;
  }

  /** A day may leave the list while the folder is read, which was looked at before its file came there. */
  override async days(dataset: string): Promise<readonly StoredDay[]> {
    const { cache, dataDir, days, files } = this.#options;
    const before = this.#listed(dataset);
    const found = (await super.days(dataset)).flatMap((day) =>
      day.files.map((file) => ({ date: day.date, file })),
    );
    const looked = new Set<string>();
    const hasLeft = ({ path }: { path: string }) => !looked.has(path) && days.get(path) === undefined;
    for (let left = before.find(hasLeft); left !== undefined; left = before.find(hasLeft)) {
      looked.add(left.path);
      if ((await files.stat(join(dataDir, left.path)))?.isFile === true) found.push(left);
    }
    const isCounted = (path: string) => !cache.isOutdated(relative(dataDir, path).replaceAll(sep, '/'));
    const local = found.filter(({ date, file }) =>
      this.pathsOf(dataset, { date, files: [file] }).every(isCounted),
    );
    return storedDays([...this.#listed(dataset), ...local]);
  }

  override async unreachableDays(): Promise<readonly StoredDay[]> {
    return [];
  }

  override tryHold(paths: readonly string[]): Hold | null {
    return this.#options.cache.tryHold(paths);
  }

  override hold(paths: readonly string[], signal?: AbortSignal): Promise<Hold> {
    return this.#options.cache.hold(paths, signal);
  }

  override mayLeave(path: string): boolean {
    return this.#dayAt(path) !== undefined;
  }

  override departuresOf(dataset: string): number {
    return this.#options.days.additionsTo(dataset);
  }

  override columnsOf(path: string): readonly KnownColumn[] | null {
    return this.#dayAt(path)?.columns ?? null;
  }

  override async learn(columns: ReadonlyMap<string, readonly KnownColumn[]>): Promise<void> {
    const learnt: ArchivedDay[] = [];
    for (const [path, ofFile] of columns) {
      const day = this.#dayAt(path);
      if (day !== undefined && day.columns === null) learnt.push({ ...day, columns: ofFile });
    }
    await this.#options.days.describe(learnt);
  }

  override put(dataset: string, date: string, write: (path: string) => Promise<void>): Promise<StoredDay> {
    const more = this.#listed(dataset).filter((day) => day.date === date);
    return super.put(
      dataset,
      date,
      write,
      more.map(({ file }) => file),
    );
  }

  /** One that is in the archive only comes here first, and is the folder's again, until it is archived as it is then. */
  override async replace(
    file: { readonly dataset: string; readonly date: string; readonly name: string },
    write: (path: string) => Promise<void>,
    swap: (step: () => Promise<void>) => Promise<boolean>,
  ): Promise<boolean> {
    const { dataset, date, name } = file;
    const hold = await this.hold(this.pathsOf(dataset, { date, files: [name] }));
    const forget = () => this.#forget(dataset, (day) => day.date === date && day.file === name);
    try {
      return await super.replace(file, write, (step) =>
        swap(async () => {
          // A file that is not listed is the only one that counts. It may have been listed meanwhile.
          await forget();
          await step();
          await forget();
        }),
      );
    } finally {
      hold.release();
    }
  }

  override async discard(path: string): Promise<boolean> {
    const { files, cache } = this.#options;
    const day = this.#dayAt(path);
    if (day === undefined) return false;
    const isThere = (await files.stat(path))?.isFile === true;
    // What was damaged before it was archived stays damaged.
    if (isThere && partOf(await files.readFile(path)).hash === day.hash) return false;
    await cache.discard(day.path);
    return true;
  }

  override async setAside(dataset: string, date: string, file: string): Promise<string | null> {
    // One that is in the archive only has to come here first, or it would be gone.
    const hold = await this.hold(this.pathsOf(dataset, { date, files: [file] }));
    try {
      const path = await super.setAside(dataset, date, file);
      if (path !== null) await this.#forget(dataset, (day) => day.date === date && day.file === file);
      return path;
    } finally {
      hold.release();
    }
  }

  override async delete(dataset: string, date: string): Promise<void> {
    await this.#forget(dataset, (day) => day.date === date);
    await super.delete(dataset, date);
  }

  override async recover(dataset: string): Promise<void> {
    await this.#options.days.reload(dataset);
    await super.recover(dataset);
    await this.#options.cache.adopt(dataset);
  }

  #listed(dataset: string) {
    return [...this.#options.days.of(dataset)].map(({ path }) => ({ path, ...dayOfPath(path)! }));
  }

  #dayAt(path: string): ArchivedDay | undefined {
    return this.#options.days.at(path);
  }

  async #forget(dataset: string, isMeant: (day: { date: string; file: string }) => boolean): Promise<void> {
    const meant = this.#listed(dataset).filter(isMeant);
    if (meant.length === 0) return;
    await this.#options.days.drop(meant);
    for (const { path } of meant) this.#options.cache.forget(path);
  }
}
