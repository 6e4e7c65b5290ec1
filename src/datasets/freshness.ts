import type { Clock } from '../base/clock.js';
import type { DatasetStatus, Freshness } from './dataset.js';

/** Beyond one and a half intervals a poll was missed; beyond three, data is stale and `/healthz` says degraded. */
const LATE_AFTER = 1.5;
const STALE_AFTER = 3;

/** How a polled dataset stands against its interval, both in milliseconds; always `fresh` where nothing is polled. */
export function freshnessOf(readAt: number | null, interval: number | null, now: number): Freshness {
  if (readAt === null) return 'waiting';
  if (interval === null) return 'fresh';
  // A time that is still to come is that of a clock which went back since: how old the data is, is not known then.
  const intervals = Math.abs(now - readAt) / interval;
  if (intervals > STALE_AFTER) return 'stale';
  return intervals > LATE_AFTER ? 'late' : 'fresh';
}

/** What the collector tells the datasets of one source about its polls; every dataset's status reads it. */
export class PollHealth {
  readonly interval: number;
  readonly #clock: Clock;
  readAt: number | null = null;
  nextPollAt: number | null = null;
  lastError: DatasetStatus['lastError'] = null;

  /** `interval` in milliseconds. */
  constructor(interval: number, clock: Clock) {
    this.interval = interval;
    this.#clock = clock;
  }

  get freshness(): Freshness {
    return freshnessOf(this.readAt, this.interval, this.#clock.now());
  }
}
