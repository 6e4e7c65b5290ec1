const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Points of the last two hours are kept, then one an hour for a week, then one a day for 30 days; the latest always. */
const ALL = 2 * HOUR;
const HOURLY = 7 * DAY;
const DAILY = 30 * DAY;

export interface DatedPoint {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The numbers of the points that are no longer kept. Of an hour or a day the first one is kept. `points`: in their order. */
export function expiredPoints(points: readonly DatedPoint[], now: number): number[] {
  const kept = new Set<string>();
  return points
    .filter(({ number, at }) => {
      const age = now - at;
      if (age < ALL || number === points.at(-1)?.number) return false;
      const span = age < HOURLY ? HOUR : DAY;
      const slot = `${span} ${Math.floor(at / span)}`;
      const isKept = age < DAILY && !kept.has(slot);
      kept.add(slot);
      return !isKept;
    })
    .map(({ number }) => number);
}
