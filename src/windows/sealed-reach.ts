import { LocalDays } from '../base/local-days.js';
import type { SealedDay } from '../datasets/relation.js';
import type { TimeRange } from './window.js';

/** Milliseconds behind the last sealed day within which a time zone is asked: clocks may have been put back just then. */
const MARGIN = 2 * 3_600_000;

/** Tells which windows reach into sealed days, by the rule by which DuckDB's way picks the days of a window. */
export class SealedReach {
  readonly #localDays: LocalDays;
  /** Milliseconds since the epoch behind which no sealed day reaches; kept because asking a time zone takes longer than the rest. */
  readonly #ends = new WeakMap<readonly SealedDay[], number>();

  constructor(localDays: LocalDays) {
    this.#localDays = localDays;
  }

  /** `days`: oldest first. Without any bound a window is of the days that are not sealed. */
  reaches(time: TimeRange | null, days: readonly SealedDay[]): boolean {
    if (time === null || days.length === 0) return false;
    if (time.from !== null && time.from >= this.#endOf(days)) return false;
    const first = time.from === null ? null : this.#localDays.dateOf(time.from);
    const last = time.to === null ? null : this.#localDays.dateOf(time.to);
    return days.some(({ date }) => (first === null || date >= first) && (last === null || date <= last));
  }

  #endOf(days: readonly SealedDay[]): number {
    const known = this.#ends.get(days);
    if (known !== undefined) return known;
    const end = this.#localDays.startOf(LocalDays.daysBefore(days.at(-1)!.date, -1)) + MARGIN;
    this.#ends.set(days, end);
    return end;
  }
}
