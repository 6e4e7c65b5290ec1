import { checkPivotSize, MAX_PIVOT_COLUMNS, namesOfValues } from '../pivot-names.js';
import type { Window } from '../window.js';
import { cellKind, cellText, sortKeySql } from './cell-sql.js';
import { everySql, seriesColumns, stepSql } from './every-sql.js';
import { POSITION, positionedRows, type Rows, timeOf } from './rows-sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { Bindings, type Statement } from './statement.js';

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
  const { timeColumn } = window.dataset;
  const timed = timeColumn === null ? '' : ` WHERE ${timeOf(rows, timeColumn)} IS NOT NULL`;
  const sql = `SELECT value FROM (
      SELECT ${cellText(kind, expression)} AS value, ${sortKeySql(kind, expression)} AS key
      FROM (SELECT DISTINCT ${expression} FROM (${rows.sql})${timed})
    ) WHERE value IS NOT NULL GROUP BY value, key ORDER BY key, value LIMIT ${MAX_PIVOT_COLUMNS + 1}`;
  return { sql, values: bindings.values };
}

/**
 * One row per time (with `every` per step; without a time column one in all), one column per value.
 * Throws `BAD_PARAMETER` for too many values.
 */
export function pivotSql(
  window: Window,
  table: SqlTable,
  values: readonly string[],
  bindings: Bindings,
): Rows {
  const { dataset } = window;
  const { value } = window.pivot!;
  checkPivotSize(window, values.length);
  const rows = everySql(positionedRows(window, table, neededForPivot(window), bindings), window, bindings);
  const filled = rows.columns.get(value)!;
  const columns = new Map<string, SqlColumn>();
  if (dataset.timeColumn !== null) {
    columns.set(dataset.timeColumn, { ...rows.columns.get(dataset.timeColumn)!, expression: 'time' });
  }
  for (const [index, name] of namesOfValues(values, dataset.timeColumn).entries()) {
    const column = { name, type: 'number', seen: true } as const;
    const expression = `contents[list_position(indexes, ${index})]`;
    columns.set(name, { column, expression, type: filled.type });
  }
  if (columns.size > 0) return { sql: groupedSql(window, rows, values, bindings), columns };
  // Without a time, and without a value to name a column by, only the header of what was asked for is left.
  columns.set(value, filled);
  return { sql: `SELECT * FROM (${rows.sql}) WHERE false`, columns };
}

/**
 * The rows of the answer, each with its time, the indexes of the values that it has, and what they have. An aggregate for
 * each value would do the same at a hundred times the cost where there are hundreds of values.
 */
function groupedSql(window: Window, rows: Rows, values: readonly string[], bindings: Bindings): string {
  const { dataset, every } = window;
  const { by, value } = window.pivot!;
  const byColumn = rows.columns.get(by)!;
  const byText = cellText(cellKind(byColumn.column, byColumn.type), byColumn.expression);
  const last = `arg_max_null(${rows.columns.get(value)!.expression}, ${POSITION}) AS content`;
  const items = values.map((item) => bindings.add(item)).join(', ');
  const indexed = `SELECT unnest(CAST([${items}] AS VARCHAR[])) AS value, unnest(range(${values.length})) AS index`;
  const lists = 'list(index) AS indexes, list(content) AS contents';
  const joined = (cells: string) => `FROM (${cells}) JOIN (${indexed}) USING (value)`;
  if (dataset.timeColumn === null) {
    return `SELECT ${lists} ${joined(`SELECT ${byText} AS value, ${last} FROM (${rows.sql}) GROUP BY ALL`)}`;
  }
  const at = timeOf(rows, dataset.timeColumn);
  const time = rows.columns.get(dataset.timeColumn)!.expression;
  const step = every === null ? at : stepSql(every, at, bindings);
  // Of equal times, which may be written in two ways, the one that stood last.
  const moment = `{'at': ${at}, 'position': ${POSITION}}`;
  const cells = `SELECT ${step} AS step, ${byText} AS value, max(${moment}) AS moment, arg_max(${time}, ${moment}) AS time, ${last}
    FROM (${rows.sql}) WHERE ${at} IS NOT NULL GROUP BY ALL`;
  return `SELECT arg_max(time, moment) AS time, ${lists} ${joined(cells)} GROUP BY step`;
}

function neededForPivot(window: Window): Set<string> {
  const { dataset, every } = window;
  const pivot = window.pivot!;
  const time = dataset.timeColumn === null ? [] : [dataset.timeColumn];
  const series = every === null ? [] : seriesColumns(window);
  return new Set([pivot.by, pivot.value, ...time, ...series]);
}
