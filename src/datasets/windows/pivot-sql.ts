import { badParameter } from '../../base/errors.js';
import { cellKind, cellText, sortKeySql } from './cell-sql.js';
import { everySql, seriesColumns, stepSql } from './every-sql.js';
import { named } from './parameters.js';
import { POSITION, positionedRows, type Rows, timeOf } from './rows-sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { Bindings, type Statement } from './statement.js';
import type { Window } from './window.js';

/** Columns that a pivot may have: more than the city has taxi zones, and few enough for a table or a graph to show. */
export const MAX_PIVOT_COLUMNS = 500;

/**
 * A SELECT of the values that become columns, in their order, as text in one column; null where the window names its
 * columns itself, so that they are there whether or not a row has them today.
 */
export function compilePivotValues(window: Window, table: SqlTable): Statement | null {
  const { pivot, columns } = window;
  if (pivot === null || columns !== null) return null;
  const bindings = new Bindings();
  const all = positionedRows(window, table, neededForPivot(window), bindings);
  // The last row of each series leaves out none of the values that tell series apart.
  const rows = seriesColumns(window).includes(pivot.by) ? all : everySql(all, window, bindings);
  const { column, type, expression } = rows.columns.get(pivot.by)!;
  const kind = cellKind(column, type);
  const sql = `SELECT value FROM (
      SELECT ${cellText(kind, expression)} AS value, ${sortKeySql(kind, expression)} AS key
      FROM (SELECT DISTINCT ${expression} FROM (${rows.sql})${onlyTimed(rows, window)})
    ) WHERE value IS NOT NULL GROUP BY value, key ORDER BY key, value LIMIT ${MAX_PIVOT_COLUMNS + 1}`;
  return { sql, values: bindings.values };
}

/** One row per time (with `every` per step; without a time column one in all), one column per value. */
export function pivotSql(
  window: Window,
  table: SqlTable,
  values: readonly string[],
  bindings: Bindings,
): Rows {
  const { dataset, every } = window;
  const pivot = window.pivot!;
  if (values.length > MAX_PIVOT_COLUMNS) {
    throw badParameter(
      `pivot: ${named(pivot.by)} has more than ${MAX_PIVOT_COLUMNS} values`,
      'keep fewer by a filter, or name those that are wanted in columns',
    );
  }
  const rows = everySql(positionedRows(window, table, neededForPivot(window), bindings), window, bindings);
  const by = rows.columns.get(pivot.by)!;
  const value = rows.columns.get(pivot.value)!;
  const text = cellText(cellKind(by.column, by.type), by.expression);
  const columns = new Map<string, SqlColumn>();
  const list: string[] = [];
  const source = `(SELECT *, ${text} AS value FROM (${rows.sql}))`;
  let groups = '';
  if (dataset.timeColumn !== null) {
    const time = timeOf(rows, dataset.timeColumn);
    const column = rows.columns.get(dataset.timeColumn)!;
    list.push(`arg_max(${column.expression}, ${time}) AS time`);
    columns.set(dataset.timeColumn, { ...column, expression: 'time' });
    groups = ` GROUP BY ${every === null ? time : stepSql(every, time, bindings)}`;
  }
  for (const [index, item] of values.entries()) {
    const isItem = `FILTER (WHERE value = ${bindings.add(item)})`;
    list.push(`arg_max_null(${value.expression}, ${POSITION}) ${isItem} AS v${index}`);
    const name = columns.has(item) ? nameBeside(item, [...columns.keys(), ...values]) : item;
    const column = { name, type: 'number', seen: true } as const;
    columns.set(name, { column, expression: `v${index}`, type: value.type });
  }
  if (list.length === 0) {
    // Without a time, and without a value to name a column by, only the header of what was asked for is left.
    columns.set(pivot.value, { ...value, expression: 'v' });
    return { sql: `SELECT ${value.expression} AS v FROM (${rows.sql}) WHERE false`, columns };
  }
  return {
    sql: `SELECT ${list.join(', ')} FROM ${source} WHERE value IS NOT NULL${timed(rows, window, ' AND ')}${groups}`,
    columns,
  };
}

function neededForPivot(window: Window): Set<string> {
  const { dataset, every } = window;
  const pivot = window.pivot!;
  const time = dataset.timeColumn === null ? [] : [dataset.timeColumn];
  const series = every === null ? [] : seriesColumns(window);
  return new Set([pivot.by, pivot.value, ...time, ...series]);
}

function onlyTimed(rows: Rows, window: Window): string {
  return timed(rows, window, ' WHERE ');
}

function timed(rows: Rows, { dataset }: Window, before: string): string {
  return dataset.timeColumn === null ? '' : `${before}${timeOf(rows, dataset.timeColumn)} IS NOT NULL`;
}

/** `timestamp_2` for a value that is called like the time column. */
function nameBeside(name: string, taken: readonly string[]): string {
  let n = 2;
  while (taken.includes(`${name}_${n}`)) n++;
  return `${name}_${n}`;
}
