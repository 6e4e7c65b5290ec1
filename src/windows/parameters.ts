import type { Parameters } from '../datasets/queries.js';
import { badParameter } from './errors.js';

/** Parameters that say which rows and columns are wanted. */
export const WINDOW_PARAMETERS = [
  'last',
  'from',
  'to',
  'columns',
  'sort',
  'limit',
  'offset',
  'every',
  'agg',
  'by',
  'fill',
  'pivot',
] as const;

/** Parameters that say how the answer is written. */
export const SHAPE_PARAMETERS = ['pad', 'null', 'header', 'delimiter', 'format'] as const;

/** Parameters about spreadsheets, which are applied to an answer after it was computed (`http/answers/spreadsheet.ts`). */
export const SPREADSHEET_PARAMETERS = ['bom', 'quote', 'safe'] as const;

/** Parameters that a dataset in memory is shaped by, without SQL (`src/csv/shape.ts`). */
const PLAIN_PARAMETERS: readonly string[] = ['pad', 'null'];

/** Begins the parameter of a column that is called like a parameter: `where.limit=5`. */
export const WHERE = 'where.';

/** True when nothing is asked but the whole dataset as CSV, with `pad` and `null` at most. */
export function isPlain(parameters: Parameters): boolean {
  return parameters.every(([name]) => PLAIN_PARAMETERS.includes(name));
}

/** The value of a parameter; of the last one where it was given several times, as Grafana's plugin does it. */
export function lastOf(parameters: Parameters, name: string): string | undefined {
  return parameters.findLast(([given]) => given === name)?.[1];
}

/**
 * The items of a list: `a,b`, or `{a,b}` as Grafana writes several values. An item in double quotes may hold commas,
 * and quotes as `""`. Nothing, and `{}`, is no item.
 */
export function listOf(text: string): string[] {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (inner === '') return [];
  const items = `,${inner}`.matchAll(/,(?:"((?:[^"]|"")*)"(?=,|$)|([^,]*))/g);
  return Array.from(items, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

/** `1` or `true`, `0` or `false`; undefined is `otherwise`. */
export function switchOf(name: string, text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise;
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw badParameter(`${name}: ${shown(text)} is neither on nor off`, `write ${name}=1 or ${name}=0`);
}

/** A text as an error shows it: in quotes, cut where it gets long. */
export function shown(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 79)}…`);
}

/** A name as an error shows it: as it is, in quotes where it would be misread. */
export function named(name: string): string {
  return /^[\w.-]{1,80}$/.test(name) ? name : shown(name);
}
