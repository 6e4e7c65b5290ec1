import { Declined } from './declined.js';

const INSTANT = /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?Z$/;
/** No month is shorter, so up to here the day of the month needs no look at the calendar. */
const SHORTEST_MONTH = 28;

/**
 * Milliseconds since the epoch of a time cell: ISO 8601 in UTC, with milliseconds or without.
 * Throws `Declined` for any other form.
 */
export function instantOf(text: string): number {
  const match = INSTANT.exec(text);
  const instant = match === null ? Number.NaN : Date.parse(text);
  if (Number.isNaN(instant)) throw new Declined(`the time ${JSON.stringify(text)}`);
  const day = Number(match![1]);
  // A Date turns 30 February into 2 March.
  if (day > SHORTEST_MONTH && new Date(instant).getUTCDate() !== day) {
    throw new Declined(`the day ${JSON.stringify(text)}`);
  }
  return instant;
}
