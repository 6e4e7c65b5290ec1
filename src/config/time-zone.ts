import { closest } from '../base/closest.js';
import type { Kind } from '../options/kinds.js';
import { show } from '../options/mistakes.js';

export const timeZone: Kind = {
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
  // The default. The first question to `Intl` takes as long as reading the configuration ten times.
  if (name === 'UTC') return name;
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
  const zone = closest(wanted, zones);
  if (zone !== undefined) return zone;
  const city = closest(wanted.split('/').at(-1) ?? wanted, [...cities.keys()]);
  return city === undefined ? null : (cities.get(city) ?? null);
}
