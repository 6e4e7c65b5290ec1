import { setTimeout as delay } from 'node:timers/promises';

/** The one source of "now" and of waiting; tests set it. Nothing else calls `Date.now()` or a timer for its meaning. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** Resolves after that many milliseconds; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** ISO 8601 UTC with milliseconds and `Z`, the one way a time is written in any of our CSV. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
