import type { Clock } from '../base/clock.js';
import type { Collector } from './collector.js';
import type { Sealing } from './sealing.js';

/** Milliseconds for a poll that is being recorded and a day that is being sealed; the next start finishes what takes longer. */
const GRACE = 2_500;

/** Everything that goes on by itself: each source's polls, and the sealing. */
export class Polling {
  readonly #collectors: readonly Collector[];
  readonly #sealing: Sealing;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(collectors: readonly Collector[], sealing: Sealing, clock: Clock) {
    this.#collectors = collectors;
    this.#sealing = sealing;
    this.#clock = clock;
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#loops = [...this.#collectors, this.#sealing].map((loop) => loop.run(signal));
  }

  /** Drops readings that are under way and waits, not for long, for what is being written. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the service ends'));
    const waiting = new AbortController();
    const tooLong = this.#clock.sleep(GRACE, waiting.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#loops), tooLong]);
    waiting.abort();
  }
}
