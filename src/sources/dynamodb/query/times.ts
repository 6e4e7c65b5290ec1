import type { AttributeValue } from '../attributes.js';

/** `2026-11-24T14:30:00`, with `T` or a space, what follows being a fraction, a zone, or anything else. */
const ISO = /^(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?/;
/** Seconds since the epoch from 2001 on have ten digits, milliseconds thirteen, microseconds sixteen. */
const EPOCH = /^(\d{10}|\d{13}|\d{16})(?:\.\d+)?$/;

/** Zones are at most 14 hours from UTC: the local time of a text without a zone may be that far ahead. */
const FARTHEST_ZONE = 14 * 3_600_000;

interface Time {
  /** Milliseconds since the epoch; for text without a zone as if it were UTC. */
  readonly at: number;
  readonly hasZone: boolean;
}

/** Null for a value that is not a time. */
function timeOf({ S, N }: AttributeValue): Time | null {
  if (S !== undefined) {
    const [, date, , time, zone] = ISO.exec(S) ?? [];
    if (date === undefined) return null;
    const at = Date.parse(`${date}T${time}${zone === undefined ? 'Z' : withColon(zone)}`);
    return Number.isNaN(at) ? null : { at, hasZone: zone !== undefined };
  }
  const digits = EPOCH.exec(N ?? '')?.[1];
  return digits === undefined ? null : { at: Number(digits) / perMillisecond(digits), hasZone: true };
}

function withColon(zone: string): string {
  return zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
}

/** Units of an epoch time in a millisecond. */
function perMillisecond(digits: string): number {
  return 10 ** (digits.length - 13);
}

/** Whether the value is a time, and later than that instant. */
export function isLaterThan(value: AttributeValue, instant: number): boolean {
  const time = timeOf(value);
  return time !== null && time.at > instant + (time.hasZone ? 0 : FARTHEST_ZONE);
}

export function isTime(value: AttributeValue): boolean {
  return timeOf(value) !== null;
}

/**
 * A value of the same form that is so many milliseconds earlier, or a little more: whole seconds, and without what
 * follows them, which is before any text that has them. Null for a value that is not a time.
 */
export function earlier(value: AttributeValue, milliseconds: number): AttributeValue | null {
  if (timeOf(value) === null) return null;
  if (value.S !== undefined) {
    const [, date, separator, time] = ISO.exec(value.S) ?? [];
    const wall = new Date(Date.parse(`${date}T${time}Z`) - milliseconds).toISOString();
    return { S: `${wall.slice(0, 10)}${separator}${wall.slice(11, 19)}` };
  }
  const digits = EPOCH.exec(value.N ?? '')![1]!;
  return { N: String(Math.floor(Number(digits) - milliseconds * perMillisecond(digits))) };
}
