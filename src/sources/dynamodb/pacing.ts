import type { Clock } from '../../base/clock.js';

/**
 * Spreads pages over time so that they consume at most that many read units per second on average. A page's consumption
 * is known only after it was read; the wait before the next page makes up for it.
 */
export class ReadPacer {
  readonly #unitsPerSecond: number;
  readonly #clock: Clock;
  #paidAt: number;
  #expected: number;

  /**
   * `owed`: milliseconds still to wait for an earlier reading; `expected`: units of the first page. Concurrent pages are
   * spaced by the consumption of the page before them.
   */
  constructor(unitsPerSecond: number, clock: Clock, { owed = 0, expected = 1 } = {}) {
    this.#unitsPerSecond = unitsPerSecond;
    this.#clock = clock;
    this.#paidAt = clock.now() + owed;
    this.#expected = expected;
  }

  /** Milliseconds still to wait for what was consumed. */
  get owed(): number {
    return Math.max(0, this.#paidAt - this.#clock.now());
  }

  /** Waits until a page may be requested; returns its expected consumption, to be passed to `consumed`. */
  async take(signal: AbortSignal): Promise<number> {
    const wait = this.owed;
    const expected = this.#expected;
    this.#paidAt = this.#clock.now() + wait + this.#milliseconds(expected);
    if (wait > 0) await this.#clock.sleep(wait, signal);
    return expected;
  }

  consumed(units: number, expected: number): void {
    this.#paidAt += this.#milliseconds(units - expected);
    this.#expected = units;
  }

  #milliseconds(units: number): number {
    return (units / this.#unitsPerSecond) * 1000;
  }
}
