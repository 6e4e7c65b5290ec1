import type { Window } from '../window.js';
import { cellKind, instantSql } from './cell-sql.js';
import { filterSql, timeSql } from './filter-sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import type { Bindings } from './statement.js';

/** Rows on their way through a statement: a SELECT, and how the columns are called in it. */
export interface Rows {
  readonly sql: string;
  readonly columns: ReadonlyMap<string, SqlColumn>;
}

/** Where a row stood among the others; ties are ordered by it, because DuckDB's sort leaves equal rows in any order. */
export const POSITION = 'position';

/** A column of a table that a checked window names. */
export function columnNamed(columns: Iterable<SqlColumn>, name: string): SqlColumn {
  for (const column of columns) if (column.column.name === name) return column;
  throw new TypeError(`there is no column ${JSON.stringify(name)} in SQL`);
}

/** What follows SELECT's list: FROM and WHERE, for the window's time and filters, and one more condition. */
export function chosenSql(
  window: Window,
  table: SqlTable,
  bindings: Bindings,
  condition: string | null = null,
): string {
  const { dataset, time, filters } = window;
  const conditions = filters.map((filter) =>
    filterSql(filter, columnNamed(table.columns, filter.column), bindings),
  );
  if (time !== null && dataset.timeColumn !== null) {
    conditions.unshift(...timeSql(time, columnNamed(table.columns, dataset.timeColumn), bindings));
  }
  if (condition !== null) conditions.push(condition);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `FROM ${table.from}${where}`;
}

/** The window's rows with the columns that are needed, each with its position. */
export function positionedRows(
  window: Window,
  table: SqlTable,
  needed: ReadonlySet<string>,
  bindings: Bindings,
  condition: string | null = null,
): Rows {
  const columns = new Map<string, SqlColumn>();
  const list = [...needed].map((name, index) => {
    const column = columnNamed(table.columns, name);
    columns.set(name, { ...column, expression: `c${index}` });
    return `${column.expression} AS c${index}`;
  });
  list.push(`row_number() OVER () AS ${POSITION}`);
  return { sql: `SELECT ${list.join(', ')} ${chosenSql(window, table, bindings, condition)}`, columns };
}

/** SQL of the instant (TIMESTAMPTZ) at which a row is. */
export function timeOf(rows: Rows, timeColumn: string): string {
  const { column, type, expression } = columnNamed(rows.columns.values(), timeColumn);
  return instantSql(cellKind(column, type), expression);
}
