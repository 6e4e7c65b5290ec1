import type { Window } from '../window.js';
import { cellKind, sortKeySql } from './cell-sql.js';
import { chosenSql, columnNamed, positionedRows, type Rows } from './rows-sql.js';
import type { SqlTable } from './sql-table.js';
import type { Bindings } from './statement.js';

/** No dataset is called so: their names have no spaces. */
const LAST = '"last in front"';

/**
 * The rows that can be among the first ones of a sorted window: those that are not behind the one that stands last in
 * it. DuckDB finds that one quickly, and skips the blocks of rows behind it; numbering all rows of a year, which the
 * order of equal ones needs, takes a hundred times as long. Where fewer rows have a value to sort by, it is all rows.
 * The window has a sort and a limit above 0.
 */
export function topRows(
  window: Window,
  table: SqlTable,
  needed: ReadonlySet<string>,
  bindings: Bindings,
): Rows {
  const { column: name, descending } = window.sort[0]!;
  const { column, type, expression } = columnNamed(table.columns, name);
  const key = sortKeySql(cellKind(column, type), expression);
  const direction = descending ? 'DESC' : 'ASC';
  const before = bindings.add(String(window.offset + window.limit! - 1), 'BIGINT');
  const last = `SELECT ${key} AS key ${chosenSql(window, table, bindings)}
    ORDER BY key ${direction} NULLS LAST LIMIT 1 OFFSET ${before}`;
  const inFront = `${key} ${descending ? '>=' : '<='} (SELECT key FROM ${LAST})`;
  const some = positionedRows(window, table, needed, bindings, inFront);
  const all = positionedRows(window, table, needed, bindings, `(SELECT key FROM ${LAST}) IS NULL`);
  return {
    sql: `WITH ${LAST} AS MATERIALIZED (${last}) ${some.sql} UNION ALL ${all.sql}`,
    columns: some.columns,
  };
}
