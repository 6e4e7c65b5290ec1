const formats = new Map<string, Intl.DateTimeFormat>();

/** An instant in that zone, in the format of a date-time field: `2026-11-24T09:30:00`. */
export function toLocalField(time: number, timeZone: string): string {
  return new Date(Math.floor(wallClock(time, timeZone) / 1_000) * 1_000).toISOString().slice(0, 19);
}

/** The instant at which the zone's clocks show that time; the earlier one if they show it twice. */
export function fromLocalField(field: string, timeZone: string): number {
  const wall = Date.parse(`${field}Z`);
  // The offsets before and after a clock change nearby.
  const candidates = [wall - 86_400_000, wall + 86_400_000].map(
    (near) => wall - (wallClock(near, timeZone) - near),
  );
  return candidates.find((time) => wallClock(time, timeZone) === wall) ?? candidates[0]!;
}

/** The zone's wall clock, as if it were UTC. */
function wallClock(time: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
  }
  return Date.parse(`${format.format(time).replace(' ', 'T')}Z`);
}
