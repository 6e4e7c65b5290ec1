import { formatDuration, parseDuration } from '../base/durations.js';
import { meant, show } from './mistakes.js';

/**
 * The kinds of values in the configuration, in words: what the schema calls `kind`. The schema says whether a value has
 * the right form; a kind says how to tell the user, and guesses the value that was meant.
 */
export interface Kind {
  /** With its article, to stand after "is not": `a duration`. */
  readonly what: string;
  /** To stand after "write": how such a value looks. */
  readonly write: string;
  /** The value that was probably meant, as it is to be written; null when nothing can be guessed. */
  guess?(value: unknown): string | null;
  /** For a value of the right form that is impossible all the same: what is wrong and what to do. */
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

const duration: Kind = {
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

/** A number of days, or whole days or weeks as a duration: 7, `7d`, `52w`. Null for anything else. */
export function parseDays(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 ? value : null;
  const match = typeof value === 'string' ? /^([1-9]\d{0,4})(d|w)$/.exec(value) : null;
  return match === null ? null : Number(match[1]) * (match[2] === 'w' ? 7 : 1);
}

const days: Kind = {
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

const boolean: Kind = {
  what: 'true or false',
  write: 'true or false',
  guess(value) {
    const word = String(value).trim().toLowerCase();
    if (['yes', 'y', 'on', '1', 'true'].includes(word)) return 'true';
    if (['no', 'n', 'off', '0', 'false'].includes(word)) return 'false';
    return null;
  },
};

/** YAML reads `2024` and `true` as a number and a boolean; a name needs quotes then. */
function quoted(value: unknown): string | null {
  return typeof value === 'number' || typeof value === 'boolean' ? `"${value}"` : null;
}

const text: Kind = { what: 'text', write: 'it as text', guess: quoted };
const folder: Kind = { what: "a folder's path", write: 'the path of a folder', guess: quoted };
const column: Kind = { what: "a column's name", write: 'a name of at least one character', guess: quoted };

const tableName: Kind = {
  what: "a DynamoDB table's name",
  write: '3 to 255 letters, digits, "_", "-" or "."',
  guess(value) {
    const arn = /^arn:[^:]+:dynamodb:([^:]*):[^:]*:table\/([\w.-]+)/.exec(String(value));
    return arn === null ? null : `${arn[2]} with region: ${arn[1]}`;
  },
};

const publishedName: Kind = {
  what: 'a name that is safe in URLs and as a file',
  write: 'up to 200 letters, digits, "_", "-" or ".", beginning with a letter, a digit or "_"',
  guess(value) {
    const plain = String(value)
      .replace(/\.csv$/i, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 200);
    return /[A-Za-z0-9]/.test(plain) && plain !== value ? plain : null;
  },
  refuse(value) {
    if (!/\.(csv|parquet|json)$/i.test(String(value))) return null;
    const plain = String(value).replace(/\.\w+$/, '');
    return { wrong: `${show(value)} carries a file's ending`, remedy: `write it as ${plain}` };
  },
};

/** Only to guess from; any region of that form is accepted, so that new ones work. */
const REGIONS = [
  'af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1',
  'ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 ca-central-1 ca-west-1 cn-north-1',
  'cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1',
  'me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1 us-west-2',
].flatMap((line) => line.split(' '));

const region: Kind = {
  what: 'an AWS region',
  write: 'one such as us-east-1',
  guess(value) {
    const zone = /^([a-z]+(?:-[a-z]+)+-\d)[a-f]$/.exec(String(value));
    return (
      zone?.[1] ??
      meant(
        String(value)
          .toLowerCase()
          .replace(/[_\s]+/g, '-'),
        REGIONS,
      ) ??
      null
    );
  },
};

const segments: Kind = {
  what: 'a number of segments',
  write: 'auto or a whole number from 1 to 1024',
  guess: (value) => (String(value).toLowerCase().trim() === 'auto' ? 'auto' : null),
};

const capacity: Kind = {
  what: 'a number of read capacity units per second',
  write: 'a number from 1, or leave the option out for no limit',
  guess(value) {
    const number = /^\s*(\d+(?:\.\d+)?)\s*(?:rcu|units?)?(?:\/s)?\s*$/i.exec(String(value))?.[1];
    return number !== undefined && Number(number) >= 1 ? number : null;
  },
};

const only: Kind = {
  what: 'a list of names or true',
  write: 'the attributes to keep, such as [count], or true for exactly those in columns',
};

const instanceId: Kind = { what: "an EC2 instance's id", write: 'one such as i-0123456789abcdef0' };

const tagValue: Kind = {
  what: "a tag's value",
  write: 'text, or a list of texts of which one must match',
  guess: quoted,
};

const timeZone: Kind = {
  what: 'a time zone',
  write: 'a name of the IANA time zone database such as UTC or America/New_York',
  guess: (value) => guessTimeZone(String(value)),
  refuse(value) {
    if (canonicalTimeZone(String(value)) !== null) return null;
    const guess = guessTimeZone(String(value));
    return {
      wrong: `${show(value)} is not a time zone`,
      remedy: guess === null ? `write ${timeZone.write}` : `did you mean ${guess}?`,
    };
  },
};

/**
 * The time zone as its database writes it (`utc` → `UTC`), or null when there is none of that name. An alias stays as it
 * was written (`Asia/Kolkata`): which of two names is canonical changes with the ICU version, and sealed days remember it.
 */
export function canonicalTimeZone(name: string): string | null {
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    const canonical = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    return canonical.toLowerCase() === name.toLowerCase() ? canonical : name;
  } catch {
    return null;
  }
}

function guessTimeZone(name: string): string | null {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const wanted = name.trim().replace(/\s+/g, '_');
  const cities = new Map(zones.map((zone) => [zone.split('/').at(-1) ?? zone, zone]));
  const zone = meant(wanted, zones);
  if (zone !== undefined) return zone;
  const city = meant(wanted.split('/').at(-1) ?? wanted, [...cities.keys()]);
  return city === undefined ? null : (cities.get(city) ?? null);
}

const port: Kind = {
  what: 'a port',
  write: 'a whole number from 0 (any free port) to 65535',
  refuse: (value) =>
    Number(value) <= 65_535 ? null : { wrong: `${show(value)} is not a port`, remedy: `write ${port.write}` },
};

const host: Kind = {
  what: 'an address to listen on',
  write: '127.0.0.1 for this machine only, 0.0.0.0 for every network, or the name or address of one',
  guess(value) {
    const url = /^(?:\w+:\/\/)?([\w.-]+)(?::\d+)?\/?$/.exec(String(value).trim());
    return url?.[1] ?? null;
  },
};

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const logLevel: Kind = {
  what: 'a log level',
  write: `one of ${LOG_LEVELS.join(', ')}`,
  guess(value) {
    const word = String(value).trim().toLowerCase();
    if (word.startsWith('verb')) return 'debug';
    return LOG_LEVELS.find((level) => word.startsWith(level)) ?? meant(word, LOG_LEVELS) ?? null;
  },
};

const token: Kind = {
  what: 'a token that fits into a header',
  write: 'letters, digits and - . _ ~ + / = only, for example from: openssl rand -hex 32',
};

/** `a.example, b.example` → both. */
export function splitList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}

const origins: Kind = {
  what: 'a list of origins',
  write:
    'each as scheme://host or scheme://host:port, separated by commas, such as https://grafana.example.org',
  refuse(value) {
    const parts = splitList(String(value));
    const wrong = parts.find((part) => originOf(part) !== part);
    if (wrong === undefined) return null;
    const guess = originOf(wrong);
    return {
      wrong: `${show(wrong)} is not an origin`,
      remedy: guess === null ? `write ${origins.write}` : `write it as ${guess}`,
    };
  },
};

/** Scheme, host and port of a URL; null for what has none (`*` names nobody, so it is none either). */
function originOf(text: string): string | null {
  const origin = URL.canParse(text) ? new URL(text).origin : 'null';
  return origin === 'null' ? null : origin;
}

const hosts: Kind = {
  what: 'a list of host names',
  write: 'each without scheme, port and path, separated by commas, such as data.example.org',
  refuse(value) {
    const wrong = splitList(String(value)).find((part) => !isHostName(part));
    if (wrong === undefined) return null;
    const guess = /^(?:\w+:\/\/)?([\w.-]+?)\.?(?::\d+)?(?:\/.*)?$/.exec(wrong)?.[1] ?? null;
    return {
      wrong: `${show(wrong)} is not a host name`,
      remedy: guess === null ? `write ${hosts.write}` : `write it as ${guess}`,
    };
  },
};

/** As browsers send it: a name in another script is `xn--…` there. */
function isHostName(text: string): boolean {
  return /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text);
}

const webAddress: Kind = {
  what: 'a web address',
  write: 'one with its scheme, such as http://localhost:3000/',
  guess: (value) => (isWebAddress(`http://${value}`) ? `http://${value}` : null),
  refuse(value) {
    if (isWebAddress(String(value))) return null;
    const guess = webAddress.guess?.(value) ?? null;
    return {
      wrong: `${show(value)} is not ${webAddress.what}`,
      remedy: `write ${guess === null ? webAddress.write : `it as ${guess}`}`,
    };
  },
};

/** It becomes a link: `javascript:` and the like are no addresses of a page. */
function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/\s/.test(text);
}

/** The kinds by the name that the schema uses. */
export const KINDS = {
  duration,
  days,
  boolean,
  text,
  folder,
  column,
  tableName,
  publishedName,
  region,
  segments,
  capacity,
  only,
  instanceId,
  tagValue,
  timeZone,
  port,
  host,
  logLevel,
  token,
  origins,
  hosts,
  webAddress,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
