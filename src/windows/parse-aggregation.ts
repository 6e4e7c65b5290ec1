import { closest } from '../base/closest.js';
import {
  AGGREGATE_FUNCTIONS,
  type Aggregate,
  type AggregateFunction,
  type Aggregation,
  FILLS,
  type Fill,
  isNumeric,
} from './aggregate/aggregation.js';
import { aggregatedDataset, columnOf } from './aggregate/result-columns.js';
import { badParameter, NoTimeColumn } from './errors.js';
import { listOf, named, shown } from './parameters.js';
import { knownColumn } from './parse-filter.js';
import type { Pivot, WindowedDataset } from './window.js';

/** What a request says of its aggregates; undefined: nothing. */
export interface AggregationTexts {
  readonly agg: string | undefined;
  readonly by: string | undefined;
  readonly fill: string | undefined;
  readonly pivot: string | undefined;
}

const EXAMPLE = 'agg=avg:temperature,count';

/** Null without `agg`. `every`: the length of a step, null without steps. Throws `BAD_PARAMETER`. */
export function parseAggregation(
  texts: AggregationTexts,
  dataset: WindowedDataset,
  every: number | null,
): Aggregation | null {
  const { agg, by, fill, pivot } = texts;
  if (agg === undefined) {
    if (by !== undefined) throw badParameter('by: it needs agg', `write what to compute, such as ${EXAMPLE}`);
    if (fill !== undefined)
      throw badParameter('fill: it needs agg', `write what to compute, such as ${EXAMPLE}`);
    return null;
  }
  const items = listOf(agg);
  if (items.length === 0) throw badParameter('agg: it names no aggregate', `write one, such as ${EXAMPLE}`);
  const aggregation = {
    by: by === undefined ? byOfPivot(pivot, dataset) : parseBy(by, dataset),
    aggregates: items.map((item) => parseAggregate(item, dataset)),
    fill: parseFill(fill, every),
  };
  checkNames(aggregation, dataset, every);
  return aggregation;
}

function parseBy(text: string, dataset: WindowedDataset): readonly string[] {
  const names = listOf(text);
  if (names.length === 0) throw badParameter('by: it names no column', 'name one, or leave by out');
  for (const name of names) knownColumn('by', name, dataset);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badParameter(`by: ${named(twice)} is named twice`, 'name it once');
  return names;
}

/** `pivot=device:temperature_avg` alone tells series apart by `device`. */
function byOfPivot(pivot: string | undefined, { columns }: WindowedDataset): readonly string[] {
  const column = columns.find(({ name }) => pivot?.startsWith(`${name}:`));
  return column === undefined ? [] : [column.name];
}

function parseFill(text: string | undefined, every: number | null): Fill | null {
  if (text === undefined) return null;
  const fill = FILLS.find((known) => known === text);
  if (fill === undefined) {
    const close = closest(text, FILLS);
    throw badParameter(
      `fill: ${shown(text)} is not a way to fill steps`,
      close === undefined ? `write one of ${FILLS.join(', ')}` : `did you mean ${close}?`,
    );
  }
  if (every === null) {
    throw badParameter(
      'fill: without every there are no steps to fill',
      'write every, such as every=1m, or leave fill out',
    );
  }
  return fill;
}

/** `avg:temperature`, `count`, `mean=avg:temperature`. Names may hold `=` and `:`. */
function parseAggregate(item: string, dataset: WindowedDataset): Aggregate {
  const own = /^([^=]+)=(.*)$/s.exec(item);
  const begins = (text: string) => functionOf(text.split(':', 1)[0]!) !== undefined;
  const [name, text] = !begins(item) && own !== null ? [own[1]!, own[2]!] : [null, item];
  const at = text.indexOf(':');
  const written = at === -1 ? text : text.slice(0, at);
  const column = at === -1 ? null : text.slice(at + 1);
  const computes = functionOf(written) ?? unknownFunction(item, written, column, name, dataset);
  if (column === null) {
    if (computes !== 'count') {
      throw badParameter(
        `agg: ${computes} needs a column`,
        `write ${computes}:column, such as agg=${computes}:${named(exampleColumn(computes, dataset))}`,
      );
    }
    return { name: name ?? 'count', function: computes, column };
  }
  checkColumn(computes, column, dataset);
  return { name: name ?? `${column}_${computes}`, function: computes, column };
}

function functionOf(text: string): AggregateFunction | undefined {
  return AGGREGATE_FUNCTIONS.find((known) => known === text);
}

function exampleColumn(computes: AggregateFunction, { columns }: WindowedDataset): string {
  const fitting = columns.find(({ type }) => !isNumeric(computes) || type === 'number');
  return fitting?.name ?? 'temperature';
}

/** What other languages call an aggregate. */
const SYNONYMS: ReadonlyMap<string, AggregateFunction> = new Map([
  ['mean', 'avg'],
  ['average', 'avg'],
  ['total', 'sum'],
  ['p50', 'median'],
  ['std', 'stddev'],
  ['stdev', 'stddev'],
  ['unique', 'distinct'],
  ['delta', 'increase'],
]);

function meantFunction(text: string): string | undefined {
  return SYNONYMS.get(text.toLowerCase()) ?? closest(text, AGGREGATE_FUNCTIONS);
}

/** `avrg:temp`, `avg(temp)`, `mean:temp`, `temp:avg` → `avg:temperature`. */
function unknownFunction(
  item: string,
  written: string,
  column: string | null,
  name: string | null,
  { columns }: WindowedDataset,
): never {
  const names = columns.map((known) => known.name);
  const [computes, of] = meantAggregate(written, column, names);
  const isRows = computes === 'count' && of === '*';
  const meant =
    of === null || isRows ? '' : `:${named(names.includes(of) ? of : (closest(of, names) ?? of))}`;
  const prefix = name === null ? '' : `${name}=`;
  throw badParameter(
    `agg: there is no aggregate ${shown(item)}`,
    computes === undefined
      ? `write one of ${AGGREGATE_FUNCTIONS.join(', ')}, such as ${EXAMPLE}`
      : `did you mean ${prefix}${computes}${meant}?`,
  );
}

/** The aggregate and the column that were probably meant. */
function meantAggregate(
  written: string,
  column: string | null,
  names: readonly string[],
): readonly [computes: string | undefined, of: string | null] {
  const call = column === null ? /^(\w+)\((.*)\)$/s.exec(written) : null;
  if (call !== null) return [meantFunction(call[1]!), call[2]!];
  if (column !== null && names.includes(written)) return [meantFunction(column), written];
  return [meantFunction(written), column];
}

function checkColumn(computes: AggregateFunction, name: string, dataset: WindowedDataset): void {
  if (computes === 'count' && name === '*' && !dataset.columns.some((column) => column.name === name)) {
    throw badParameter('agg: count:* is not written so', 'write agg=count for the number of rows');
  }
  knownColumn('agg', name, dataset);
  const { type, seen } = columnOf(dataset, name);
  if (isNumeric(computes) && seen && type !== 'number') {
    throw badParameter(
      `agg: ${computes} needs a number column, and ${named(name)} is of type ${type}`,
      'name a number column, or use count, distinct, first or last',
    );
  }
  if (computes === 'rate' && dataset.timeColumn === null) {
    throw new NoTimeColumn(`agg: rate needs times, and ${dataset.name} has no time column`, 'use increase');
  }
}

/** Every column of the result has a name of its own. */
function checkNames(aggregation: Aggregation, dataset: WindowedDataset, every: number | null): void {
  const names = aggregatedDataset(dataset, aggregation, every).columns.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  const last = aggregation.aggregates.findLast(({ name }) => name === twice);
  if (last === undefined) {
    throw badParameter(
      `by: ${named(twice)} is the column of the steps`,
      'leave it out of by, or leave every out',
    );
  }
  const written = last.column === null ? last.function : `${last.function}:${last.column}`;
  throw badParameter(
    `agg: the result would have two columns ${named(twice)}`,
    `give one a name of its own, such as agg=other=${written}`,
  );
}

/**
 * With aggregates, `pivot` makes one column per value of the column in `by`.
 * Throws `BAD_PARAMETER` where several rows would fall into one cell.
 */
export function checkAggregatePivot(pivot: Pivot, { by }: Aggregation): void {
  if (by.length === 1 && by[0] === pivot.by) return;
  throw badParameter(
    `pivot: with agg it needs by=${named(pivot.by)}, so that each cell is of one row`,
    `write by=${named(pivot.by)}`,
  );
}
