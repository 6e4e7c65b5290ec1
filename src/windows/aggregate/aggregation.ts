import type { ByteCell } from '../direct/byte-text.js';

/** Aggregates of numbers: a column of any other type is an error. */
const NUMERIC_FUNCTIONS = [
  'avg',
  'min',
  'max',
  'sum',
  'median',
  'p95',
  'p99',
  'stddev',
  'increase',
  'rate',
] as const;

/** What `agg` computes. All but `count`, which may stand alone, are followed by a column. */
export const AGGREGATE_FUNCTIONS = [...NUMERIC_FUNCTIONS, 'count', 'distinct', 'first', 'last'] as const;
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

/** What a step without rows gets: no values, zeros, or the values of the step before. */
export const FILLS = ['null', '0', 'previous'] as const;
export type Fill = (typeof FILLS)[number];

export interface Aggregate {
  /** The name of the result's column. */
  readonly name: string;
  readonly function: AggregateFunction;
  /** Null for `count` alone, which counts rows. */
  readonly column: string | null;
}

/** What a window computes of its rows, per step and series. */
export interface Aggregation {
  /** Columns whose values tell series apart; none: all rows are one series. */
  readonly by: readonly string[];
  readonly aggregates: readonly Aggregate[];
  /** Null: steps without rows are left out. */
  readonly fill: Fill | null;
}

/** Result rows at most, before `limit` and with those that `fill` adds: they are placed on the event loop. */
export const MOST_GROUPS = 50_000;

/** The fraction of the sorted values at which a quantile lies. */
export const QUANTILES: Readonly<Partial<Record<AggregateFunction, number>>> = {
  median: 0.5,
  p95: 0.95,
  p99: 0.99,
};

export function isNumeric(name: AggregateFunction): boolean {
  return (NUMERIC_FUNCTIONS as readonly string[]).includes(name);
}

/** What rows have in the columns of `by`. */
export type Series = readonly ByteCell[];

/** The aggregates of one step and series. */
export interface Group {
  /** The number of the step, see `stepsOf`; 0 without `every`. */
  readonly step: number;
  readonly series: Series;
  /** One cell for each aggregate. */
  readonly cells: readonly ByteCell[];
}
