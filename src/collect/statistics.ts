import type { Clock } from '../base/clock.js';
import type { LocalDays } from '../base/local-days.js';
import type { ReadingCost } from '../sources/source.js';

/** Polls that percentiles and averages cover: at 30 seconds, the last 100 minutes. */
const RECENT = 200;

/** Duration and cost of one source's polls since the start of the service. */
export class PollStatistics {
  /** Milliseconds between polls, as of now. */
  interval: number;
  readonly #days: LocalDays;
  readonly #clock: Clock;
  readonly #durations = new Recent();
  readonly #units = new Recent();
  readonly #metrics = new Recent();
  readonly #streamReads = new Recent();
  /** Milliseconds from the start of a poll to that of the next one, of a source that decides on it itself. */
  readonly #spacings = new Recent();
  #today = '';
  #unitsToday = 0;
  /** Finished polls, including failed ones. */
  polls = 0;
  failures = 0;
  /** Polls that were due while the previous one was still running. */
  skipped = 0;

  /** `interval` in milliseconds. */
  constructor(interval: number, days: LocalDays, clock: Clock) {
    this.interval = interval;
    this.#days = days;
    this.#clock = clock;
  }

  /** `duration` in milliseconds; `nextIn`: as in a reading. */
  succeeded(duration: number, cost: ReadingCost, nextIn?: number): void {
    this.polls += 1;
    this.#durations.add(duration);
    this.#units.add(cost.readCapacityUnits);
    this.#metrics.add(cost.metricsRequested);
    this.#streamReads.add(cost.streamReads ?? 0);
    if (nextIn !== undefined) this.#spacings.add(duration + nextIn);
    this.#unitsToday = this.unitsToday + cost.readCapacityUnits;
    this.#today = this.#days.dateOf(this.#clock.now());
  }

  failed(duration: number): void {
    this.polls += 1;
    this.failures += 1;
    this.#durations.add(duration);
  }

  /** Milliseconds; null before the first poll has finished. */
  get lastDuration(): number | null {
    return this.#durations.last;
  }

  /** The 95th percentile of recent durations, in milliseconds. */
  get duration95(): number | null {
    return this.#durations.percentile(0.95);
  }

  /** Read capacity units of one poll, the average of the recent ones; null before the first success. */
  get unitsPerPoll(): number | null {
    return this.#units.mean;
  }

  /** Metrics that one poll requests from CloudWatch, the average of recent ones. */
  get metricsPerPoll(): number | null {
    return this.#metrics.mean;
  }

  /** GetRecords requests of one poll, the average of recent ones. */
  get streamReadsPerPoll(): number | null {
    return this.#streamReads.mean;
  }

  /** Milliseconds between polls: the source's own, the interval, or as many of them as one poll takes. */
  get spacing(): number {
    const own = this.#spacings.mean;
    if (own !== null) return Math.max(1, own);
    const polls = Math.ceil((this.#durations.mean ?? 0) / this.interval);
    return this.interval * Math.max(1, polls);
  }

  /** Read capacity units since local midnight, or since the start of the service if that is later. */
  get unitsToday(): number {
    return this.#today === this.#days.dateOf(this.#clock.now()) ? this.#unitsToday : 0;
  }
}

/** The most recent values of a quantity. */
class Recent {
  readonly #values: number[] = [];

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > RECENT) this.#values.shift();
  }

  get last(): number | null {
    return this.#values.at(-1) ?? null;
  }

  get mean(): number | null {
    if (this.#values.length === 0) return null;
    return this.#values.reduce((sum, value) => sum + value, 0) / this.#values.length;
  }

  /** The smallest value that this share of the values does not exceed. */
  percentile(share: number): number | null {
    const sorted = [...this.#values].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
  }
}
