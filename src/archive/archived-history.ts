import type { Clock } from '../base/clock.js';
import type { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import { ArchivedDays, type DescribedDay } from '../history/archived-days.js';
import type { HistoryStore } from '../history/store.js';
import type { Files } from '../volume/files.js';
import { dayOfPath } from '../volume/layout.js';
import { ArchivedStore } from './archived-store.js';
import { DayCache } from './day-cache.js';
import { DayFetches } from './day-fetches.js';
import { DayMover } from './day-mover.js';
import { MovedDays } from './moved-days.js';
import type { ObjectStore } from './objects.js';
import { SharedStore } from './shared-store.js';

/** Says what columns the file of a sealed day has, and how many rows. */
export type DescribeDay = (path: string) => Promise<DescribedDay>;

export interface ArchivedHistoryOptions {
  readonly objects: ObjectStore;
  readonly dataDir: string;
  readonly files: Files;
  /** Days of history that stay in the data folder; null: all. */
  readonly localDays: number | null;
  /** Bytes of older days that may be in the data folder. */
  readonly cache: number;
  /** Whose days the history has. */
  readonly localDates: LocalDays;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The sealed days of a data folder that has an archive. */
export interface ArchivedHistory {
  readonly days: ArchivedDays;
  readonly fetches: DayFetches;
  readonly cache: DayCache;
  readonly store: HistoryStore;
  readonly mover: DayMover;
  readonly moved: MovedDays;
  /** Counts the copies that are here, of all datasets. */
  adopt(): Promise<void>;
}

/** Reads which days the archive keeps for the folder. */
export async function openHistory(options: ArchivedHistoryOptions): Promise<ArchivedHistory> {
  const { objects, dataDir, files, cache: limit, logger } = options;
  const days = await ArchivedDays.open(dataDir, files);
  const fetches = new DayFetches({ objects, days, dataDir, files, logger });
  const cache = new DayCache({ days, fetches, dataDir, files, limit, logger });
  const store = new ArchivedStore({ dataDir, files, days, cache });
  const mover = new DayMover({ ...options, days, cache });
  const moved = new MovedDays(objects, dataDir, files, logger);
  const adopt = async () => {
    const datasets = new Set([...days].flatMap(({ path }) => dayOfPath(path)?.dataset ?? []));
    for (const dataset of datasets) await cache.adopt(dataset);
  };
  return { days, fetches, cache, store, mover, moved, adopt };
}

/**
 * The sealed days of a data folder that another service writes to, for one that only reads it: those that are in the archive
 * only are fetched into `ownDir`, up to `cache` bytes of them.
 */
export function sharedHistory(
  options: Pick<ArchivedHistoryOptions, 'objects' | 'dataDir' | 'files' | 'cache' | 'logger'>,
  ownDir: string,
): { readonly store: HistoryStore; readonly fetches: DayFetches; readonly cache: DayCache } {
  const { objects, dataDir, files, cache: limit, logger } = options;
  const days = ArchivedDays.inMemory(ownDir);
  const fetches = new DayFetches({ objects, days, dataDir: ownDir, files, logger });
  const cache = new DayCache({ days, fetches, dataDir: ownDir, files, limit, logger });
  const own = { dir: ownDir, days, cache, store: new ArchivedStore({ dataDir: ownDir, files, days, cache }) };
  return { store: new SharedStore({ dataDir, files, own }), fetches, cache };
}
