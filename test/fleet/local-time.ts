/** Local days and times for the reference, from `Intl` and nothing that the views use. */

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, found);
  }
  return found;
}

/** What calendar and clock on the wall show: the day as `2026-11-24`, and seconds on the clock since 00:00. */
export interface WallTime {
  readonly day: string;
  readonly clock: number;
}

export function wallTime(at: number, zone: string): WallTime {
  // 24/11/2026, 03:04:05
  const text = format(zone).format(at);
  const [day, month, year, hour, minute, second] = text.split(/\D+/).map(Number) as number[];
  const pad = (part: number | undefined) => String(part).padStart(2, '0');
  return { day: `${year}-${pad(month)}-${pad(day)}`, clock: hour! * 3600 + minute! * 60 + second! };
}

export function localDay(at: number, zone: string): string {
  return wallTime(at, zone).day;
}

const midnights = new Map<string, number>();

/** The first instant of a local day, searched for in quarters of an hour. */
export function midnight(day: string, zone: string): number {
  const key = `${zone} ${day}`;
  let found = midnights.get(key);
  if (found === undefined) {
    found = Date.parse(`${day}T00:00:00Z`) - 15 * 3_600_000;
    while (localDay(found, zone) < day) found += 900_000;
    midnights.set(key, found);
  }
  return found;
}

/** The instant at which the running hour on the wall clock began. */
export function hourStart(at: number, zone: string): number {
  return Math.floor(at / 1000) * 1000 - (wallTime(at, zone).clock % 3600) * 1000;
}

/** `2026-11-24` and -7 give `2026-11-17`. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** All days from the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}

export function weekday(day: string): string {
  return new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(Date.parse(day));
}

export function monday(day: string): string {
  return addDays(day, -((new Date(day).getUTCDay() + 6) % 7));
}

/** ISO 8601: the week belongs to the year of its Thursday, and week 1 has the year's first Thursday. */
export function isoWeek(day: string): string {
  const thursday = addDays(monday(day), 3);
  const year = thursday.slice(0, 4);
  const week = Math.floor((Date.parse(thursday) - Date.parse(`${year}-01-01`)) / (7 * 86_400_000)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
