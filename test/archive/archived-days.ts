import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { ArchivedStore } from '../../src/archive/archived-store.js';
import { DayCache } from '../../src/archive/day-cache.js';
import { DayFetches } from '../../src/archive/day-fetches.js';
import { archivedPaths } from '../../src/archive/folder.js';
import type { ObjectStore } from '../../src/archive/objects.js';
import { partOf } from '../../src/archive/parts.js';
import { ArchivedDays, type DescribedDay } from '../../src/history/archived-days.js';
import { type Files, nodeFiles } from '../../src/volume/files.js';
import { isSealedDay } from '../../src/volume/layout.js';

export interface ArchivedHistoryOptions {
  readonly dataDir: string;
  readonly objects: ObjectStore;
  readonly files?: Files;
  /** Bytes of the cache. */
  readonly limit?: number;
}

/** The sealed days of a data folder with an archive, without the rest of the archive. */
export class ArchivedHistory {
  readonly store: ArchivedStore;
  readonly days: ArchivedDays;
  readonly cache: DayCache;
  readonly #options: ArchivedHistoryOptions;

  private constructor(options: ArchivedHistoryOptions, days: ArchivedDays) {
    const { dataDir, objects, files = nodeFiles, limit = 1 << 30 } = options;
    const logger = pino({ level: 'silent' });
    const fetches = new DayFetches({ objects, days, dataDir, files, logger });
    this.#options = options;
    this.days = days;
    this.cache = new DayCache({ days, fetches, dataDir, files, limit, logger });
    this.store = new ArchivedStore({ dataDir, files, days, cache: this.cache });
  }

  static async open(options: ArchivedHistoryOptions): Promise<ArchivedHistory> {
    const { dataDir, files = nodeFiles } = options;
    return new ArchivedHistory(options, await ArchivedDays.open(dataDir, files));
  }

  /** The sealed days that are here, by their paths relative to the data folder. */
  async here(): Promise<string[]> {
    return (await archivedPaths(this.#options.dataDir)).filter(isSealedDay);
  }

  /** Puts every sealed day into the archive, and removes it here. `describe`: what is kept with a file. */
  async archiveAll(
    describe: (path: string) => Promise<DescribedDay | null> = async () => null,
  ): Promise<void> {
    const { dataDir, objects } = this.#options;
    for (const path of await this.here()) {
      if (this.days.get(path) !== undefined) continue;
      const full = join(dataDir, path);
      const bytes = await readFile(full);
      const { columns = null, ...more } = (await describe(full)) ?? {};
      await objects.put(path, bytes, null);
      const day = { path, ...partOf(bytes), columns, ...more };
      await this.days.add([day]);
      await this.cache.depart([day]);
    }
  }
}
