const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z)|([+\- ])(\d\d)(?::?(\d\d))?)?)?$/i;
const EPOCH = /^-?\d{1,16}$/;
/** What a `Date` can hold. */
export const MAX_INSTANT = 8.64e15;
const MINUTE = 60_000;

/**
 * An instant in milliseconds since the epoch from epoch milliseconds or ISO 8601: without a zone it is UTC, a date
 * alone is midnight UTC, digits beyond milliseconds are cut off. Null for anything else.
 */
export function parseInstant(text: string): number | null {
  if (EPOCH.test(text)) return Math.abs(Number(text)) <= MAX_INSTANT ? Number(text) : null;
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = ''] = match;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
  const instant = Date.parse(written);
  // A Date turns 30 February into 2 March.
  if (Number.isNaN(instant) || new Date(instant).toISOString() !== written) return null;
  const offset = offsetOf(match);
  return offset === null ? null : instant - offset;
}

/** Milliseconds that the zone is ahead of UTC. A `+` that was not encoded arrives as a space. */
function offsetOf(match: RegExpExecArray): number | null {
  const [sign, hours = '00', minutes = '00'] = match.slice(9);
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE;
  return sign === '-' ? -offset : offset;
}
