import { LocalDays } from '../base/local-days.js';
import type { SealedDay } from '../datasets/relation.js';
import type { TimeRange } from './window.js';

/** Milliseconds after the last sealed day within which the time zone is consulted: clocks may have gone back just then. */
const MARGIN = 2 * 3_600_000;

/** Determines which windows reach into sealed days, by the same rule by which DuckDB's tables pick the days of a window. */
export class SealedReach {
  readonly #localDays: LocalDays;
  /** Milliseconds since the epoch after which there is no sealed day; cached, because time zone lookups dominate the cost. */
  readonly #ends = new WeakMap<readonly SealedDay[], number>();

  constructor(localDays: LocalDays) {
    this.#localDays = localDays;
  }

  /** The days that a window may need. `days`: oldest first. A window without bounds covers unsealed days only. */
  daysIn(time: TimeRange | null, days: readonly SealedDay[]): readonly SealedDay[] {
    if (time === null || days.length === 0) return [];
    if (time.from !== null && time.from >= this.#endOf(days)) return [];
    const first = time.from === null ? null : this.#localDays.dateOf(time.from);
    const last = time.to === null ? null : this.#localDays.dateOf(time.to);
    return days.filter(({ date }) => (first === null || date >= first) && (last === null || date <= last));
  }

  #endOf(days: readonly SealedDay[]): number {
    const known = this.#ends.get(days);
    if (known !== undefined) return known;
    const end = this.#localDays.startOf(LocalDays.daysBefore(days.at(-1)!.date, -1)) + MARGIN;
    this.#ends.set(days, end);
    return end;
  }
}
