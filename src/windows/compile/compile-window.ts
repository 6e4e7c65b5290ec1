import { distinctNames } from '../../csv/columns.js';
import type { Column } from '../../csv/rows.js';
import { namedValues } from '../pivot-names.js';
import type { SortKey, Window } from '../window.js';
import { cellKind, sortKeySql } from './cell-sql.js';
import { everySql, seriesColumns } from './every-sql.js';
import { pivotSql } from './pivot-sql.js';
import { chosenSql, columnNamed, POSITION, positionedRows, type Rows, timeOf } from './rows-sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { identifier } from './sql-text.js';
import { Bindings, type Statement } from './statement.js';
import { topRows } from './top-sql.js';

/** A SELECT whose columns have DuckDB's types, and names that differ. */
export interface Select extends Statement {
  /** Names and CSV types, in the SELECT's order; names as the answer has them. */
  readonly columns: readonly Column[];
  /** DuckDB's type of each column. */
  readonly types: readonly string[];
}

/**
 * The SELECT of a window's rows: time and filters, then `every`, `pivot`, `sort`, `offset` and `limit`, `columns`.
 * Without `sort` rows come as they stand in the table, with `every` and `pivot` in the order of time.
 * `pivotValues`: what `compilePivotValues` found; needed only where it gives a statement.
 * Throws `BAD_PARAMETER` for a pivot into too many columns.
 */
export function compileWindow(window: Window, table: SqlTable, pivotValues: readonly string[] = []): Select {
  const bindings = new Bindings();
  if (window.pivot !== null) {
    const rows = pivotSql(window, table, namedValues(window) ?? pivotValues, bindings);
    const shown = window.columns ?? [...rows.columns.keys()];
    return finish(window, rows, shown, orderOf(rows, window), bindings);
  }
  const shown = window.columns ?? table.columns.map(({ column }) => column.name);
  if (window.every === null && window.sort.length === 0) {
    const columns = shown.map((name) => columnNamed(table.columns, name));
    const sql = `${selectList(columns)} ${chosenSql(window, table, bindings)}${pageSql(window, bindings)}`;
    return select(sql, columns, bindings);
  }
  const needed = new Set([...shown, ...window.sort.map(({ column }) => column), ...neededForEvery(window)]);
  const rows =
    window.every === null && window.limit !== null && window.limit > 0
      ? topRows(window, table, needed, bindings)
      : everySql(positionedRows(window, table, needed, bindings), window, bindings);
  return finish(window, rows, shown, [...orderOf(rows, window), POSITION], bindings);
}

function neededForEvery(window: Window): string[] {
  const { every, dataset } = window;
  return every === null || dataset.timeColumn === null ? [] : [dataset.timeColumn, ...seriesColumns(window)];
}

/** What follows ORDER BY; absent values come last either way. */
function orderOf(rows: Rows, window: Window): string[] {
  const { sort, every, pivot, dataset } = window;
  // A pivot's column that no row has today has nothing to sort by.
  const keys = sort.filter(({ column }) => rows.columns.has(column)).map((key) => sortSql(rows, key));
  const inTime = (every !== null || pivot !== null) && dataset.timeColumn !== null;
  return inTime ? [...keys, timeOf(rows, dataset.timeColumn!)] : keys;
}

function sortSql(rows: Rows, { column: name, descending }: SortKey): string {
  const { column, type, expression } = rows.columns.get(name)!;
  const key = sortKeySql(cellKind(column, type), expression);
  return `${key} ${descending ? 'DESC' : 'ASC'} NULLS LAST`;
}

function finish(
  window: Window,
  rows: Rows,
  shown: readonly string[],
  order: readonly string[],
  bindings: Bindings,
): Select {
  const columns = shown.map((name) => columnNamed(rows.columns.values(), name));
  const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  // Ordered within: beside the answer's names ORDER BY would mistake a column called c1 for ours.
  const ordered = `SELECT * FROM (${rows.sql})${orderBy}${pageSql(window, bindings)}`;
  const sql = `${selectList(columns)} FROM (${ordered})`;
  return select(sql, columns, bindings);
}

function selectList(columns: readonly SqlColumn[]): string {
  const names = distinctNames(columns.map(({ column }) => column.name));
  const list = columns.map(({ expression }, i) => `${expression} AS ${identifier(names[i]!)}`);
  return `SELECT ${list.join(', ')}`;
}

function pageSql({ limit, offset }: Window, bindings: Bindings): string {
  const parts = [];
  if (limit !== null) parts.push(` LIMIT ${bindings.add(String(limit), 'BIGINT')}`);
  if (offset > 0) parts.push(` OFFSET ${bindings.add(String(offset), 'BIGINT')}`);
  return parts.join('');
}

function select(sql: string, columns: readonly SqlColumn[], bindings: Bindings): Select {
  return {
    sql,
    values: bindings.values,
    columns: columns.map(({ column }) => column),
    types: columns.map(({ type }) => type),
  };
}
