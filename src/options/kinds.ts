import { formatDuration, parseDuration } from '../base/durations.js';
import { parseBytes } from '../base/sizes.js';
import { show } from './mistakes.js';

/**
 * A kind of value in the configuration: the keyword `kind` of a schema. The schema checks a value's form; the kind words
 * the mistake and guesses the value that was meant. Kinds that only one room knows are defined there.
 */
export interface Kind {
  /** With its article, used after "is not": `a duration`. */
  readonly what: string;
  /** Used after "write": what such a value looks like. */
  readonly write: string;
  /** The value that was probably meant, as it should be written; null if there is no guess. `written`: the file's own text. */
  guess?(value: unknown, written: string): string | null;
  /** For a well-formed value that is still impossible: what is wrong and what to do. */
  refuse?(value: unknown): { readonly wrong: string; readonly remedy: string } | null;
}

/** A tenth of a second: below it a table would be read all the time. */
const SHORTEST_INTERVAL = 100;
/** A week; Node's timers end at 24.8 days. */
const LONGEST_INTERVAL = 7 * 86_400_000;

const UNIT_WORDS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(|s|secs?|seconds?)$/, 1_000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|wks?|weeks?)$/, 604_800_000],
];

/** `30 sec`, `1.5 min`, `30` (seconds) → milliseconds. */
function guessMilliseconds(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)\.?$/i.exec(String(value).trim());
  const size = UNIT_WORDS.find(([word]) => word.test((match?.[2] ?? '?').toLowerCase()))?.[1];
  if (match === null || size === undefined) return null;
  const milliseconds = Math.round(Number(match[1]) * size);
  return milliseconds > 0 ? milliseconds : null;
}

export const duration: Kind = {
  what: 'a duration',
  write: 'a whole number and its unit, such as 500ms, 30s, 5m, 2h or 1d',
  guess(value) {
    const milliseconds = guessMilliseconds(value);
    return milliseconds === null ? null : formatDuration(milliseconds);
  },
  refuse(value) {
    const milliseconds = parseDuration(String(value)) ?? 0;
    if (milliseconds < SHORTEST_INTERVAL) {
      return {
        wrong: `${show(value)} is too short`,
        remedy: `write ${formatDuration(SHORTEST_INTERVAL)} or more`,
      };
    }
    if (milliseconds > LONGEST_INTERVAL) {
      return {
        wrong: `${show(value)} is too long`,
        remedy: `write ${formatDuration(LONGEST_INTERVAL)} or less`,
      };
    }
    return null;
  },
};

/** A duration that the schema has accepted, in milliseconds. */
export function milliseconds(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === null) throw new TypeError(`not a duration: ${text}`);
  return parsed;
}

/** A number of days, or whole days or weeks as a duration: 7, `7d`, `52w`. Null for anything else. */
export function parseDays(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 ? value : null;
  const match = typeof value === 'string' ? /^([1-9]\d{0,4})(d|w)$/.exec(value) : null;
  return match === null ? null : Number(match[1]) * (match[2] === 'w' ? 7 : 1);
}

export const days: Kind = {
  what: 'a number of days',
  write: 'a whole number from 1, such as 7 (days)',
  guess(value) {
    if (typeof value === 'number') return value > 0 ? String(Math.ceil(value)) : null;
    const years = /^(\d+)\s*y(ears?)?$/i.exec(String(value).trim());
    if (years !== null) return Number(years[1]) > 0 ? String(Number(years[1]) * 365) : null;
    const months = /^(\d+)\s*months?$/i.exec(String(value).trim());
    if (months !== null) return Number(months[1]) > 0 ? String(Number(months[1]) * 30) : null;
    if (/^\d+$/.test(String(value).trim())) return Number(value) > 0 ? String(Number(value)) : null;
    const milliseconds = guessMilliseconds(value);
    return milliseconds === null ? null : String(Math.ceil(milliseconds / 86_400_000));
  },
};

/** Below it not even one day of a table fits. */
const SMALLEST_SIZE = 1 << 20;

export const size: Kind = {
  what: 'a size',
  write: 'a whole number and its unit, such as 500MB or 5GB',
  guess(value) {
    const match = /^(\d+)\s*(k|m|g|t)?(i?b(ytes?)?)?$/i.exec(String(value).trim());
    if (match === null || match[2] === undefined) return null;
    return `${match[1]}${match[2].toUpperCase()}B`;
  },
  refuse(value) {
    if ((parseBytes(String(value)) ?? 0) >= SMALLEST_SIZE) return null;
    return { wrong: `${show(value)} is too small`, remedy: 'write 1MB or more' };
  },
};

/** A size that the schema has accepted, in bytes. */
export function bytesOf(text: string): number {
  const parsed = parseBytes(text);
  if (parsed === null) throw new TypeError(`not a size: ${text}`);
  return parsed;
}

export const boolean: Kind = {
  what: 'true or false',
  write: 'true or false',
  guess(value) {
    const word = String(value).trim().toLowerCase();
    if (['yes', 'y', 'on', '1', 'true'].includes(word)) return 'true';
    if (['no', 'n', 'off', '0', 'false'].includes(word)) return 'false';
    return null;
  },
};

/** The guess for text that YAML reads as a number or a boolean, such as `2024` or `true`: it needs quotes. */
export function quoted(value: unknown, written: string): string | null {
  return typeof value === 'number' || typeof value === 'boolean' ? `"${written}"` : null;
}

export const text: Kind = { what: 'text', write: 'it as text', guess: quoted };
export const folder: Kind = { what: "a folder's path", write: 'the path of a folder', guess: quoted };
export const column: Kind = {
  what: "a column's name",
  write: 'a name of at least one character',
  guess: quoted,
};

export const publishedName: Kind = {
  what: 'a name that is safe in URLs and as a file',
  write: 'up to 200 letters, digits, "_", "-" or ".", beginning with a letter, a digit or "_"',
  guess(value, written) {
    const plain = written
      .replace(/\.csv$/i, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 200);
    if (plain === written) return quoted(value, written);
    return /[A-Za-z0-9]/.test(plain) ? plain : null;
  },
  refuse(value) {
    if (!/\.(csv|parquet|json)$/i.test(String(value))) return null;
    const plain = String(value).replace(/\.\w+$/, '');
    return { wrong: `${show(value)} carries a file's ending`, remedy: `write it as ${plain}` };
  },
};
