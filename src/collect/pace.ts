import type { DynamoCsvError } from '../base/errors.js';
import type { Reading } from '../sources/source.js';

/** How often a source is polled, and whether a poll may begin. */
export interface Pace {
  /** Milliseconds between the starts of two polls, as of now. */
  readonly interval: number;
  /** Aborts when `interval` has changed since the signal was taken. */
  readonly changed: AbortSignal;
  /**
   * Asks whether a poll may begin that is due, where `last` started at that time (null: none since the start). Resolves
   * to null if it may, else to when to ask again. Rejects with the signal's reason only.
   */
  admit(last: number | null, signal: AbortSignal): Promise<Postponement | null>;
  /** Reports what a poll has consumed. */
  succeeded(cost: Reading['cost']): void;
  /** Reports that a poll failed, perhaps after it had read something. */
  failed(problem: DynamoCsvError): void;
}

export interface Postponement {
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Why, for people; null: only because the interval has become longer. */
  readonly problem: DynamoCsvError | null;
}

const NEVER = new AbortController().signal;

/** Polls always at that interval, in milliseconds. */
export function fixedPace(interval: number): Pace {
  return {
    interval,
    changed: NEVER,
    admit: async () => null,
    succeeded() {},
    failed() {},
  };
}
