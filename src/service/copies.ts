import { join } from 'node:path';
import type { DayCache } from '../archive/day-cache.js';
import type { DayFetches } from '../archive/day-fetches.js';
import type { CopiedDays } from '../archive/keeper.js';
import type { S3Objects } from '../archive/s3-objects.js';
import type { Logger } from '../base/logger.js';
import { ProcessFolder } from '../base/process-folder.js';
import type { Config } from '../config/config.js';
import type { HistoryStore } from '../history/store.js';
import { nodeFiles } from '../volume/files.js';

/**
 * The archived days that this service fetches while it reads the data folder of another one: in a folder of this process, for
 * it writes nothing to the data folder. `close` removes it.
 */
export class Copies implements CopiedDays {
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #folder: ProcessFolder;
  #objects: S3Objects | null = null;
  /** Of the folder as it is followed now. */
  #history: { readonly fetches: DayFetches; readonly cache: DayCache } | null = null;
  readonly #caches = new Map<HistoryStore, DayCache>();
  #opened = 0;

  private constructor(config: Config, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#folder = new ProcessFolder('days');
  }

  /** Null: this service never needs them. */
  static of(config: Config, logger: Logger): Copies | null {
    return config.archive === null || config.role === 'collect' ? null : new Copies(config, logger);
  }

  get dir(): string {
    return this.#folder.path;
  }

  /** See `CopiedDays`. */
  get cached(): number {
    return this.#history?.cache.bytes ?? 0;
  }
  get fetched(): number {
    return this.#history?.fetches.bytes ?? 0;
  }

  get lost(): CopiedDays['lost'] {
    return this.#history?.fetches.lost ?? [];
  }

  /** The sealed days of the data folder, wherever they are, with copies of its own. Null: there is no archive. */
  async store(): Promise<HistoryStore | null> {
    const { archive, dataDir } = this.#config;
    if (archive === null) return null;
    // Loaded only where there is an archive: the S3 client is not small.
    const { sharedHistory } = await import('../archive/archived-history.js');
    const { S3Objects } = await import('../archive/s3-objects.js');
    this.#objects ??= new S3Objects(archive);
    const options = { dataDir, files: nodeFiles, cache: archive.cache, logger: this.#logger };
    this.#opened += 1;
    const own = join(this.dir, String(this.#opened));
    const { store, ...history } = sharedHistory({ ...options, objects: this.#objects }, own);
    this.#history = history;
    this.#caches.set(store, history.cache);
    return store;
  }

  /** Its copies are not needed any more: what no query reads now is removed, the rest as soon as none does. */
  async drop(store: HistoryStore): Promise<void> {
    const cache = this.#caches.get(store);
    this.#caches.delete(store);
    await cache?.replace([]);
  }

  async close(): Promise<void> {
    this.#objects?.close();
    await this.#folder.remove();
  }
}
