import type { Column } from '../csv/rows.js';
import type { Aggregation } from './aggregate/aggregation.js';

/** What a window needs to know of a dataset. */
export interface WindowedDataset {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns that identify a row; in a log and in changes together with the time column. */
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
}

/** A part of a dataset that a request asks for, checked. Every value in it is in one canonical form. */
export interface Window {
  readonly dataset: WindowedDataset;
  readonly time: TimeRange | null;
  /** In alphabetical order, each once. */
  readonly filters: readonly Filter[];
  /** Length of a step in milliseconds, or null. */
  readonly every: number | null;
  /** Null: rows are as they stand. */
  readonly aggregation: Aggregation | null;
  readonly pivot: Pivot | null;
  readonly sort: readonly SortKey[];
  readonly offset: number;
  /** Rows at most, or null. */
  readonly limit: number | null;
  /** The columns asked for, in their order; null: all. With `agg` or `pivot` they are names of the answer's columns. */
  readonly columns: readonly string[] | null;
}

/** Rows whose time is in [from, to): milliseconds since the epoch, null: open. */
export interface TimeRange {
  readonly from: number | null;
  readonly to: number | null;
  /** The length of a range that ends now, in milliseconds; null for one that stands still. */
  readonly last: number | null;
}

export const COMPARISONS = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
/** How a filter compares; all but `eq` are written after the column's name: `count__gt`. */
export const OPERATORS = [...COMPARISONS, 'in', 'contains', 'isnull'] as const;

export type Comparison = (typeof COMPARISONS)[number];
export type Operator = (typeof OPERATORS)[number];

export interface Filter {
  readonly column: string;
  readonly operator: Operator;
  /**
   * One value, but for `in`. By the column's type: a plain decimal without superfluous zeros, `true` or `false`,
   * milliseconds since the epoch, or text; for `contains` text, for `isnull` `true` or `false`.
   */
  readonly values: readonly string[];
}

/** One column for each value of `by`, with what `value` holds in the rows of that value. */
export interface Pivot {
  readonly by: string;
  readonly value: string;
}

export interface SortKey {
  readonly column: string;
  readonly descending: boolean;
}
