import { abortable } from '../base/abortable.js';

/** When a source is polled: at its own fixed times, or later while it fails. All times in milliseconds. */
export class PollGrid {
  readonly #start: number;
  readonly #interval: number;

  /** The first poll is due at `start`, then one per interval. */
  constructor(start: number, interval: number) {
    this.#start = start;
    this.#interval = interval;
  }

  /**
   * When the poll after one that ran from `startedAt` to `endedAt` is due: at the next fixed time, or the one after it if
   * that is less than half an interval after the last start (which was a retry between fixed times).
   */
  next(startedAt: number, endedAt: number): number {
    // The clock may have been set back meanwhile.
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

/** The longest wait for a failing source, so that its recovery is seen soon; longer only if its interval is. */
const LONGEST_BACKOFF = 2 * 60_000;

/**
 * How long to wait after that many consecutive failures: the interval, doubled up to two minutes (or the interval, if
 * longer), plus jitter of up to half as much, at most a minute, so that sources that failed together are not retried
 * together. `random`: from 0 to 1.
 */
export function backoff(interval: number, failures: number, random: number): number {
  const longest = Math.max(interval, LONGEST_BACKOFF);
  const wait = Math.min(interval * 2 ** (failures - 1), longest);
  return wait + random * Math.min(wait / 2, LONGEST_BACKOFF / 2);
}

/** Milliseconds: most polls take a fraction of it, and the usual handful of tables is polled within a second. */
const LARGEST_STEP = 250;

/** Milliseconds after the start at which the first poll of each source is due, so that no two sources are polled at once. */
export function stagger(intervals: readonly number[]): readonly number[] {
  const step = Math.min(LARGEST_STEP, Math.min(...intervals) / intervals.length);
  return intervals.map((_, index) => Math.round(index * step));
}

/** How long a reading may take, in milliseconds of real time: changing the clock does not affect it. */
export interface ReadingDeadline {
  /** The minimum. */
  readonly patience: number;
  /** What the reading needs, as far as its source can tell now; called when `patience` is over. */
  needed(): number;
  /** The error for a reading that was aborted after that many milliseconds. */
  tooLong(milliseconds: number): Error;
}

/** Intervals that a poll may take. */
const INTERVALS = 10;
/** Milliseconds that any poll may take. */
const SHORTEST = 5 * 60_000;

/** The default deadline of polls at that interval, in milliseconds. */
export function patienceWith(interval: number): number {
  return Math.max(INTERVALS * interval, SHORTEST);
}

/** The maximum of Node's timers. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Reads with a signal that aborts with the outer one or at the deadline. Then rejects with the signal's reason, even if
 * the reading ignores it.
 */
export async function withDeadline<T>(
  deadline: ReadingDeadline,
  outer: AbortSignal,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = watch(deadline, controller);
  try {
    return await abortable(controller, outer, read);
  } finally {
    stop();
  }
}

/** Aborts at the deadline. Returns a function that cancels it. */
function watch({ patience, needed, tooLong }: ReadingDeadline, controller: AbortController): () => void {
  let timer: NodeJS.Timeout | undefined;
  let granted = 0;
  const check = () => {
    const limit = granted === 0 ? patience : Math.max(patience, needed());
    if (limit <= granted) return controller.abort(tooLong(granted));
    const more = Math.min(limit - granted, LONGEST_TIMER);
    granted += more;
    timer = setTimeout(check, more);
  };
  check();
  return () => clearTimeout(timer);
}
