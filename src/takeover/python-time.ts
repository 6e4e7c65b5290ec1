import { isoTime } from '../base/clock.js';

/** `2025-02-14 09:30:00`, optionally with fractions, a `T` and a zone. */
const TIME = /^"?(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?"?$/;

/**
 * A time as the Python script or this service wrote it, in the service's form: ISO 8601 UTC with milliseconds and `Z`.
 * Without a zone it is UTC. Null if the text is not a time, or its day or hour does not exist.
 */
export function utcTime(text: string): string | null {
  const match = TIME.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const milliseconds = Date.parse(local);
  // Date.parse reads 30 February as 2 March, which then prints differently.
  if (Number.isNaN(milliseconds) || isoTime(milliseconds) !== local) return null;
  return zone === 'Z' ? local : isoTime(milliseconds - zoneOffset(zone));
}

/** `+09:00` → milliseconds ahead of UTC. */
function zoneOffset(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** `utcTime` for the cells of a file, in which consecutive rows of a poll have the same time. */
export class TimeReader {
  #bytes = Buffer.alloc(0);
  #utc: Buffer | null = null;

  /** The cell's time in the service's form, or null. */
  read(cell: Buffer): Buffer | null {
    if (!this.#bytes.equals(cell)) {
      const utc = utcTime(cell.toString('latin1'));
      this.#bytes = Buffer.from(cell);
      this.#utc = utc === null ? null : Buffer.from(utc);
    }
    return this.#utc;
  }
}
