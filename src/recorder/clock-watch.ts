import { isoTime } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

/** Milliseconds that a time server may set a clock back in passing; beyond it, windows miss what is recorded. */
const TOLERATED = 60_000;

/**
 * Sees that the clock is behind the times already recorded: it went back, or was ahead for a while. Polls keep their
 * order and so have a time that is still to come; the log hears of it when it begins and when it is over.
 */
export class ClockWatch {
  readonly #dataset: string;
  readonly #logger: Logger;
  #isBehind = false;

  constructor(dataset: string, logger: Logger) {
    this.#dataset = dataset;
    this.#logger = logger;
  }

  /** A poll began by the clock at `startedAt` and is recorded as of `at`, both in milliseconds. */
  recorded(at: number, startedAt: number): void {
    const isBehind = at - startedAt > TOLERATED;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    const facts = { dataset: this.#dataset, recordedAs: isoTime(at) };
    if (!isBehind) this.#logger.info(facts, 'the clock has caught up with what was recorded');
    else {
      this.#logger.warn(
        facts,
        `the clock says ${isoTime(startedAt)}, and polls are recorded until ${isoTime(at)} already: until it has caught up, new ones come right after those, and windows such as last=10m miss them; check the clock`,
      );
    }
  }
}
