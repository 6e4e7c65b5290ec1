/** The month that AWS reckons with: 730 hours. */
const MONTH = 730 * 3_600_000;

/** Polls in a month at that interval in milliseconds. */
export function pollsPerMonth(interval: number): number {
  return MONTH / interval;
}
