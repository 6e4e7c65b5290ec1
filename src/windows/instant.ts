import { parseDuration } from '../base/durations.js';
import { MAX_INSTANT } from '../csv/instant.js';

const YEAR = 365 * 86_400_000;

/** A duration above zero in milliseconds, or null. Years (of 365 days) too: Grafana's `${__interval}` may be `1y`. */
export function parseSpan(text: string): number | null {
  const years = /^(\d{1,4})y$/.exec(text);
  const span = years === null ? parseDuration(text) : Number(years[1]) * YEAR;
  return span !== null && span > 0 && span <= MAX_INSTANT ? span : null;
}
