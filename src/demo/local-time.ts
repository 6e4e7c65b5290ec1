/** A local date and time of day in one time zone, as far as the simulated city needs it. */
export interface LocalTime {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** 0–23. */
  readonly hour: number;
  readonly minute: number;
  /** 0 Sunday … 6 Saturday. */
  readonly weekday: number;
}

const DAY = 86_400_000;

/** Converts times (milliseconds since the epoch) to a city's local time and back, across DST changes. */
export class LocalClock {
  readonly #format: Intl.DateTimeFormat;

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  }

  at(time: number): LocalTime {
    const shifted = new Date(this.#shifted(time));
    return {
      date: shifted.toISOString().slice(0, 10),
      hour: shifted.getUTCHours(),
      minute: shifted.getUTCMinutes(),
      weekday: shifted.getUTCDay(),
    };
  }

  /** When a local day's hour begins. For an hour that DST skips, the offset before the change applies. */
  timeOf(date: string, hour: number): number {
    const wanted = Date.parse(`${date}T00:00:00Z`) + hour * 3_600_000;
    const guess = wanted - (this.#shifted(wanted) - wanted);
    return wanted - (this.#shifted(guess) - guess);
  }

  /** The local time written as if it were UTC. */
  #shifted(time: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(time)) part[type] = Number(value);
    const { year, month, day, hour, minute, second } = part as Record<string, number>;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) + (((time % 1_000) + 1_000) % 1_000);
  }
}

/** The day before or after: `nextDate('2026-02-28', 1)` is `2026-03-01`. */
export function nextDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Weeks since the Monday of the first week of 1970: one number for each Monday-to-Sunday week. */
export function weekNumber(date: string): number {
  return Math.floor((Date.parse(`${date}T00:00:00Z`) / DAY + 3) / 7);
}
