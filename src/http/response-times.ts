import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Clock } from '../base/clock.js';

/** Milliseconds that one histogram covers. Two of them cover the last five to ten minutes. */
const SPAN = 300_000;

interface Recent {
  current: RecordableHistogram;
  /** The span before. Its histogram is reset and reused as the next current one. */
  previous: RecordableHistogram;
  /** The number of the span that `current` covers, counted from the epoch. */
  span: number;
}

/** Response times by dataset over the last five to ten minutes, for the dataset `collector`. */
export class ResponseTimes {
  readonly #clock: Clock;
  readonly #recent = new Map<string, Recent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Records the milliseconds of a request for a dataset. Names come from the registry, which bounds their number. */
  record(dataset: string, milliseconds: number): void {
    // Histograms take whole numbers from 1: microseconds.
    this.#at(dataset).current.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  /** Median and 99th percentile of the recent requests, in milliseconds; null if there were none. */
  of(dataset: string): { readonly p50: number; readonly p99: number } | null {
    if (!this.#recent.has(dataset)) return null;
    const { current, previous } = this.#at(dataset);
    const both = createHistogram();
    both.add(current);
    both.add(previous);
    if (both.count === 0) return null;
    return { p50: both.percentile(50) / 1_000, p99: both.percentile(99) / 1_000 };
  }

  #at(dataset: string): Recent {
    const span = Math.floor(this.#clock.now() / SPAN);
    let recent = this.#recent.get(dataset);
    if (recent === undefined) {
      recent = { current: createHistogram(), previous: createHistogram(), span };
      this.#recent.set(dataset, recent);
    }
    if (recent.span !== span) advance(recent, span);
    return recent;
  }
}

/** Drops the previous span, and the current one too if more than one has passed. */
function advance(recent: Recent, span: number): void {
  const { current, previous } = recent;
  previous.reset();
  if (span !== recent.span + 1) current.reset();
  recent.current = previous;
  recent.previous = current;
  recent.span = span;
}
