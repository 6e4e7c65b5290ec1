import type { Clock } from '../base/clock.js';
import type { ColumnException, DatasetStatus, Freshness } from './dataset.js';

/** In intervals: after 1.5 a poll was missed; after 3 the data is stale and `/healthz` reports degraded. */
const LATE_AFTER = 1.5;
const STALE_AFTER = 3;

/** The freshness of a dataset from its age and its interval, in milliseconds; always `fresh` if it is not polled. */
export function freshnessOf(readAt: number | null, interval: number | null, now: number): Freshness {
  if (readAt === null) return 'waiting';
  if (interval === null) return 'fresh';
  // A time in the future means that the clock was set back; the true age is unknown then.
  const intervals = Math.abs(now - readAt) / interval;
  if (intervals > STALE_AFTER) return 'stale';
  return intervals > LATE_AFTER ? 'late' : 'fresh';
}

/** The state of a source's polls: written by the collector and the recorder, read by the status of the source's datasets. */
export class PollHealth {
  /** Milliseconds between polls; null: it is not polled, or no longer. */
  interval: number | null;
  readonly #clock: Clock;
  readAt: number | null = null;
  nextPollAt: number | null = null;
  lastError: DatasetStatus['lastError'] = null;
  /** Values that do not fit the type of their column, in the latest poll. */
  exceptions: readonly ColumnException[] = [];

  constructor(interval: number | null, clock: Clock) {
    this.interval = interval;
    this.#clock = clock;
  }

  /** As of now. */
  get freshness(): Freshness {
    return freshnessOf(this.readAt, this.interval, this.#clock.now());
  }
}
