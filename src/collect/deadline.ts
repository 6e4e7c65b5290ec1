import { abortable } from '../base/abortable.js';

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
