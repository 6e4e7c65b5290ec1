import type { Clock } from '../base/clock.js';
import { type DynamoCsvError, sealingFailed } from '../base/errors.js';
import type { LocalDays } from '../datasets/local-day.js';
import type { Keeping, Sealer } from '../datasets/sealer.js';
import type { Collector } from './collector.js';

/** After local midnight, so that the last polls of the day are in before it is sealed. */
const SETTLE = 60_000;
/** A clock that is set, or a machine that slept, is noticed so soon. */
const LONGEST_SLEEP = 3_600_000;
/** What failed (a full disk, above all) is tried again so soon. */
const RETRY = 10 * 60_000;

export interface SealingOptions {
  readonly sealer: Pick<Sealer, 'seal'>;
  /** The sources with a log or changes, and how long each keeps its days. */
  readonly sources: readonly { readonly collector: Collector; readonly keeping: Keeping }[];
  readonly days: LocalDays;
  readonly clock: Clock;
}

/**
 * Seals the closed days of all logs and changes: at the start, and soon after each local midnight. One dataset after the
 * other and beside the polls, which only wait while a file is replaced. What fails is tried again, and shown meanwhile.
 */
export class Sealing {
  readonly #options: SealingOptions;
  /** By source, the local date of its last sealing that succeeded. */
  readonly #done = new Map<Collector, string>();

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts; a day that is being written is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, days } = this.#options;
    while (!signal.aborted) {
      const now = clock.now();
      const isComplete = await this.#sealAll(days.dateOf(now - SETTLE), signal);
      const wait = isComplete ? Math.min(LONGEST_SLEEP, days.endOf(now - SETTLE) + SETTLE - now) : RETRY;
      try {
        await clock.sleep(wait, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Seals what was not sealed on that local date yet. True when nothing is left to be done. */
  async #sealAll(date: string, signal: AbortSignal): Promise<boolean> {
    let isComplete = true;
    for (const { collector, keeping } of this.#options.sources) {
      if (this.#done.get(collector) === date) continue;
      const problem = await this.#seal(collector, keeping, signal);
      if (signal.aborted) return false;
      collector.sealed(problem);
      if (problem === null) this.#done.set(collector, date);
      else isComplete = false;
    }
    return isComplete;
  }

  async #seal(collector: Collector, keeping: Keeping, signal: AbortSignal): Promise<DynamoCsvError | null> {
    const { log, changes } = collector.recorder;
    let problem: DynamoCsvError | null = null;
    for (const dataset of [log, changes]) {
      if (dataset === null || signal.aborted) continue;
      try {
        await this.#options.sealer.seal(dataset, keeping, signal);
      } catch (error) {
        problem ??= sealingFailed(dataset.name, error);
      }
    }
    return problem;
  }
}
