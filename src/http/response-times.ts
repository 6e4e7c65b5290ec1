import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Clock } from '../base/clock.js';

/** Milliseconds that one histogram covers; two make the recent past: the last five to ten minutes. */
const SPAN = 300_000;

interface Recent {
  current: RecordableHistogram;
  /** The span before; its histogram is emptied and becomes the next current one. */
  previous: RecordableHistogram;
  /** The span that `current` is about, counted from the epoch. */
  span: number;
}

/** How long requests for each dataset took in the last five to ten minutes; for the dataset `collector`. */
export class ResponseTimes {
  readonly #clock: Clock;
  readonly #recent = new Map<string, Recent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request for that dataset took so many milliseconds. Names are those of the registry, so there are only so many. */
  record(dataset: string, milliseconds: number): void {
    // Histograms count whole numbers from 1: microseconds.
    this.#at(dataset).current.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  /** The time in milliseconds that half of the recent requests, and 99 of 100, did not exceed; null without requests. */
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
    if (recent.span !== span) turn(recent, span);
    return recent;
  }
}

/** Lets the span before go, and the one before that when more than one has passed. */
function turn(recent: Recent, span: number): void {
  const { current, previous } = recent;
  previous.reset();
  if (span !== recent.span + 1) current.reset();
  recent.current = previous;
  recent.previous = current;
  recent.span = span;
}
