import { formatList, type Parameters, parameterOf, parseList, withParameter } from '../address.js';

/** Parameters of a window that are not filters (docs: Windows). A column of such a name is reached as `where.<column>`. */
const RESERVED = new Set(
  'last from to columns sort limit offset every agg by fill pivot pad null header delimiter format sql'.split(
    ' ',
  ),
);

/** They change how the CSV is written, not its rows: the page's own table is always loaded without them. */
const SHAPE = new Set(['pad', 'null', 'header', 'delimiter', 'format']);

export const OPERATORS = [
  '',
  '__ne',
  '__gt',
  '__gte',
  '__lt',
  '__lte',
  '__in',
  '__contains',
  '__isnull',
] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Filter {
  readonly column: string;
  readonly operator: Operator;
  readonly value: string;
}

export function filterParameter({ column, operator }: Filter): string {
  return `${RESERVED.has(column) ? 'where.' : ''}${column}${operator}`;
}

/** The filters among the parameters, in order. An exact column name takes precedence over an operator. */
export function filtersOf(parameters: Parameters, columns: readonly string[]): Filter[] {
  return parameters.flatMap(([name, value]) => {
    const written = name.startsWith('where.') ? name.slice('where.'.length) : name;
    if (written === name && RESERVED.has(name)) return [];
    const operator = columns.includes(written)
      ? ''
      : (OPERATORS.filter((one) => one !== '' && written.endsWith(one))[0] ?? '');
    return [{ column: written.slice(0, written.length - operator.length), operator, value }];
  });
}

/** Replaces all filters on that column by `filters`. */
export function withFilters(
  parameters: Parameters,
  columns: readonly string[],
  column: string,
  filters: readonly Filter[],
): Parameters {
  const kept = parameters.filter((parameter) => {
    const [filter] = filtersOf([parameter], columns);
    return filter === undefined || filter.column !== column;
  });
  return [...kept, ...filters.map((filter) => [filterParameter(filter), filter.value] as const)];
}

export interface SortKey {
  readonly column: string;
  readonly descending: boolean;
}

export function sortOf(parameters: Parameters): SortKey[] {
  const sort = parameterOf(parameters, 'sort');
  return parseList(sort ?? '').map((key) => ({
    column: key.replace(/^-/, ''),
    descending: key.startsWith('-'),
  }));
}

/** The next sort order of a column: ascending, descending, none. `add` keeps the other columns of the order. */
export function withNextSort(parameters: Parameters, column: string, add: boolean): Parameters {
  const keys = sortOf(parameters);
  const current = keys.find((key) => key.column === column);
  const next = current === undefined ? column : current.descending ? null : `-${column}`;
  const others = (add ? keys : []).map((key) => (key.descending ? `-${key.column}` : key.column));
  const place = keys.findIndex((key) => key.column === column);
  const kept = others.filter((key) => key.replace(/^-/, '') !== column);
  if (next !== null) kept.splice(add && place !== -1 ? place : kept.length, 0, next);
  return withParameter(parameters, 'sort', kept.length === 0 ? null : formatList(kept));
}

/** A relative time and bounds exclude each other. */
export function withLast(parameters: Parameters, last: string | null): Parameters {
  return withParameter(withRange(parameters, null, null), 'last', last);
}

/** Sets `from` and `to`, or removes them (null); `to` is excluded. */
export function withRange(parameters: Parameters, from: string | null, to: string | null): Parameters {
  const bounded = withParameter(withParameter(parameters, 'from', from), 'to', to);
  return from === null && to === null ? bounded : withParameter(bounded, 'last', null);
}

/** The parameters that decide which rows and columns there are. */
export function rowParameters(parameters: Parameters): Parameters {
  return parameters.filter(([name]) => !SHAPE.has(name));
}

/** The columns of before are not those of after, and `by` and `fill` need aggregates. */
export function withAggregate(parameters: Parameters, agg: string | null): Parameters {
  const ofColumns = new Set(['columns', 'sort', 'pivot', ...(agg === null ? ['by', 'fill'] : [])]);
  const kept = parameters.filter(([name]) => !ofColumns.has(name));
  return withParameter(kept, 'agg', agg);
}

/** Without steps there are none to fill. */
export function withEvery(parameters: Parameters, every: string | null): Parameters {
  const stepped = withParameter(parameters, 'every', every);
  return every === null ? withParameter(stepped, 'fill', null) : stepped;
}

/** Whether the result has other columns than the dataset. */
export function hasOwnColumns(parameters: Parameters): boolean {
  return parameterOf(parameters, 'pivot') !== null || parameterOf(parameters, 'agg') !== null;
}

/** The columns that tell series of the result apart; of a pivot none, since each series is a column. */
export function seriesColumns(parameters: Parameters, keys: readonly string[]): readonly string[] {
  if (parameterOf(parameters, 'pivot') !== null) return [];
  return parameterOf(parameters, 'agg') === null ? keys : parseList(parameterOf(parameters, 'by') ?? '');
}

/** The dataset's columns that stand in the result as they are; a pivot or an aggregate makes the others. */
export function keptColumns<C extends { readonly name: string }>(
  parameters: Parameters,
  columns: readonly C[],
  timeColumn: string | null,
): readonly C[] {
  if (!hasOwnColumns(parameters)) return columns;
  const by = parameterOf(parameters, 'pivot') === null ? parseList(parameterOf(parameters, 'by') ?? '') : [];
  return columns.filter(({ name }) => name === timeColumn || by.includes(name));
}
