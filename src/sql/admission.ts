import { Semaphore } from '../base/semaphore.js';
import { tooManyQueries } from './errors.js';

export interface AdmissionOptions {
  /** Queries computed at a time. */
  readonly permits: number;
  /** Queries that may wait for a permit. */
  readonly mostWaiting: number;
  /** Milliseconds that a query waits for a permit. */
  readonly longestWait: number;
}

/**
 * The queue in front of DuckDB. It limits how many queries are computed at a time, how many wait, and for how long.
 * Without it a thousand queries would share DuckDB call by call, and none would finish before all do.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #permits: Semaphore;
  #waiting = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#permits = new Semaphore(options.permits);
  }

  /**
   * Runs `work` when a permit is free. Rejects as `work` does, with the signal's reason if it aborts while waiting, and
   * with `TOO_MANY_QUERIES` (503) if too many wait or it has waited too long.
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const { mostWaiting, longestWait } = this.#options;
    if (this.#waiting >= mostWaiting) throw tooManyQueries();
    const expired = new AbortController();
    const timer = setTimeout(() => expired.abort(tooManyQueries()), longestWait);
    this.#waiting++;
    const leaveQueue = once(() => {
      clearTimeout(timer);
      this.#waiting--;
    });
    const admitted = () => {
      leaveQueue();
      return work();
    };
    try {
      return await this.#permits.run(admitted, AbortSignal.any([signal, expired.signal]));
    } finally {
      leaveQueue();
    }
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
