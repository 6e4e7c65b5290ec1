import type { Language } from './words/words.js';

/** Decoded name and value pairs of a query string, in order: a window of a dataset, as the service accepts it. */
export type Parameters = readonly (readonly [name: string, value: string])[];

export type MapOf = 'destinations' | 'boardings';

/** What a plot draws: the column with the values, and the one that names the lines. */
export interface PlotChoice {
  readonly value: string;
  /** Null: one line. */
  readonly series: string | null;
}

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'fleet'; readonly map: MapOf }
  | {
      readonly page: 'dataset';
      readonly name: string;
      /** Null: the page chooses. */
      readonly plot: PlotChoice | null;
      readonly parameters: Parameters;
    }
  | { readonly page: 'sql'; readonly text: string };

/** The whole state of the page. It is in the URL's fragment, so that any static file server can serve the page. */
export interface Address {
  /** Null: the browser's preferred language. */
  readonly language: Language | null;
  readonly route: Route;
}

/**
 * `#/ko/datasets/<name>?last=10m&sort=-count`: the part after `?` of a dataset's page is exactly the query string of its
 * CSV. A chosen plot adds two path segments.
 */
export function formatAddress({ language, route }: Address): string {
  const steps: string[] = language === null ? [] : [language];
  let query: Parameters = [];
  if (route.page === 'fleet') {
    steps.push('fleet');
    if (route.map !== 'destinations') query = [['map', route.map]];
  } else if (route.page === 'dataset') {
    steps.push('datasets', route.name);
    if (route.plot !== null) steps.push('plot', route.plot.value);
    if (route.plot !== null && route.plot.series !== null) steps.push(route.plot.series);
    query = route.parameters;
  } else if (route.page === 'sql') {
    steps.push('sql');
    if (route.text !== '') query = [['sql', route.text]];
  }
  return `#/${steps.map(encodeURIComponent).join('/')}${formatQuery(query)}`;
}

export function parseAddress(hash: string): Address {
  const [path, query] = splitOnce(hash.replace(/^#?\/?/, ''), '?');
  const steps = path.split('/').map(decode);
  const language = steps[0] === 'en' || steps[0] === 'ko' ? steps.shift()! : null;
  return { language: language as Language | null, route: parseRoute(steps, parseQuery(query)) };
}

function parseRoute([page, name, word, value, series]: string[], parameters: Parameters): Route {
  if (page === 'fleet')
    return { page, map: parameterOf(parameters, 'map') === 'boardings' ? 'boardings' : 'destinations' };
  if (page === 'sql') return { page, text: parameterOf(parameters, 'sql') ?? '' };
  if (page === 'datasets' && name) {
    const plot = word === 'plot' && value ? { value, series: series || null } : null;
    return { page: 'dataset', name, plot, parameters };
  }
  return { page: 'overview' };
}

/** The value of a parameter; the last one if it is repeated, as in the service. */
export function parameterOf(parameters: Parameters, name: string): string | null {
  return parameters.findLast((parameter) => parameter[0] === name)?.[1] ?? null;
}

/** Sets or replaces one parameter, keeping its place, or removes it (null). */
export function withParameter(parameters: Parameters, name: string, value: string | null): Parameters {
  const others = parameters.filter((parameter) => parameter[0] !== name);
  if (value === null) return others;
  const place = parameters.findIndex((parameter) => parameter[0] === name);
  return others.toSpliced(place === -1 ? others.length : place, 0, [name, value]);
}

/** The query string with its `?`, or empty. Readable: characters that need no encoding are not encoded. */
export function formatQuery(parameters: Parameters): string {
  if (parameters.length === 0) return '';
  return `?${parameters.map((pair) => pair.map(encodeReadably).join('=')).join('&')}`;
}

export function parseQuery(query: string): Parameters {
  return [...new URLSearchParams(query)];
}

/** Also encodes quotes, so that the whole is safe in quotes in a shell. */
function encodeReadably(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("'", '%27')
    .replace(/%(2C|3A|2F|40)/g, decodeURIComponent);
}

/** The items of a list in a parameter, as the service parses it: an item with a comma is in double quotes. */
export function parseList(text: string): string[] {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (inner === '') return [];
  const items = `,${inner}`.matchAll(/,(?:"((?:[^"]|"")*)"(?=,|$)|([^,]*))/g);
  return Array.from(items, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

export function formatList(items: readonly string[]): string {
  const written = items.map((item) => (/[",{}]/.test(item) ? `"${item.replaceAll('"', '""')}"` : item));
  return written.join(',');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
