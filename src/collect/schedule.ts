/** When a source is polled: on a grid of times of its own, or later while it fails. All times in milliseconds. */
export class PollGrid {
  readonly #start: number;
  readonly #interval: number;

  /** The first poll is due at `start`, the others one interval after another. */
  constructor(start: number, interval: number) {
    this.#start = start;
    this.#interval = interval;
  }

  /**
   * When the poll after one that ran from `startedAt` to `endedAt` is due: at the first time of the grid that is still
   * to come, unless that is less than half an interval after the last start (a poll that succeeded off the grid).
   */
  next(startedAt: number, endedAt: number): number {
    // The clock may have gone back while it ran.
    const notBefore = Math.min(startedAt, endedAt) + this.#interval / 2;
    return this.#time(Math.max(this.#index(endedAt) + 1, Math.ceil(this.#position(notBefore))));
  }

  /** How many polls were due between two times, the first excluded. */
  due(after: number, until: number): number {
    return Math.max(0, this.#index(until) - this.#index(after));
  }

  #time(index: number): number {
    return this.#start + index * this.#interval;
  }

  #index(time: number): number {
    return Math.floor(this.#position(time));
  }

  #position(time: number): number {
    return (time - this.#start) / this.#interval;
  }
}

/** A source that fails is asked at least this often, so that its recovery is seen soon; never more often than its interval. */
const LONGEST_BACKOFF = 2 * 60_000;

/**
 * How long to wait after so many failures in a row: doubling from the interval up to two minutes (or the interval where
 * that is longer), and up to half as much again by chance, at most a minute, so that sources that failed together do
 * not come back together. `random`: from 0 to 1.
 */
export function backoff(interval: number, failures: number, random: number): number {
  const longest = Math.max(interval, LONGEST_BACKOFF);
  const wait = Math.min(interval * 2 ** (failures - 1), longest);
  return wait + random * Math.min(wait / 2, LONGEST_BACKOFF / 2);
}

/** Most polls take a fraction of it, and a service with the usual handful of tables has asked for all within a second. */
const LARGEST_STEP = 250;

/** Milliseconds after the start at which the first poll of each source is due, so that no two sources are polled at once. */
export function stagger(intervals: readonly number[]): readonly number[] {
  const step = Math.min(LARGEST_STEP, Math.min(...intervals) / intervals.length);
  return intervals.map((_, index) => Math.round(index * step));
}
