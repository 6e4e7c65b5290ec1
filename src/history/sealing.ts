import type { Clock } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { LocalDays } from '../base/local-days.js';
import { sealingFailed } from './errors.js';
import type { SealableLog } from './sealable-log.js';
import type { Keeping, Sealer } from './sealer.js';

/** After the start: the first polls go first. */
const QUIET_START = 10_000;
/** After local midnight, so that the last polls of the day are in before it is sealed. */
const SETTLE = 60_000;
/** A clock that is set, or a machine that slept, is noticed so soon. */
const LONGEST_SLEEP = 3_600_000;
/** What failed (a full disk, above all) is tried again so soon. */
const RETRY = 10 * 60_000;
/** Rows that are still needed where they are, until the first poll has read the changes off them, are tried so soon. */
const LOOK_AGAIN = 30_000;

/** What became of one source; the wait until it is its turn again, in milliseconds, where it is not done. */
const WAITS = { done: LONGEST_SLEEP, failed: RETRY, early: LOOK_AGAIN } as const;

/** A source whose log and changes are sealed. */
export interface SealedSource {
  readonly recorder: { readonly log: SealableLog | null; readonly changes: SealableLog | null };
  /** Hears after each sealing what went wrong; null: nothing. */
  sealed(problem: DynamoCsvError | null): void;
}

export interface SealingOptions {
  readonly sealer: Pick<Sealer, 'seal'>;
  /** The sources with a log or changes, and how long each keeps its days. */
  readonly sources: readonly { readonly collector: SealedSource; readonly keeping: Keeping }[];
  readonly days: LocalDays;
  readonly clock: Clock;
}

/**
 * Seals the closed days of all logs and changes: soon after the start, and soon after each local midnight. One dataset after the
 * other and beside the polls, which only wait while a file is replaced. What fails is tried again, and shown meanwhile.
 */
export class Sealing {
  readonly #options: SealingOptions;
  /** By source, the local date of its last sealing that succeeded. */
  readonly #done = new Map<SealedSource, string>();

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; a day that is being written is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, days } = this.#options;
    await this.#sleep(QUIET_START, signal);
    while (!signal.aborted) {
      const now = clock.now();
      const wait = await this.#sealAll(days.dateOf(now - SETTLE), signal);
      await this.#sleep(Math.min(wait, days.endOf(now - SETTLE) + SETTLE - now), signal);
    }
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(milliseconds, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Seals what was not sealed on that local date yet. Returns how long to wait at most, in milliseconds. */
  async #sealAll(date: string, signal: AbortSignal): Promise<number> {
    let wait: number = LONGEST_SLEEP;
    for (const { collector, keeping } of this.#options.sources) {
      if (signal.aborted) break;
      if (this.#done.get(collector) === date) continue;
      const outcome = await this.#sealSource(collector, keeping, signal);
      if (outcome === 'done') this.#done.set(collector, date);
      wait = Math.min(wait, WAITS[outcome]);
    }
    return wait;
  }

  async #sealSource(
    collector: SealedSource,
    keeping: Keeping,
    signal: AbortSignal,
  ): Promise<'done' | 'failed' | 'early'> {
    const { log, changes } = collector.recorder;
    let problem: DynamoCsvError | null = null;
    let isAll = true;
    for (const dataset of [log, changes]) {
      if (dataset === null || signal.aborted) continue;
      try {
        const isSealed = await this.#options.sealer.seal(dataset, keeping, signal);
        isAll &&= isSealed;
      } catch (error) {
        problem ??= sealingFailed(dataset.name, error);
      }
    }
    if (signal.aborted) return 'early';
    collector.sealed(problem);
    if (problem !== null) return 'failed';
    return isAll ? 'done' : 'early';
  }
}
