const HOUR = 3_600_000;
const QUARTER = 900_000;
/** The first instant of the year 10000, whose dates JavaScript writes differently. */
const YEAR_10000 = 253_402_300_800_000;

/**
 * The calendar days of one time zone, with daylight saving. `Intl` knows the rules; the rest is short. A library adds
 * nothing here: luxon 3.7 takes 12 µs for a date where this takes 1, and its `startOf('day')`, like that of
 * `@date-fns/tz` 1.5, misses the first hour of a day on which midnight comes twice (Amman, 2021-10-29).
 */
export class LocalDays {
  readonly timeZone: string;
  readonly #isUtc: boolean;
  #format: Intl.DateTimeFormat | null = null;

  /** `timeZone`: an IANA name that `Intl` knows, e.g. `America/New_York`. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#isUtc = timeZone === 'UTC';
  }

  /** The local date, `2026-11-24`, of an instant in milliseconds since the epoch. */
  dateOf(instant: number): string {
    // `Intl` is loaded with its first use, which is a twentieth of the start.
    if (this.#isUtc && instant >= 0 && instant < YEAR_10000)
      return new Date(instant).toISOString().slice(0, 10);
    this.#format ??= new Intl.DateTimeFormat('en-CA', {
      timeZone: this.timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    return this.#format.format(instant);
  }

  /** The first instant of a local date, in milliseconds since the epoch. Zones are at most 14 hours from UTC. */
  startOf(date: string): number {
    const midnight = Date.parse(`${date}T00:00:00Z`);
    let before = midnight - 15 * HOUR;
    let inside = midnight + 15 * HOUR;
    while (inside - before > 1) {
      const middle = Math.floor((before + inside) / 2);
      if (this.dateOf(middle) < date) before = middle;
      else inside = middle;
    }
    return inside;
  }

  /** The first instant of the next local day, in milliseconds since the epoch; a day has 23 to 25 hours. */
  endOf(instant: number): number {
    return this.startOf(LocalDays.daysBefore(this.dateOf(instant), -1));
  }

  /**
   * `dateOf` for many instants in any order. A time zone is asked once per quarter of an hour: where both of its ends are
   * in one day, all of it is.
   */
  dater(): (instant: number) => string {
    const known = new Map<number, string | null>();
    return (instant) => {
      const quarter = Math.floor(instant / QUARTER);
      let date = known.get(quarter);
      if (date === undefined) {
        const first = this.dateOf(quarter * QUARTER);
        date = first === this.dateOf((quarter + 1) * QUARTER - 1) ? first : null;
        known.set(quarter, date);
      }
      return date ?? this.dateOf(instant);
    };
  }

  /** The date `days` before a date, or after it when negative. */
  static daysBefore(date: string, days: number): string {
    return new Date(Date.parse(`${date}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
  }
}
