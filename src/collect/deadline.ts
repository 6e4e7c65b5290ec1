/** How long a reading may take, in milliseconds of real time: a clock that is set does not lengthen it. */
export interface ReadingDeadline {
  /** At least this long. */
  readonly patience: number;
  /** What the reading needs by what is known of its source now; asked when `patience` is over. */
  needed(): number;
  /** The reason for which a reading is given up after so many milliseconds. */
  tooLong(milliseconds: number): Error;
}

/** Polls are given this many intervals, */
const INTERVALS = 10;
/** and never less than this. */
const SHORTEST = 5 * 60_000;

/** The patience with polls of that interval, in milliseconds. */
export function patienceWith(interval: number): number {
  return Math.max(INTERVALS * interval, SHORTEST);
}

/** Node's timers take no more. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Reads with a signal that aborts when the outer one does or when the deadline is over. Rejects with the signal's
 * reason then, also when the reading does not listen to it.
 */
export async function withDeadline<T>(
  deadline: ReadingDeadline,
  outer: AbortSignal,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(outer.reason);
  if (outer.aborted) abort();
  outer.addEventListener('abort', abort, { once: true });
  const over = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  const stop = watch(deadline, controller);
  try {
    return await Promise.race([read(controller.signal), over]);
  } finally {
    stop();
    outer.removeEventListener('abort', abort);
  }
}

/** Aborts once the time is over. Returns what ends the watch. */
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
