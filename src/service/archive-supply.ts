import type { ArchiveKeeper } from '../archive/keeper.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import { SerialQueue } from '../base/serial-queue.js';
import type { Loop } from '../collect/polling.js';
import type { Volume } from '../volume/volume.js';
import type { Service } from './service.js';

/** Milliseconds between two signs of life to other services on the same folder. */
const BEAT = 1_000;
/** Of the time between two points, the part that passes between two looks for a new one; and the bounds of that, in milliseconds. */
const PART = 10;
const SHORTEST = 500;
const LONGEST = 5_000;
/** Milliseconds before the archive is asked again for its lease after it did not answer. */
const AGAIN = 1_000;

/** Brings a data folder of its own up to the last point of the archive, as long as another service writes there. */
export class ArchiveSupply implements Loop {
  readonly keeper: ArchiveKeeper;
  readonly volume: Volume;
  readonly #service: Service;
  readonly #queue = new SerialQueue();
  #isHandedOver = false;
  #failed = '';

  constructor(service: Service, volume: Volume, keeper: ArchiveKeeper) {
    this.#service = service;
    this.volume = volume;
    this.keeper = keeper;
  }

  /** Milliseconds by which the folder is behind; null: not known yet. */
  get behind(): number | null {
    const { followedAt } = this.keeper;
    return followedAt === null ? null : Math.max(0, this.#service.clock.now() - followedAt);
  }

  /** The first point. Rejects with `ARCHIVE_OTHER_HISTORY`; if the archive does not answer, the folder stays as it is. */
  async begin(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#looking(signal), this.#beating(signal)]);
  }

  /** Runs `work` while nothing in the folder is being replaced; not at all while it has only a part of a point. */
  atRest(work: () => Promise<void>): Promise<void> {
    return this.#queue.run(async () => {
      if (this.keeper.isWhole) await work();
    });
  }

  /** Resolves when nothing is written into the folder any more; call it after its loop was stopped. */
  isIdle(): Promise<void> {
    return this.#queue.run(async () => undefined);
  }

  /** Resolves once this service has the archive's lease; false: the signal aborted. */
  async awaitLease(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#service;
    while (!signal.aborted) {
      try {
        await this.keeper.awaitLease(signal);
        return true;
      } catch (error) {
        if (!signal.aborted) this.#warn(error);
        await clock.sleep(AGAIN, signal).catch(() => undefined);
      }
    }
    return false;
  }

  /** Whoever collects now goes on with the folder and the archive. */
  handOver(): { readonly volume: Volume; readonly keeper: ArchiveKeeper } {
    this.#isHandedOver = true;
    return this;
  }

  async close(): Promise<void> {
    if (this.#isHandedOver) return;
    await this.keeper.abandon();
    await this.volume.release();
  }

  async #looking(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#service;
    const pause = Math.min(LONGEST, Math.max(SHORTEST, (config.archive?.every ?? 0) / PART));
    while (!signal.aborted) {
      await clock.sleep(pause, signal).catch(() => undefined);
      if (!signal.aborted) await this.#look(signal).catch((error: unknown) => this.#warn(error));
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      await this.keeper.follow(signal, (work) => this.#queue.run(work));
      if (this.#failed !== '') this.#service.logger.info('the archive answers again');
      this.#failed = '';
    } catch (error) {
      if (error instanceof DynamoCsvError && error.code === 'ARCHIVE_OTHER_HISTORY') throw error;
      if (!signal.aborted) this.#warn(error);
    }
  }

  async #beating(signal: AbortSignal): Promise<void> {
    const { clock } = this.#service;
    while (!signal.aborted) {
      await this.volume.beat().catch((error: unknown) => this.#warn(error));
      await clock.sleep(BEAT, signal).catch(() => undefined);
    }
  }

  /** Each failure once, not at each look. */
  #warn(error: unknown): void {
    const line = describeError(error);
    if (line !== this.#failed) this.#service.logger.warn(`following the archive: ${line}`);
    this.#failed = line;
  }
}
