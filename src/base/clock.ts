import { setTimeout as delay } from 'node:timers/promises';

/** The one source of the current time and of delays, so that tests can set both. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason if it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** Milliseconds since the epoch as ISO 8601 in UTC, `2026-11-24T14:30:00.000Z`, the form of all times in CSV. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
