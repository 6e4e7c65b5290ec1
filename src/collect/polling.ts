import type { Clock } from '../base/clock.js';
import { within } from '../base/within.js';

/** A background loop: runs until the signal aborts, then finishes what it is writing. */
export interface Loop {
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds to finish recording a poll or sealing a day; the next start completes what takes longer. */
const GRACE = 2_500;

/** A running loop. */
interface Running {
  readonly stopping: AbortController;
  readonly ended: Promise<void>;
}

/** All background loops: each source's polls, sealing and others. Loops can be added and removed at any time. */
export class Polling {
  readonly #clock: Clock;
  /** By loop; null: not started yet. */
  readonly #loops = new Map<Loop, Running | null>();
  #state: 'waiting' | 'started' | 'stopped' = 'waiting';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a loop: it runs once `start` is called, or immediately if it was. After `stop` nothing runs. */
  add(loop: Loop): void {
    this.#loops.set(loop, this.#state === 'started' ? run(loop) : null);
  }

  /** Starts all loops, and those that are added later. */
  start(): void {
    this.#state = 'started';
    for (const loop of this.#loops.keys()) this.#loops.set(loop, run(loop));
  }

  /**
   * Stops one loop: drops a read in progress and waits for what is being written. Resolves to false if that takes longer
   * than 2.5 seconds: it then continues, and its files must not be touched yet.
   */
  async remove(loop: Loop): Promise<boolean> {
    const running = this.#loops.get(loop);
    this.#loops.delete(loop);
    if (running === undefined || running === null) return true;
    running.stopping.abort(new Error('the loop was removed'));
    return within(this.#clock, GRACE, running.ended);
  }

  /** Stops all loops, as `remove` does. */
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
