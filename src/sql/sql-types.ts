import type { Column } from '../csv/rows.js';

/** The types in which cells are stored. A column has one of them only where every cell can be printed as it was written. */
export type CellSqlType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMPTZ' | 'VARCHAR';

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

/** An expression of that type as the text of its cell, exactly as the dataset's CSV has it. */
export function printed(expression: string, type: CellSqlType): string {
  switch (type) {
    case 'VARCHAR':
      return expression;
    case 'DOUBLE':
      // DuckDB writes the shortest text that reads back as the same number, and `.0` behind a whole one.
      return `regexp_replace(CAST(${expression} AS VARCHAR), '\\.0$', '')`;
    case 'TIMESTAMPTZ':
      // The session's time zone is the fleet's; cells are in UTC.
      return `strftime(${expression} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')`;
    default:
      return `CAST(${expression} AS VARCHAR)`;
  }
}

/**
 * Whether a text comes back as it was written from that type; `text` is an SQL expression that is not NULL. A window
 * writes plain digits for a DOUBLE, so a number with an exponent does not come back.
 */
export function isKept(text: string, type: CellSqlType): string {
  return type === 'DOUBLE'
    ? `(${isPrinted(text, type)} AND NOT contains(${text}, 'e'))`
    : isPrinted(text, type);
}

/** Whether DuckDB prints that text for its value, with an exponent where it has one. */
export function isPrinted(text: string, type: CellSqlType): string {
  return `${printed(`TRY_CAST(${text} AS ${type})`, type)} IS NOT DISTINCT FROM ${text}`;
}

/** Whole numbers up to here are exact as DOUBLE. */
const EXACT_IN_DOUBLE = 2n ** 53n;

/** Whether a whole number, an SQL expression of any type, is the same as DOUBLE. */
export function isExactInDouble(expression: string): string {
  return `abs(TRY_CAST(${expression} AS HUGEINT)) <= ${EXACT_IN_DOUBLE}`;
}

/** A decimal's text without zeros at the end of its fraction: `40.720` → `40.72`, `2.0` → `2`. */
export function withoutLastZeros(text: string): string {
  return `CASE WHEN contains(${text}, '.') THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${text} END`;
}
