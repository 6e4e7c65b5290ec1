import { dirname, join } from 'node:path';
import { abortable } from '../base/abortable.js';
import { type DynamoCsvError, describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Semaphore } from '../base/semaphore.js';
import type { ArchivedDay, ArchivedDays } from '../history/archived-days.js';
import type { Files } from '../volume/files.js';
import { type DayPath, dayOfPath } from '../volume/layout.js';
import { replaceFile } from '../volume/write.js';
import { dayNotFetched, notFetchedInTime } from './errors.js';
import type { ObjectStore } from './objects.js';
import { fetchDay } from './restore.js';

/** Days fetched at a time; of the client's connections some stay free for the lease and for points. */
const AT_ONCE = 6;
/** Milliseconds that fetching a day may take. */
const DAY_LIMIT = 60_000;

/** A day on its way. */
interface Fetch {
  readonly hash: string;
  readonly done: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
  isWriting: boolean;
}

export interface DayFetchesOptions {
  readonly objects: ObjectStore;
  readonly days: ArchivedDays;
  readonly dataDir: string;
  readonly files: Files;
  readonly logger: Logger;
}

/** Fetches archived days to their places in the data folder: several at once, and none twice at the same time. */
export class DayFetches {
  readonly #options: DayFetchesOptions;
  readonly #slots = new Semaphore(AT_ONCE);
  readonly #running = new Map<string, Fetch>();
  /** The paths of days that the archive did not have as it should when they were needed last. */
  readonly #lost = new Set<string>();
  #bytes = 0;

  constructor(options: DayFetchesOptions) {
    this.#options = options;
  }

  /** Bytes fetched since the start of the service. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Days that the archive has lost or damaged, as far as somebody needed them. */
  get lost(): readonly DayPath[] {
    return [...this.#lost].flatMap((path) =>
      this.#options.days.get(path) === undefined ? [] : (dayOfPath(path) ?? []),
    );
  }

  /**
   * Resolves when the file is in its place, as its hash says. Rejects with `DAY_NOT_FETCHED`, or with the signal's reason; once
   * nobody waits for a day, its request ends.
   */
  async fetch(day: ArchivedDay, signal: AbortSignal): Promise<void> {
    let running = this.#running.get(day.path);
    // What the day was before it was written again may be put into its place right now.
    while (running !== undefined && running.hash !== day.hash) {
      const { done } = running;
      await abortable(new AbortController(), signal, () => done.catch(() => undefined));
      running = this.#running.get(day.path);
    }
    const fetch = running ?? this.#start(day);
    fetch.waiting += 1;
    try {
      await abortable(new AbortController(), signal, () => fetch.done);
    } finally {
      fetch.waiting -= 1;
      if (fetch.waiting === 0 && !fetch.isWriting) this.#stop(day, fetch);
    }
  }

  #start(day: ArchivedDay): Fetch {
    const stop = new AbortController();
    const fetch: Fetch = {
      hash: day.hash,
      stop,
      waiting: 0,
      isWriting: false,
      done: this.#slots
        .run(() => this.#get(day, stop), stop.signal)
        .catch((error: unknown) => {
          if (stop.signal.aborted) throw stop.signal.reason;
          this.#note(day, error);
          throw dayNotFetched(day, error);
        }),
    };
    this.#running.set(day.path, fetch);
    const end = () => {
      if (this.#running.get(day.path) === fetch) this.#running.delete(day.path);
    };
    fetch.done.then(end, end);
    return fetch;
  }

  /** Logs once that a day is lost: whoever asks for it reads so too, but only then. */
  #note({ path }: ArchivedDay, error: unknown): void {
    if ((error as Partial<DynamoCsvError>).code !== 'ARCHIVE_DAMAGED' || this.#lost.has(path)) return;
    this.#lost.add(path);
    this.#options.logger.error({ file: path }, `an archived day is lost: ${describeError(error)}`);
  }

  #stop(day: ArchivedDay, fetch: Fetch): void {
    this.#running.delete(day.path);
    fetch.stop.abort(new DOMException('Nobody waits for that day', 'AbortError'));
  }

  async #get(day: ArchivedDay, stop: AbortController): Promise<void> {
    const { objects, days, dataDir, files } = this.#options;
    const limit = AbortSignal.timeout(DAY_LIMIT);
    const bytes = await fetchDay(objects, day, AbortSignal.any([stop.signal, limit])).catch(
      (error: unknown) => {
        throw limit.aborted ? notFetchedInTime(objects.location + day.path, DAY_LIMIT) : error;
      },
    );
    stop.signal.throwIfAborted();
    // Retention may have removed it meanwhile.
    if (days.get(day.path)?.hash !== day.hash) throw new DOMException('The day is gone', 'AbortError');
    const fetch = this.#running.get(day.path);
    if (fetch?.stop === stop) fetch.isWriting = true;
    const path = join(dataDir, day.path);
    await files.makeFolder(dirname(path));
    await replaceFile(files, path, bytes);
    this.#bytes += bytes.length;
    if (this.#lost.delete(day.path))
      this.#options.logger.info({ file: day.path }, 'an archived day that was lost is there again');
  }
}
