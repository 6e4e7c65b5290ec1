import type { Clock } from '../../base/clock.js';

/**
 * Spreads pages over time so that they consume at most so many read units per second on average. What a page
 * consumed is known only when it is there; it is paid by the wait before the next one.
 */
export class ReadPacer {
  readonly #unitsPerSecond: number;
  readonly #clock: Clock;
  #paidAt: number;
  #expected: number;

  /**
   * `owed`: milliseconds that an earlier reading has still to pay; `expected`: units of the first page. Pages that are
   * asked for at the same time are spaced by what the page before them consumed.
   */
  constructor(unitsPerSecond: number, clock: Clock, { owed = 0, expected = 1 } = {}) {
    this.#unitsPerSecond = unitsPerSecond;
    this.#clock = clock;
    this.#paidAt = clock.now() + owed;
    this.#expected = expected;
  }

  /** Milliseconds until what was consumed is paid. */
  get owed(): number {
    return Math.max(0, this.#paidAt - this.#clock.now());
  }

  /** Waits until a page may be asked for; returns what it is taken to consume, for `consumed`. */
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
