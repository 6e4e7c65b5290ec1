import { NUMBER_PATTERN } from '../csv/fits.js';
import type { Column } from '../csv/rows.js';
import type { FileType } from '../history/file-schema.js';

/** The types in which cells are stored: the same in memory as in sealed days. */
export type CellSqlType = FileType;

/** Types to try for a column, narrowest first. VARCHAR always fits and is not listed. */
export function candidateTypes({ type, seen }: Column): readonly CellSqlType[] {
  if (!seen) return [];
  switch (type) {
    case 'number':
      return ['BIGINT', 'DOUBLE'];
    case 'boolean':
      return ['BOOLEAN'];
    case 'time':
      return ['TIMESTAMPTZ'];
    default:
      return [];
  }
}

/** SQL that prints an expression of that type exactly as its cell in the dataset's CSV. */
export function printed(expression: string, type: CellSqlType): string {
  switch (type) {
    case 'VARCHAR':
      return expression;
    case 'DOUBLE':
      // DuckDB writes the shortest text that reads back as the same number, and `.0` after a whole one.
      return `regexp_replace(CAST(${expression} AS VARCHAR), '\\.0$', '')`;
    case 'TIMESTAMPTZ':
      // The session has the configured time zone; cells are in UTC.
      return `strftime(${expression} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`;
    default:
      return `CAST(${expression} AS VARCHAR)`;
  }
}

/**
 * SQL of whether a text is printed as written after a cast to that type; `text` is an SQL expression that is not NULL. A
 * window prints plain digits for a DOUBLE, so a number with an exponent is not.
 */
export function isKept(text: string, type: CellSqlType): string {
  return type === 'DOUBLE'
    ? `(${isPrinted(text, type)} AND NOT contains(${text}, 'e'))`
    : isPrinted(text, type);
}

/** SQL of whether DuckDB itself prints that text for its value, exponents included. The text `nan` or `inf` is not a number. */
export function isPrinted(text: string, type: CellSqlType): string {
  const same = `${printed(`TRY_CAST(${text} AS ${type})`, type)} IS NOT DISTINCT FROM ${text}`;
  return type === 'DOUBLE' ? `(${same} AND NOT contains(${text}, 'n'))` : same;
}

/** Whole numbers up to here are exact as DOUBLE. */
const EXACT_IN_DOUBLE = 2n ** 53n;

/** SQL of whether a whole number, an expression of any type, is the same as DOUBLE. */
export function isExactInDouble(expression: string): string {
  return `abs(TRY_CAST(${expression} AS HUGEINT)) <= ${EXACT_IN_DOUBLE}`;
}

/** Converts an expression from one type to another; `from` null: there is no such column. */
export function convert(expression: string, from: CellSqlType | null, to: CellSqlType): string {
  if (from === null) return `CAST(NULL AS ${to})`;
  if (from === to) return expression;
  if (to === 'VARCHAR') return printed(expression, from);
  return from === 'VARCHAR' ? fromText(expression, to) : `CAST(${expression} AS ${to})`;
}

/** SQL of text as a value of a type; NULL for text that is none. A number may have another form than DuckDB's own. */
export function fromText(text: string, type: CellSqlType): string {
  if (type === 'BIGINT' || type === 'DOUBLE')
    return `CASE WHEN ${isNumberSql(text)} THEN TRY_CAST(${text} AS ${type}) END`;
  if (type === 'BOOLEAN') return `CASE WHEN ${text} IN ('true', 'false') THEN CAST(${text} AS BOOLEAN) END`;
  return `TRY_CAST(${text} AS ${type})`;
}

/** SQL of whether text that is not NULL is a number. */
export function isNumberSql(text: string): string {
  return `regexp_full_match(${text}, '${NUMBER_PATTERN}')`;
}

/** SQL of a decimal's text without trailing zeros in its fraction: `40.720` → `40.72`, `2.0` → `2`. */
export function withoutLastZeros(text: string): string {
  return `CASE WHEN contains(${text}, '.') THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${text} END`;
}
