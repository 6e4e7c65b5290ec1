/**
 * Puts the clock of this process past midnight UTC when that is near, and those of the services that it starts: what a test
 * counts in days stays the same until its end. By less than the quarter of an hour by which S3 lets a clock be wrong.
 */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** So long before midnight; a file of tests seldom takes longer. */
const BEFORE = 12 * MINUTE;
/** So long after midnight a service begins to seal the day that ended, and a while later it is done. */
const AFTER = 2 * MINUTE;

const midnight = Math.ceil((Date.now() - AFTER) / DAY) * DAY;
const left = midnight - Date.now();
if (left < BEFORE) process.env.CLOCK_SHIFT ??= String(left + AFTER);
if (process.env.CLOCK_SHIFT !== undefined) await import('./shifted-clock.js');

/** The environment of a process that has the same time as this one. */
export const sameTime: Readonly<Record<string, string>> =
  process.env.CLOCK_SHIFT === undefined
    ? {}
    : {
        NODE_OPTIONS: `--import=${new URL('./shifted-clock.js', import.meta.url).href}`,
        CLOCK_SHIFT: process.env.CLOCK_SHIFT,
      };
