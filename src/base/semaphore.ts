/**
 * Runs at most `count` pieces of work at a time; the rest wait in order of arrival. Ours because an aborted caller must
 * leave the queue, and yet hold its slot until work that has begun really ends: `p-limit` 7 has no signals, and
 * `p-queue` 9 frees the slot on abort while the work goes on.
 */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `count`: how many may run at a time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `work` when a slot is free. Rejects as `work` does, or with the signal's reason if it aborts while waiting. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leaveQueue);
        resolve();
      };
      const leaveQueue = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leaveQueue, { once: true });
      this.#waiting.push(enter);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
