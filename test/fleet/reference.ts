import {
  addDays,
  daysBetween,
  hourStart,
  isoWeek,
  localDay,
  midnight,
  monday,
  wallTime,
  weekday,
} from './local-time.js';
import type { Poll } from './simulation.js';

/**
 * What the views should say, from the polls themselves and written without SQL and without the changes:
 * the rules of daily counters, read once more.
 */

/** How far one counter rose at one poll; 0 where it was only set back or went missing. */
export interface Rise {
  readonly at: number;
  readonly day: string;
  readonly key: string;
  readonly amount: number;
}

export type Row = Record<string, string | number | null>;

const HOUR = 3_600_000;

export function rises(
  polls: readonly Poll[],
  counters: (poll: Poll) => ReadonlyMap<string, number>,
  zone: string,
): Rise[] {
  const result: Rise[] = [];
  const lastKnown = new Map<string, number>();
  polls.forEach((poll, index) => {
    const before = polls[index - 1];
    const day = localDay(poll.at, zone);
    const missedMidnight =
      before !== undefined && poll.at - before.at > HOUR && localDay(before.at, zone) !== day;
    for (const [key, value] of counters(poll)) {
      const last = lastKnown.get(key);
      lastKnown.set(key, value);
      const stoodStill = last === value;
      if (stoodStill && before !== undefined && counters(before).has(key)) continue;
      const reset = last === undefined || missedMidnight || value < last;
      result.push({ at: poll.at, day, key, amount: reset ? value : value - last });
    }
    for (const key of before === undefined ? [] : counters(before).keys()) {
      if (!counters(poll).has(key)) result.push({ at: poll.at, day, key, amount: 0 });
    }
  });
  return result;
}

function total(some: readonly Rise[], key?: string): number {
  return some.reduce((sum, rise) => (key === undefined || rise.key === key ? sum + rise.amount : sum), 0);
}

function rate(pickups: number, dispatches: number): number | null {
  return dispatches === 0 ? null : (100 * pickups) / dispatches;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string | number): Map<string | number, T[]> {
  const groups = new Map<string | number, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The days to show: from the first with any change within `days` days that end today. */
function shownDays(all: readonly Rise[], today: string, days: number): string[] {
  const first = all
    .map((rise) => rise.day)
    .filter((day) => day > addDays(today, -days))
    .sort()[0];
  return first === undefined ? [] : daysBetween(first, today);
}

export function ridesToday(flags: readonly Rise[], now: number, zone: string): Row[] {
  const date = localDay(now, zone);
  const some = flags.filter((rise) => rise.day === date);
  const [pickups, dispatches] = [total(some, 'pickup'), total(some, 'dispatch')];
  return [{ date, pickups, dispatches, success_rate: rate(pickups, dispatches) }];
}

export function ridesPerDay(flags: readonly Rise[], now: number, zone: string, days = 91): Row[] {
  const byDay = groupBy(flags, (rise) => rise.day);
  return shownDays(flags, localDay(now, zone), days).map((date) => {
    const some = byDay.get(date) ?? [];
    const [pickups, dispatches] = [total(some, 'pickup'), total(some, 'dispatch')];
    const timestamp = iso(midnight(date, zone));
    return {
      timestamp,
      date,
      weekday: weekday(date),
      pickups,
      dispatches,
      success_rate: rate(pickups, dispatches),
    };
  });
}

export function ridesPerHour(flags: readonly Rise[], now: number, zone: string): Row[] {
  const firstDay = addDays(localDay(now, zone), -27);
  const some = flags.filter((rise) => rise.day >= firstDay);
  const byHour = groupBy(some, (rise) => hourStart(rise.at, zone));
  const hours = new Set<number>();
  for (let at = some[0]?.at ?? Infinity; at <= now; at += 900_000) hours.add(hourStart(at, zone));
  if (some.length > 0) hours.add(hourStart(now, zone));
  return [...hours].map((start) => {
    const { day: date, clock } = wallTime(start, zone);
    return {
      timestamp: iso(start),
      date,
      hour: Math.floor(clock / 3600),
      weekday: weekday(date),
      pickups: total(byHour.get(start) ?? [], 'pickup'),
      dispatches: total(byHour.get(start) ?? [], 'dispatch'),
    };
  });
}

export function ridesCourse(flags: readonly Rise[], now: number, zone: string): Row[] {
  const today = localDay(now, zone);
  const sameDayLastWeek = addDays(today, -7);
  const pickups = flags.filter((rise) => rise.key === 'pickup');
  const lastWeek = pickups
    .filter((rise) => rise.day === sameDayLastWeek)
    .map((rise) => ({ ...rise, clock: wallTime(rise.at, zone).clock + (rise.at % 1000) / 1000 }));
  const todays = pickups.filter((rise) => rise.day === today);
  const rows: Row[] = [];
  for (let at = midnight(today, zone); localDay(at, zone) === today; at += 300_000) {
    const { clock } = wallTime(at, zone);
    rows.push({
      timestamp: iso(at),
      today: at <= now ? total(todays.filter((rise) => rise.at <= at)) : null,
      last_week: lastWeek.length === 0 ? null : total(lastWeek.filter((rise) => rise.clock <= clock)),
    });
  }
  return rows;
}

export function successRatePerWeek(flags: readonly Rise[], now: number, zone: string): Row[] {
  const today = localDay(now, zone);
  const firstMonday = addDays(monday(today), -12 * 7);
  const since = daysBetween(addDays(firstMonday, -7), today).length;
  const days = groupBy(ridesPerDay(flags, now, zone, since), (row) => monday(row.date as string));
  let before: number | null = null;
  const rows: Row[] = [];
  for (const [start, week] of days) {
    const rates = week.map((row) => row.success_rate as number | null).filter((value) => value !== null);
    const average = rates.length === 0 ? null : rates.reduce((a, b) => a + b, 0) / rates.length;
    const sum = (column: string) => week.reduce((all, row) => all + (row[column] as number), 0);
    rows.push({
      timestamp: iso(midnight(start as string, zone)),
      week: isoWeek(start as string),
      pickups: sum('pickups'),
      dispatches: sum('dispatches'),
      average_success_rate: average,
      change: average === null || before === null ? null : average - before,
    });
    before = average;
  }
  return rows.filter((row) => (row.timestamp as string) >= iso(midnight(firstMonday, zone)));
}

export interface Place {
  readonly number: number;
  readonly zone: string;
  readonly borough: string;
  readonly latitude: string | null;
  readonly longitude: string | null;
}

/** The zone that a table's text means, by number or by name. */
export type Gazetteer = (id: string) => Place | undefined;

function described(id: string, place: Place | undefined): Row {
  const { zone, borough, latitude, longitude } = place ?? {
    zone: id,
    borough: null,
    latitude: null,
    longitude: null,
  };
  return { zone_id: id, zone, borough, latitude, longitude };
}

function byNumber(gazetteer: Gazetteer): (a: string, b: string) => number {
  const order = (id: string) => gazetteer(id)?.number ?? Infinity;
  return (a, b) => (order(a) === order(b) ? (a < b ? -1 : 1) : order(a) - order(b));
}

export function boardingsPerZoneToday(
  zones: readonly Rise[],
  inTheTable: Iterable<string>,
  now: number,
  zone: string,
  gazetteer: Gazetteer,
): Row[] {
  const todays = zones.filter((rise) => rise.day === localDay(now, zone));
  const ids = [...new Set([...todays.map((rise) => rise.key), ...inTheTable])].sort(byNumber(gazetteer));
  return ids
    .map((id) => ({ ...described(id, gazetteer(id)), boardings: total(todays, id) }))
    .sort((a, b) => b.boardings - a.boardings);
}

export function boardingsPerZonePerDay(
  zones: readonly Rise[],
  now: number,
  zone: string,
  gazetteer: Gazetteer,
): Row[] {
  const today = localDay(now, zone);
  const shown = shownDays(zones, today, 28);
  const recent = zones.filter((rise) => shown.includes(rise.day));
  const ids = [...new Set(recent.map((rise) => rise.key))].sort(byNumber(gazetteer));
  const byDay = groupBy(recent, (rise) => rise.day);
  return shown.flatMap((date) =>
    ids
      .filter((id) => recent.some((rise) => rise.key === id && rise.day <= date))
      .map((id) => ({
        timestamp: iso(midnight(date, zone)),
        date,
        ...described(id, gazetteer(id)),
        boardings: total(byDay.get(date) ?? [], id),
      })),
  );
}

/** The first five of each day: the most boardings first with `sign` -1, the fewest with 1. */
export function extremes(perDay: readonly Row[], sign: 1 | -1): Row[] {
  const number = (row: Row) => (/^\d+$/.test(row.zone_id as string) ? Number(row.zone_id) : Infinity);
  const rows: Row[] = [];
  for (const day of groupBy(perDay, (row) => row.date as string).values()) {
    const ranked = day
      .filter((row) => sign === 1 || (row.boardings as number) > 0)
      .sort(
        (a, b) =>
          sign * ((a.boardings as number) - (b.boardings as number)) ||
          (number(a) === number(b)
            ? (a.zone_id as string) < (b.zone_id as string)
              ? -1
              : 1
            : number(a) - number(b)),
      );
    ranked.slice(0, 5).forEach(({ timestamp, date, zone_id, zone, boardings }, index) => {
      rows.push({ timestamp, date, rank: index + 1, zone_id, zone, boardings } as Row);
    });
  }
  return rows;
}
