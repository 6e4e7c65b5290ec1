import { join, relative, sep } from 'node:path';
import { SerialQueue } from '../base/serial-queue.js';
import {
  type ArchivedDay,
  type ArchivedDays,
  readArchivedDays,
  storedDays,
} from '../history/archived-days.js';
import type { Hold, KnownColumn } from '../history/day-files.js';
import { LocalStore } from '../history/local-store.js';
import type { HistoryStore, StoredDay } from '../history/store.js';
import { type FileState, type Files, isSameState } from '../volume/files.js';
import { archivedDaysFile, dayOfPath } from '../volume/layout.js';
import type { DayCache } from './day-cache.js';

/** How often folder and list are read to find them at one moment. */
const MOST_ATTEMPTS = 20;

export interface SharedStoreOptions {
  /** The data folder; nothing is written there. */
  readonly dataDir: string;
  readonly files: Files;
  /** The days of a folder of this service's own, with the copies that it fetches, and which of them the archive has. */
  readonly own: {
    readonly dir: string;
    readonly days: ArchivedDays;
    readonly cache: DayCache;
    readonly store: HistoryStore;
  };
}

/** The list of a dataset's days that are in the archive only, as it was. */
interface ReadList {
  readonly state: FileState | null;
  readonly days: readonly ArchivedDay[];
}

/**
 * Sealed days in a data folder that another service writes to. Those that it keeps in its archive only are fetched into a
 * folder of this service's own: what the other one has of them in the data folder comes and goes, unannounced.
 */
export class SharedStore extends LocalStore {
  readonly #options: SharedStoreOptions;
  readonly #lists = new Map<string, ReadList>();
  readonly #queue = new SerialQueue();

  constructor(options: SharedStoreOptions) {
    super(options.dataDir, options.files);
    this.#options = options;
  }

  /**
   * A day that leaves the folder is listed before, and one that comes back is there before it leaves the list. A list that
   * changes all the time is noticed again at the next look.
   */
  override async days(dataset: string): Promise<readonly StoredDay[]> {
    for (let attempt = 1; ; attempt++) {
      const listed = await this.#listed(dataset);
      const here = await super.days(dataset);
      if (attempt < MOST_ATTEMPTS && (await this.#listed(dataset)) !== listed) continue;
      const local = here.flatMap(({ date, files }) => files.map((file) => ({ date, file })));
      return storedDays([...listed.days.flatMap(({ path }) => dayOfPath(path) ?? []), ...local]);
    }
  }

  override pathsOf(dataset: string, day: StoredDay): readonly string[] {
    const { dataDir, own } = this.#options;
    return super.pathsOf(dataset, day).map((path) => {
      const place = relative(dataDir, path);
      return own.days.get(place.replaceAll(sep, '/')) === undefined ? path : join(own.dir, place);
    });
  }

  override async unreachableDays(): Promise<readonly StoredDay[]> {
    return [];
  }

  override tryHold(paths: readonly string[]): Hold | null {
    return this.#options.own.cache.tryHold(paths);
  }

  override hold(paths: readonly string[], signal?: AbortSignal): Promise<Hold> {
    return this.#options.own.cache.hold(paths, signal);
  }

  /** A path in the own folder: also of a day that was listed a moment ago. */
  override mayLeave(path: string): boolean {
    return !relative(this.#options.own.dir, path).startsWith('..');
  }

  override mayChange(path: string): boolean {
    return !this.mayLeave(path);
  }

  override departuresOf(dataset: string): number {
    return this.#options.own.store.departuresOf(dataset);
  }

  override columnsOf(path: string): readonly KnownColumn[] | null {
    return this.#options.own.store.columnsOf(path);
  }

  override learn(columns: ReadonlyMap<string, readonly KnownColumn[]>): Promise<void> {
    return this.#options.own.store.learn(columns);
  }

  override discard(path: string): Promise<boolean> {
    return this.#options.own.store.discard(path);
  }

  /** The service that writes to the folder does that. */
  override async setAside(): Promise<null> {
    return null;
  }

  /** The list of a dataset, the same object while it does not change. */
  #listed(dataset: string): Promise<ReadList> {
    return this.#queue.run(async () => {
      const { dataDir, files, own } = this.#options;
      const path = archivedDaysFile(dataDir, dataset);
      const before = this.#lists.get(dataset);
      const state = await files.stat(path);
      if (before !== undefined && isSameState(before.state, state)) return before;
      const list = { state, days: await readArchivedDays(files, path) };
      this.#lists.set(dataset, list);
      await own.cache.replace([...this.#lists.values()].flatMap(({ days }) => days));
      return list;
    });
  }
}
