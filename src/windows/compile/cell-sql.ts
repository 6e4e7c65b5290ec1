import { NUMBER_PATTERN } from '../../csv/fits.js';
import type { Column } from '../../csv/rows.js';
import { decimalKeySql } from './decimal.js';

/**
 * How the values of a column stand in SQL, as far as it makes a difference: `decimal-text`, `boolean-text` and `time-text`
 * are numbers, booleans and times that stand as text, because no type of DuckDB's gives their text back or because some
 * of them are none; `json` is lists, structs and maps.
 */
export type CellKind =
  | 'integer'
  | 'decimal'
  | 'double'
  | 'float'
  | 'decimal-text'
  | 'boolean'
  | 'boolean-text'
  | 'instant'
  | 'timestamp'
  | 'date'
  | 'time-text'
  | 'text'
  | 'json'
  | 'other';

const TEXT_KINDS = {
  number: 'decimal-text',
  boolean: 'boolean-text',
  time: 'time-text',
  string: 'text',
} as const satisfies Record<Column['type'], CellKind>;

const INTEGER = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/;
const JSON_TYPE = /\]$|^(STRUCT|MAP|UNION)\b/;

/** `type` is DuckDB's, as DESCRIBE, `typeof` or its API's `toString` write it. */
export function cellKind({ type: csvType }: Column, type: string): CellKind {
  if (JSON_TYPE.test(type)) return 'json';
  if (INTEGER.test(type)) return 'integer';
  if (type.startsWith('DECIMAL')) return 'decimal';
  if (type.startsWith('TIMESTAMP')) return /TZ$|WITH TIME ZONE$/.test(type) ? 'instant' : 'timestamp';
  switch (type) {
    case 'DOUBLE':
      return 'double';
    case 'FLOAT':
      return 'float';
    case 'BOOLEAN':
      return 'boolean';
    case 'DATE':
      return 'date';
    case 'VARCHAR':
      return TEXT_KINDS[csvType];
    default:
      return csvType === 'number' ? 'decimal-text' : 'other';
  }
}

/** Whether the cells stand as text, which may be any. */
export function isTextKind(kind: CellKind): boolean {
  return kind === 'text' || kind.endsWith('-text');
}

/** SQL of a cell that stands as text and has a value of its column's type; NULL for any other text. */
export function fittingSql(kind: CellKind, expression: string): string {
  if (kind === 'decimal-text') {
    // A view may have a number of a type that is not text, such as UHUGEINT.
    const text = `CAST(${expression} AS VARCHAR)`;
    return `CASE WHEN regexp_full_match(${text}, '${NUMBER_PATTERN}') THEN ${text} END`;
  }
  if (kind === 'boolean-text') return `CASE WHEN ${expression} IN ('true', 'false') THEN ${expression} END`;
  return expression;
}

/** SQL of a cell's text as CSV has it, NULL where it is absent. */
export function cellText(kind: CellKind, expression: string): string {
  switch (kind) {
    case 'text':
    case 'boolean-text':
    case 'time-text':
      return expression;
    case 'double':
      return doubleText(expression);
    case 'float':
      return `CASE WHEN isfinite(${expression}) THEN ${plainDigitsSql(`CAST(${expression} AS VARCHAR)`)} END`;
    case 'instant':
      return isoSql(`make_timestamp(epoch_us(${expression}))`);
    case 'timestamp':
      return isoSql(`make_timestamp(epoch_us(CAST(${expression} AS TIMESTAMP)))`);
    case 'json':
      return `CAST(to_json(${expression}) AS VARCHAR)`;
    default:
      return `CAST(${expression} AS VARCHAR)`;
  }
}

/** SQL of the instant (TIMESTAMPTZ) that a time cell means; without a zone it is UTC. NULL where it means none. */
export function instantSql(kind: CellKind, expression: string): string {
  switch (kind) {
    case 'instant':
      return expression;
    case 'timestamp':
    case 'date':
      return `make_timestamptz(epoch_us(CAST(${expression} AS TIMESTAMP)))`;
    default:
      return `CASE WHEN regexp_matches(${expression}, ':[0-9.]*(Z|[+-][0-9:]*)$')
        THEN TRY_CAST(${expression} AS TIMESTAMPTZ)
        ELSE make_timestamptz(epoch_us(TRY_CAST(${expression} AS TIMESTAMP))) END`;
  }
}

/** SQL of what a column is sorted by; NULL where the cell is absent. */
export function sortKeySql(kind: CellKind, expression: string): string {
  switch (kind) {
    case 'double':
    case 'float':
      return `CASE WHEN isfinite(${expression}) THEN ${expression} END`;
    case 'decimal-text':
      return decimalKeySql(fittingSql(kind, expression));
    case 'boolean-text':
      return fittingSql(kind, expression);
    case 'json':
    case 'other':
      return cellText(kind, expression);
    case 'time-text':
      return instantSql(kind, expression);
    default:
      return expression;
  }
}

/** SQL of whether a cell has no value of its column's type. NaN and infinities are none. */
export function isAbsentSql(kind: CellKind, expression: string): string {
  const mayBeInfinite = kind === 'double' || kind === 'float' || kind === 'instant' || kind === 'timestamp';
  return mayBeInfinite ? `isfinite(${expression}) IS NOT TRUE` : `${fittingSql(kind, expression)} IS NULL`;
}

function isoSql(timestamp: string): string {
  return `strftime(${timestamp}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
}

/** Nearly every DOUBLE takes one of the first two ways, which cost a fraction of the last. */
function doubleText(expression: string): string {
  return `CASE
    WHEN ${expression} = trunc(${expression}) AND abs(${expression}) < 1e15 AND ${expression} <> 0
      THEN CAST(CAST(${expression} AS BIGINT) AS VARCHAR)
    WHEN abs(${expression}) >= 1e-4 AND abs(${expression}) < 1e15 THEN CAST(${expression} AS VARCHAR)
    WHEN isfinite(${expression}) THEN ${plainDigitsSql(`CAST(${expression} AS VARCHAR)`)}
  END`;
}

/**
 * DuckDB writes `1.0`, `0.5`, `1e+20` or `1.5e-07`; this makes `1`, `0.5`, and plain digits of the others. Few functions, as
 * each takes DuckDB time to plan, for every such column of every question. With an exponent above zero it is 16 at least,
 * so that behind the 17 digits at most there is no point.
 */
function plainDigitsSql(text: string): string {
  const exponent = `CAST(split_part(${text}, 'e', 2) AS INTEGER)`;
  const fraction = `split_part(split_part(${text}, 'e', 1), '.', 2)`;
  return `CASE
    WHEN suffix(${text}, '.0') THEN left(${text}, length(${text}) - 2)
    WHEN NOT contains(${text}, 'e') THEN ${text}
    ELSE regexp_replace(${text}, '^(-?)([0-9])[.]?([0-9]*)e.*$',
      CASE WHEN contains(${text}, 'e-') THEN '\\10.' || repeat('0', -1 - ${exponent}) || '\\2\\3'
        ELSE '\\1\\2\\3' || repeat('0', ${exponent} - length(${fraction})) END)
  END`;
}
