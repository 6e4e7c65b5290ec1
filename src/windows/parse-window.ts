import { parseInstant } from '../csv/instant.js';
import type { Parameters } from '../datasets/queries.js';
import { aggregatedDataset } from './aggregate/result-columns.js';
import { badParameter, NoTimeColumn } from './errors.js';
import { parseSpan } from './instant.js';
import { lastOf, listOf, named, SHAPE_PARAMETERS, shown, WINDOW_PARAMETERS } from './parameters.js';
import { checkAggregatePivot, parseAggregation } from './parse-aggregation.js';
import { knownColumn, parseFilter, TIME_REMEDY } from './parse-filter.js';
import type { Filter, Pivot, SortKey, TimeRange, Window, WindowedDataset } from './window.js';

/** What `parseSpan` takes of the largest unit; longer than any history. */
const LONGEST_SPAN = '9999y';
/** Fifteen digits: a number holds any of them exactly. */
const MOST_ROWS = '9'.repeat(15);

const KNOWN: ReadonlySet<string> = new Set([...WINDOW_PARAMETERS, ...SHAPE_PARAMETERS]);

/**
 * The window that a request asks for. `now`: milliseconds since the epoch, what `last` ends with.
 * Throws `BAD_PARAMETER` (400). What the shape parameters ask for is `parseShape`'s.
 */
export function parseWindow(parameters: Parameters, dataset: WindowedDataset, now: number): Window {
  const given = (name: (typeof WINDOW_PARAMETERS)[number]) => lastOf(parameters, name);
  const filters = parameters
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, text]) => parseFilter(name, text, dataset));
  const every = parseEvery(given('every'), dataset);
  const texts = { agg: given('agg'), by: given('by'), fill: given('fill'), pivot: given('pivot') };
  const aggregation = parseAggregation(texts, dataset, every);
  // What follows applies to the result.
  const result = aggregation === null ? dataset : aggregatedDataset(dataset, aggregation, every);
  const pivot = parsePivot(given('pivot'), result);
  if (pivot !== null && aggregation !== null) checkAggregatePivot(pivot, aggregation);
  return {
    dataset,
    time: parseTime(given('last'), given('from'), given('to'), dataset, now),
    filters: canonical(filters),
    every,
    aggregation,
    pivot,
    sort: parseSort(given('sort'), result, pivot),
    offset: parseCount('offset', given('offset')) ?? 0,
    limit: parseCount('limit', given('limit')),
    columns: parseColumns(given('columns'), result, pivot),
  };
}

/** Each filter once, in an order that does not depend on how the request was written. */
function canonical(filters: readonly Filter[]): Filter[] {
  const byKey = new Map(
    filters.map((filter) => [JSON.stringify([filter.column, filter.operator, filter.values]), filter]),
  );
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
}

function parseTime(
  last: string | undefined,
  from: string | undefined,
  to: string | undefined,
  dataset: WindowedDataset,
  now: number,
): TimeRange | null {
  const name = last !== undefined ? 'last' : from !== undefined ? 'from' : 'to';
  if (last === undefined && from === undefined && to === undefined) return null;
  needsTimeColumn(name, dataset);
  if (last !== undefined) {
    if (from !== undefined || to !== undefined) {
      throw badParameter(
        'last: it ends now and cannot be combined with from or to',
        'write one or the other',
      );
    }
    const span = spanOf('last', last);
    // A row of this very millisecond is among the last ones.
    return { from: now - span, to: now + 1, last: span };
  }
  const range = { from: instantOf('from', from), to: instantOf('to', to), last: null };
  if (range.from !== null && range.to !== null && range.from > range.to) {
    throw badParameter('from: it is later than to', 'exchange the two');
  }
  return range;
}

function parseEvery(text: string | undefined, dataset: WindowedDataset): number | null {
  if (text === undefined) return null;
  needsTimeColumn('every', dataset);
  return spanOf('every', text);
}

function needsTimeColumn(parameter: string, { name, timeColumn }: WindowedDataset): void {
  if (timeColumn !== null) return;
  throw new NoTimeColumn(`${parameter}: ${name} has no time column`, `leave ${parameter} out`);
}

function spanOf(parameter: string, text: string): number {
  const span = parseSpan(text);
  if (span !== null) return span;
  if (/^0*[1-9]\d*(ms|[smhdwy])$/.test(text)) {
    throw badParameter(`${parameter}: ${shown(text)} is too long`, `write ${LONGEST_SPAN} or less`);
  }
  throw badParameter(
    `${parameter}: ${shown(text)} is not a duration`,
    `write a whole number above 0 and one of ms s m h d w y, such as ${parameter}=10m`,
  );
}

function instantOf(parameter: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const instant = parseInstant(text);
  if (instant === null) throw badParameter(`${parameter}: ${shown(text)} is not a time`, TIME_REMEDY);
  return instant;
}

function parseCount(parameter: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  if (/^0*[1-9]\d{15,}$/.test(text)) {
    throw badParameter(`${parameter}: ${shown(text)} is too large`, `write ${MOST_ROWS} or less`);
  }
  throw badParameter(
    `${parameter}: ${shown(text)} is not a number of rows`,
    `write a whole number, such as ${parameter}=10`,
  );
}

/** Column names may hold colons: the colon is meant that has a column on either side. */
function parsePivot(text: string | undefined, dataset: WindowedDataset): Pivot | null {
  if (text === undefined) return null;
  const parts = text.split(':');
  if (parts.length < 2) {
    throw badParameter(
      `pivot: ${shown(text)} does not name two columns`,
      'write pivot=names:numbers, the column whose values become columns and the one that fills them',
    );
  }
  const splits = parts.slice(1).map((_, i): Pivot => {
    return { by: parts.slice(0, i + 1).join(':'), value: parts.slice(i + 1).join(':') };
  });
  const has = (name: string) => dataset.columns.some((column) => column.name === name);
  const pivot = splits.find(({ by, value }) => has(by) && has(value)) ?? splits[0]!;
  knownColumn('pivot', pivot.by, dataset);
  knownColumn('pivot', pivot.value, dataset);
  const { type, seen } = dataset.columns.find(({ name }) => name === pivot.value)!;
  if (seen && type !== 'number') {
    throw badParameter(
      `pivot: ${named(pivot.value)} is not a number column`,
      'name a number column after the colon',
    );
  }
  return pivot;
}

function parseSort(text: string | undefined, dataset: WindowedDataset, pivot: Pivot | null): SortKey[] {
  if (text === undefined) return [];
  const has = (name: string) => dataset.columns.some((column) => column.name === name);
  const keys = listOf(text).map((item): SortKey => {
    const descending = item.startsWith('-') && (pivot !== null || !has(item));
    const column = descending ? item.slice(1) : item;
    if (pivot === null) knownColumn('sort', column, dataset);
    return { column, descending };
  });
  // What was sorted by already changes nothing.
  return keys.filter(({ column }, i) => keys.findIndex((key) => key.column === column) === i);
}

function parseColumns(
  text: string | undefined,
  dataset: WindowedDataset,
  pivot: Pivot | null,
): readonly string[] | null {
  if (text === undefined) return null;
  const names = listOf(text);
  if (names.length === 0) {
    throw badParameter('columns: it names no column', 'name one, or leave columns out for all');
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw badParameter(`columns: ${named(twice)} is named twice`, 'name it once');
  if (pivot !== null) return names;
  for (const name of names) knownColumn('columns', name, dataset);
  const all = dataset.columns;
  return names.length === all.length && names.every((name, i) => name === all[i]!.name) ? null : names;
}
