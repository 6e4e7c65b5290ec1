import { closest } from '../base/closest.js';
import type { Parameters } from '../datasets/queries.js';
import { badParameter } from './errors.js';
import { lastOf, shown, switchOf } from './parameters.js';

export const FORMATS = ['csv', 'json', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** How an answer is written. All but `format` is about CSV; the other formats take no notice of it. */
export interface OutputShape {
  readonly format: Format;
  /** An answer without rows gets one row without values. */
  readonly pad: boolean;
  /** What stands for an absent value in number, boolean and time columns; empty: nothing. */
  readonly nullText: string;
  readonly header: boolean;
  /** One character. */
  readonly delimiter: string;
}

const TAB_NAMES: readonly string[] = ['tab', '\\t'];

/** The shape that a request asks for; other parameters are not looked at. Throws `BAD_PARAMETER` (400). */
export function parseShape(parameters: Parameters): OutputShape {
  return {
    format: parseFormat(lastOf(parameters, 'format') ?? 'csv'),
    pad: switchOf('pad', lastOf(parameters, 'pad'), false),
    nullText: lastOf(parameters, 'null') ?? '',
    header: switchOf('header', lastOf(parameters, 'header'), true),
    delimiter: parseDelimiter(lastOf(parameters, 'delimiter') ?? ','),
  };
}

function parseFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  const close = closest(text, FORMATS);
  throw badParameter(
    `format: there is no format ${shown(text)}`,
    close === undefined ? `write one of ${FORMATS.join(', ')}` : `did you mean ${close}?`,
  );
}

function parseDelimiter(text: string): string {
  if (TAB_NAMES.includes(text)) return '\t';
  if (text.length === 1 && !/["\r\n]/.test(text)) return text;
  throw badParameter(
    `delimiter: ${shown(text)} is not one character that can stand between cells`,
    'write one character but a quote or a line end, or tab',
  );
}
