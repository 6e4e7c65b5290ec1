import {
  type Aggregate,
  type AggregateFunction,
  isNumeric,
  MOST_GROUPS,
  QUANTILES,
} from '../aggregate/aggregation.js';
import { BEYOND, FINE_UNIT, HALF, LEAST, UNIT } from '../aggregate/fixed-sum.js';
import type { Window } from '../window.js';
import { cellKind, fittingSql, instantSql, isAbsentSql, sortKeySql } from './cell-sql.js';
import type { Select } from './compile-window.js';
import { stepSql } from './every-sql.js';
import { chosenSql, columnNamed } from './rows-sql.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { Bindings } from './statement.js';

/*
 * The same aggregates as `direct/aggregate-values.ts` computes, to the last digit: sums in whole units (see
 * `aggregate/fixed-sum.ts`), and what needs all values over their sorted list.
 */

/** A column that aggregates read, and what the statement calls its parts: `d0`, `g0`, … */
interface Source {
  readonly id: number;
  readonly column: SqlColumn;
  readonly functions: ReadonlySet<AggregateFunction>;
}

/** Expressions with the names that they get in a SELECT's list. */
type Items = readonly string[];

/**
 * A SELECT of a window's groups: the step's number (0 without `every`), the columns of `by`, one column per aggregate.
 * Groups come in no order, and one more than may be.
 */
export function compileGroups(window: Window, table: SqlTable): Select {
  const bindings = new Bindings();
  const { by, aggregates } = window.aggregation!;
  const sources = sourcesOf(window, table);
  const series = by.map((name) => columnNamed(table.columns, name));
  const keys = ['step', ...series.map((_, index) => `s${index}`)];
  const rows = rowsSql(window, table, sources, series, bindings);
  const risen = sources.some(needsRises) ? risesSql(rows, sources, keys.slice(1), window) : rows;
  const cut = `SELECT *${listed(sources.flatMap(cutItems))} FROM (${risen})`;
  const grouped = `SELECT ${[...(needsKeys(window) ? keys : ['0 AS step']), 'count(*) AS rows', ...sources.flatMap(partialItems)].join(', ')}
    FROM (${cut})${needsKeys(window) ? ` GROUP BY ${keys.join(', ')}` : ''}`;
  const totals = `SELECT *${listed(sources.flatMap(totalItems))} FROM (${grouped})`;
  const results = aggregates.map((aggregate, index) => {
    const source = sources.find(({ column }) => column.column.name === aggregate.column);
    return `${resultSql(aggregate, source)} AS a${index}`;
  });
  const computed = `SELECT ${[...keys, ...results].join(', ')} FROM (${totals})`;
  const shown = aggregates.map((aggregate, index) => shownSql(aggregate, `a${index}`));
  const sql = `SELECT ${[...keys, ...shown].join(', ')} FROM (${computed}) LIMIT ${MOST_GROUPS + 1}`;
  const step = { name: 'step', type: 'number', seen: true } as const;
  const cells = aggregates.map((aggregate) => resultColumn(aggregate, table));
  const all = [{ column: step, type: 'BIGINT' }, ...series, ...cells];
  return {
    sql,
    values: bindings.values,
    columns: all.map(({ column }) => column),
    types: all.map(({ type }) => type),
  };
}

/** Without `by` and `every` there is one group, also of no rows. */
function needsKeys({ every, aggregation }: Window): boolean {
  return every !== null || aggregation!.by.length > 0;
}

function sourcesOf({ aggregation }: Window, table: SqlTable): readonly Source[] {
  const functions = new Map<string, Set<AggregateFunction>>();
  for (const { column, function: name } of aggregation!.aggregates) {
    if (column === null) continue;
    functions.set(column, (functions.get(column) ?? new Set()).add(name));
  }
  return Array.from(functions, ([name, needed], id) => ({
    id,
    column: columnNamed(table.columns, name),
    functions: needed,
  }));
}

function needs({ functions }: Source, ...names: readonly AggregateFunction[]): boolean {
  return names.some((name) => functions.has(name));
}

function needsRises(source: Source): boolean {
  return needs(source, 'increase', 'rate');
}

function listed(items: Items): string {
  return items.map((item) => `, ${item}`).join('');
}

/** The window's rows: `step`, the series, of each source the cell `r0` and its number `d0`, and where they stand. */
function rowsSql(
  window: Window,
  table: SqlTable,
  sources: readonly Source[],
  series: readonly SqlColumn[],
  bindings: Bindings,
): string {
  const { every, dataset } = window;
  const time = dataset.timeColumn === null ? null : columnNamed(table.columns, dataset.timeColumn);
  const at = time === null ? null : instantSql(cellKind(time.column, time.type), time.expression);
  const step = every === null || at === null ? '0' : `CAST(${stepSql(every, at, bindings)} AS BIGINT)`;
  const isOrdered = sources.some((source) => needsRises(source) || needs(source, 'first', 'last'));
  const list = [
    `${step} AS step`,
    ...series.map(({ expression }, index) => `${expression} AS s${index}`),
    ...sources.flatMap(({ id, column }) => [
      `${column.expression} AS r${id}`,
      `${doubleSql(column)} AS d${id}`,
    ]),
    ...(isOrdered ? [`${at ?? `TIMESTAMPTZ 'epoch'`} AS instant`, 'row_number() OVER () AS position'] : []),
  ];
  const timed = every === null || at === null ? null : `${at} IS NOT NULL`;
  return `SELECT ${list.join(', ')} ${chosenSql(window, table, bindings, timed)}`;
}

/** SQL of a cell as a finite DOUBLE; NULL where it is none. */
export function doubleSql({ column, type, expression }: SqlColumn): string {
  if (column.seen && column.type !== 'number') return 'CAST(NULL AS DOUBLE)';
  const kind = cellKind(column, type);
  switch (kind) {
    case 'integer':
    case 'decimal':
      return `CAST(${expression} AS DOUBLE)`;
    case 'double':
      return finite(expression);
    case 'decimal-text':
      return finite(`TRY_CAST(${fittingSql(kind, expression)} AS DOUBLE)`);
    default:
      return finite(`TRY_CAST(CAST(${expression} AS VARCHAR) AS DOUBLE)`);
  }
}

function finite(expression: string): string {
  return `CASE WHEN isfinite(${expression}) THEN ${expression} END`;
}

/** Adds the rise `g0` since the value before, and the milliseconds `e0` since then. A fall is a reset. */
function risesSql(rows: string, sources: readonly Source[], series: Items, { dataset }: Window): string {
  const counters = sources.filter(needsRises);
  const partition = series.length === 0 ? '' : `PARTITION BY ${series.join(', ')} `;
  const order = `OVER (${partition}ORDER BY instant, position)`;
  const timed = (id: number) => `CASE WHEN instant IS NOT NULL THEN d${id} END`;
  const since = (id: number) =>
    `CASE WHEN instant IS NOT NULL AND d${id} IS NOT NULL THEN epoch_ms(instant) END`;
  const before = counters.flatMap(({ id }) => [
    `lag(${timed(id)} IGNORE NULLS) ${order} AS p${id}`,
    `lag(${since(id)} IGNORE NULLS) ${order} AS b${id}`,
  ]);
  const rises = counters.flatMap(({ id }) => [
    finite(
      `CASE WHEN instant IS NULL OR p${id} IS NULL THEN NULL WHEN d${id} >= p${id} THEN d${id} - p${id} ELSE d${id} END`,
    ).concat(` AS g${id}`),
    `CASE WHEN instant IS NOT NULL AND d${id} IS NOT NULL THEN ${
      dataset.timeColumn === null ? 'CAST(0 AS BIGINT)' : `epoch_ms(instant) - b${id}`
    } END AS e${id}`,
  ]);
  return `SELECT *${listed(rises)} FROM (SELECT *${listed(before)} FROM (${rows}))`;
}

/** The values that are summed: a source's numbers `d0`, its rises `g0`. */
function summed(source: Source): readonly string[] {
  const numbers = needs(source, 'avg', 'sum', 'stddev') ? [`d${source.id}`] : [];
  return needsRises(source) ? [...numbers, `g${source.id}`] : numbers;
}

/** A summed value in units, NULL for one that is not added in units. */
function cutItems(source: Source): Items {
  return summed(source).map((value) => {
    const isInUnits = `abs(${value}) < ${double(BEYOND)} AND (abs(${value}) >= ${double(LEAST)} OR ${value} = 0)`;
    return `CASE WHEN ${isInUnits} THEN ${value} * ${double(UNIT)} END AS ${value}_h`;
  });
}

function double(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

/** What is computed of a group's rows. */
function partialItems(source: Source): Items {
  const { id, column } = source;
  const kind = cellKind(column.column, column.type);
  const items = [
    `count(*) FILTER (WHERE NOT (${isAbsentSql(kind, `r${id}`)})) AS c${id}`,
    `count(d${id}) AS n${id}`,
  ];
  for (const value of summed(source)) {
    items.push(
      `sum(CAST(trunc(${value}_h) AS BIGINT)) AS ${value}_u`,
      `sum(CAST(trunc((${value}_h - trunc(${value}_h)) * ${double(FINE_UNIT)}) AS BIGINT)) AS ${value}_f`,
      `list(${value}) FILTER (WHERE ${value} IS NOT NULL AND ${value}_h IS NULL) AS ${value}_o`,
    );
  }
  if (needs(source, 'min')) items.push(`min(d${id}) AS min${id}`);
  if (needs(source, 'max')) items.push(`max(d${id}) AS max${id}`);
  if (needs(source, 'median', 'p95', 'p99', 'stddev')) {
    items.push(`list_sort(list(d${id}) FILTER (WHERE d${id} IS NOT NULL)) AS l${id}`);
  }
  if (needs(source, 'distinct')) {
    const key = sortKeySql(kind, `r${id}`);
    const isFloat = kind === 'double' || kind === 'float';
    items.push(`count(DISTINCT ${isFloat ? `CASE WHEN r${id} = 0 THEN 0 ELSE ${key} END` : key}) AS k${id}`);
  }
  if (needs(source, 'first', 'last')) {
    const present = `CASE WHEN instant IS NOT NULL AND NOT (${isAbsentSql(kind, `r${id}`)}) THEN r${id} END`;
    const moment = `{'at': instant, 'position': position}`;
    items.push(`arg_min(${present}, ${moment}) AS first${id}`, `arg_max(${present}, ${moment}) AS last${id}`);
  }
  if (needsRises(source)) items.push(`count(g${id}) AS risen${id}`, `sum(e${id}) AS elapsed${id}`);
  return items;
}

/** The sums as DOUBLE, by the same steps as `FixedSum.total`. */
function totalItems(source: Source): Items {
  // As a number it would be written with its first seventeen digits.
  const fineUnit = BigInt(FINE_UNIT);
  return summed(source).map((value) => {
    const fine = `coalesce(${value}_f, 0)`;
    const units = `(coalesce(${value}_u, 0) + ${fine} // ${fineUnit})`;
    const asDouble = (whole: string) => `CAST(CAST(${whole} AS BIGINT) AS DOUBLE)`;
    const whole = `(${asDouble(`${units} // ${HALF}`)} * ${double(HALF)} + ${asDouble(`${units} % ${HALF}`)}) / ${double(UNIT)}`;
    const total = `${whole} + ${asDouble(`${fine} % ${fineUnit}`)} / ${double(FINE_UNIT)} / ${double(UNIT)}`;
    const others = `list_sum(list_sort(${value}_o))`;
    return `${total} + CASE WHEN ${value}_o IS NULL THEN 0 ELSE ${others} END AS ${value}_t`;
  });
}

function resultSql(aggregate: Aggregate, source: Source | undefined): string {
  if (source === undefined) return 'rows';
  const { id } = source;
  const elapsed = `nullif(elapsed${id}, 0) / ${double(1000)}`;
  switch (aggregate.function) {
    case 'count':
      return `c${id}`;
    case 'distinct':
      return `k${id}`;
    case 'first':
    case 'last':
      return `${aggregate.function}${id}`;
    case 'min':
    case 'max':
      return `${aggregate.function}${id}`;
    case 'sum':
      return `CASE WHEN n${id} > 0 THEN d${id}_t END`;
    case 'avg':
      return `CASE WHEN n${id} > 0 THEN d${id}_t / n${id} END`;
    case 'stddev':
      return stddevSql(id);
    case 'increase':
      return `CASE WHEN risen${id} > 0 THEN g${id}_t END`;
    case 'rate':
      return `CASE WHEN risen${id} > 0 THEN g${id}_t / (${elapsed}) END`;
    default:
      return quantileSql(id, QUANTILES[aggregate.function]!);
  }
}

/** There is one zero, and an infinite result is none. */
function shownSql({ function: computes }: Aggregate, name: string): string {
  if (!isNumeric(computes)) return name;
  return `CASE WHEN ${name} = 0 THEN ${double(0)} WHEN isfinite(${name}) THEN ${name} END AS ${name}`;
}

function stddevSql(id: number): string {
  const off = `(x - d${id}_t / n${id})`;
  const squares = `list_sum(list_transform(l${id}, lambda x: ${off} * ${off}))`;
  return `CASE WHEN n${id} > 1 THEN sqrt(${squares} / (n${id} - 1)) END`;
}

function quantileSql(id: number, fraction: number): string {
  const place = `((n${id} - 1) * ${double(fraction)})`;
  const below = `CAST(floor(${place}) AS BIGINT)`;
  const low = `l${id}[${below} + 1]`;
  const high = `l${id}[least(${below} + 2, n${id})]`;
  return `${low} + (${high} - ${low}) * (${place} - floor(${place}))`;
}

function resultColumn(
  { name, function: computes, column }: Aggregate,
  table: SqlTable,
): Pick<SqlColumn, 'column' | 'type'> {
  const isCount = computes === 'count' || computes === 'distinct';
  const number = {
    column: { name, type: 'number', seen: true },
    type: isCount ? 'BIGINT' : 'DOUBLE',
  } as const;
  if (computes !== 'first' && computes !== 'last') return number;
  const source = columnNamed(table.columns, column!);
  return { column: { ...source.column, name }, type: source.type };
}
