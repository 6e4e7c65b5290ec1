import type { Clock } from '../base/clock.js';
import { within } from '../base/within.js';

/** Something that runs by itself until the signal aborts, and then ends after what it is writing. */
export interface Loop {
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds for a poll that is being recorded and a day that is being sealed; the next start finishes what takes longer. */
const GRACE = 2_500;

/** A loop at work. */
interface Running {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** Everything that runs by itself: each source's polls, the sealing, and what else there is. Loops come and go at any time. */
export class Polling {
  readonly #clock: Clock;
  /** Null: not started yet. */
  readonly #loops = new Map<Loop, Running | null>();
  #state: 'waiting' | 'started' | 'stopped' = 'waiting';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs the loop from `start` on, or at once when that is past. After `stop` nothing runs any more. */
  add(loop: Loop): void {
    this.#loops.set(loop, this.#state === 'started' ? run(loop) : null);
  }

  start(): void {
    this.#state = 'started';
    for (const loop of this.#loops.keys()) this.#loops.set(loop, run(loop));
  }

  /**
   * Ends one loop: drops a read under way and waits for what is being written. Resolves to false when that takes
   * longer than 2.5 seconds: it then goes on, and its files must not be touched yet.
   */
  async remove(loop: Loop): Promise<boolean> {
    const running = this.#loops.get(loop);
    this.#loops.delete(loop);
    if (running === undefined || running === null) return true;
    running.stopping.abort(new Error('the loop was removed'));
    return within(this.#clock, GRACE, running.ended);
  }

  /** Ends all loops, as `remove` does. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    const running = [...this.#loops.values()].filter((loop) => loop !== null);
    for (const { stopping } of running) stopping.abort(new Error('the service ends'));
    await within(this.#clock, GRACE, Promise.allSettled(running.map(({ ended }) => ended)));
  }
}

function run(loop: Loop): Running {
  const stopping = new AbortController();
  return { stopping, ended: loop.run(stopping.signal) };
}
