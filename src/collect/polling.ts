import type { Clock } from '../base/clock.js';

/** Something that goes on by itself until the signal aborts, and ends in its own time then. */
export interface Loop {
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds for a poll that is being recorded and a day that is being sealed; the next start finishes what takes longer. */
const GRACE = 2_500;

/** Everything that goes on by itself: each source's polls, the sealing, and what else there is. */
export class Polling {
  readonly #loops: readonly Loop[];
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #running: readonly Promise<void>[] = [];

  constructor(loops: readonly Loop[], clock: Clock) {
    this.#loops = loops;
    this.#clock = clock;
  }

  start(): void {
    this.#running = this.#loops.map((loop) => loop.run(this.#stopping.signal));
  }

  /** Drops readings that are under way and waits, not for long, for what is being written. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the service ends'));
    const waiting = new AbortController();
    const tooLong = this.#clock.sleep(GRACE, waiting.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#running), tooLong]);
    waiting.abort();
  }
}
