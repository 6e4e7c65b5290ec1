import { doubleSql } from './aggregates-sql.js';
import { cellKind, cellText, instantSql } from './cell-sql.js';
import type { SqlColumn } from './sql-table.js';
import { literal } from './sql-text.js';

/** How a column's cells are read into memory; each way is an expression of type DOUBLE that is never NULL. */

const NAN = `CAST('nan' AS DOUBLE)`;

/** SQL of a cell as a finite number; NaN where it is none. */
export function heldNumberSql(column: SqlColumn): string {
  return `coalesce(${doubleSql(column)}, ${NAN})`;
}

/** SQL of a time cell in milliseconds since the epoch; NaN where it is absent, -1 for an infinite one. */
export function heldTimeSql({ column, type, expression }: SqlColumn): string {
  const instant = instantSql(cellKind(column, type), expression);
  const milliseconds = `CASE WHEN isfinite(${instant}) THEN CAST(epoch_ms(${instant}) AS DOUBLE) ELSE -1 END`;
  return `CASE WHEN ${instant} IS NULL THEN ${NAN} ELSE ${milliseconds} END`;
}

/** SQL of a cell's text as CSV has it, NULL where it is absent. */
export function heldText({ column, type, expression }: SqlColumn): string {
  return cellText(cellKind(column, type), expression);
}

/** SQL of the place of a cell among these texts, which are all that there are; -1 where it is absent. */
export function heldCodeSql(column: SqlColumn, texts: readonly string[]): string {
  if (texts.length === 0) return 'CAST(-1 AS DOUBLE)';
  const code = `enum_code(CAST(${heldText(column)} AS ENUM (${texts.map(literal).join(', ')})))`;
  return `coalesce(CAST(${code} AS DOUBLE), CAST(-1 AS DOUBLE))`;
}
