import { closest } from '../base/closest.js';
import type { Kind } from '../options/kinds.js';
import { show } from '../options/mistakes.js';

export const port: Kind = {
  what: 'a port',
  write: 'a whole number from 0 (any free port) to 65535',
  refuse: (value) =>
    Number(value) <= 65_535 ? null : { wrong: `${show(value)} is not a port`, remedy: `write ${port.write}` },
};

export const host: Kind = {
  what: 'an address to listen on',
  write: '127.0.0.1 for this machine only, 0.0.0.0 for every network, or the name or address of one',
  guess(value) {
    const url = /^(?:\w+:\/\/)?([\w.-]+)(?::\d+)?\/?$/.exec(String(value).trim());
    return url?.[1] ?? null;
  },
};

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const logLevel: Kind = {
  what: 'a log level',
  write: `one of ${LOG_LEVELS.join(', ')}`,
  guess(value) {
    const word = String(value).trim().toLowerCase();
    if (word.startsWith('verb')) return 'debug';
    return LOG_LEVELS.find((level) => word.startsWith(level)) ?? closest(word, LOG_LEVELS) ?? null;
  },
};

export const ROLES = ['collect', 'follow', 'auto'] as const;

export const role: Kind = {
  what: 'a role',
  write: 'collect, follow or auto',
  guess: (value) => closest(String(value).trim().toLowerCase(), ROLES) ?? null,
};

export const PLUGINS = ['csv', 'infinity'] as const;

export const plugin: Kind = {
  what: 'a data source plugin of Grafana',
  write: 'csv or infinity',
  guess: (value) => closest(String(value).trim().toLowerCase(), PLUGINS) ?? null,
};

export const token: Kind = {
  what: 'a token that fits into a header',
  write: 'letters, digits and - . _ ~ + / = only, for example from: openssl rand -hex 32',
};

/** `a.example, b.example` → both. */
export function splitList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}

export const origins: Kind = {
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

export const hosts: Kind = {
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

export const webAddress: Kind = {
  what: 'a web address',
  write: 'one with its scheme, such as http://localhost:3000/',
  guess: (value) => (isWebAddress(`http://${value}`) ? `http://${value}` : null),
  refuse(value) {
    if (isWebAddress(String(value))) return null;
    const guess = isWebAddress(`http://${value}`) ? `http://${value}` : null;
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
