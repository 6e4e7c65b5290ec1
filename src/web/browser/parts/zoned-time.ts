const formats = new Map<string, Intl.DateTimeFormat>();

/** A moment as the field of a date and time wants it, in that zone: `2026-11-24T09:30:00`. */
export function toLocalField(time: number, timeZone: string): string {
  return new Date(Math.floor(wallClock(time, timeZone) / 1_000) * 1_000).toISOString().slice(0, 19);
}

/** The moment at which the zone's clocks show it; the earlier one where they show it twice. */
export function fromLocalField(field: string, timeZone: string): number {
  const wall = Date.parse(`${field}Z`);
  // The offset before and after any change of the clocks that is near.
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
