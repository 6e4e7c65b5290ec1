import { isoTime } from '../base/clock.js';
import type { Logger } from '../base/logger.js';

/** Milliseconds by which a time server may set a clock back; beyond this, windows miss recorded rows. */
const TOLERATED = 60_000;

/**
 * Detects a clock that is behind the recorded polls, because it went back or was ahead for a while. Polls keep their
 * order, so they are dated in the future until it catches up; both ends of that are logged.
 */
export class ClockWatch {
  readonly #dataset: string;
  readonly #logger: Logger;
  #isBehind = false;

  constructor(dataset: string, logger: Logger) {
    this.#dataset = dataset;
    this.#logger = logger;
  }

  /** Call for each poll: it began at `startedAt` by the clock and is recorded as of `at`, both in milliseconds. */
  recorded(at: number, startedAt: number): void {
    const isBehind = at - startedAt > TOLERATED;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    const facts = { dataset: this.#dataset, recordedAs: isoTime(at) };
    if (!isBehind) this.#logger.info(facts, 'the clock has caught up with the recorded polls');
    else {
      this.#logger.warn(
        facts,
        `the clock says ${isoTime(startedAt)}, but polls up to ${isoTime(at)} are already recorded: until it catches up, new polls are dated right after those and windows such as last=10m miss them; check the clock`,
      );
    }
  }
}
