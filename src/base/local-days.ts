const HOUR = 3_600_000;

/** The calendar day of an instant in one time zone, DST included, fast enough to be asked once per row. */
export class LocalDays {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;

  /** `timeZone`: an IANA name that `Intl` knows, e.g. `America/New_York`. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
  }

  /** `2026-11-24` for an instant in milliseconds since the epoch. */
  dateOf(instant: number): string {
    return this.#format.format(instant);
  }

  /** The first instant of a local day. Zones are at most 14 hours off UTC. */
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

  /** The first instant of the day after the one that `instant` is in; a local day has 23 to 25 hours. */
  endOf(instant: number): number {
    return this.startOf(LocalDays.daysBefore(this.dateOf(instant), -1));
  }

  /** The date so many days before (or, negative, after) a date; plain calendar arithmetic. */
  static daysBefore(date: string, days: number): string {
    return new Date(Date.parse(`${date}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
  }
}
