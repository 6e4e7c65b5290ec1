import { type Aggregate, type AggregateFunction, QUANTILES } from '../aggregate/aggregation.js';
import { type CellKind, cellKind } from '../compile/cell-sql.js';
import { columnNamed } from '../compile/rows-sql.js';
import type { SqlTable } from '../compile/sql-table.js';
import type { Window } from '../window.js';

/** The columns that a window with aggregates reads, each name once. */
export interface NeededColumns {
  /** The time column; null: the window has neither a time range nor steps. */
  readonly time: string | null;
  /** Those that are read as numbers. */
  readonly numbers: readonly string[];
  /** Those of which it matters which rows have equal cells. */
  readonly coded: readonly string[];
}

const SUMMED: readonly AggregateFunction[] = ['sum', 'avg'];
const COMPARED: readonly AggregateFunction[] = ['min', 'max'];

/** Kinds whose cells are numbers or absent. */
const COUNTED: readonly CellKind[] = ['integer', 'decimal', 'double'];
/** Kinds whose cells are equal where their texts are. */
const CODED: readonly CellKind[] = [
  'text',
  'boolean',
  'boolean-text',
  'integer',
  'decimal',
  'decimal-text',
  'date',
];

/** Null: only DuckDB, or rows as they stand, can answer this window. */
export function neededColumns(window: Window, table: SqlTable): NeededColumns | null {
  const { aggregation, dataset, filters, every } = window;
  if (aggregation === null || !aggregation.aggregates.every((aggregate) => isComputed(aggregate, table)))
    return null;
  const isTimed = every !== null || (window.time !== null && dataset.timeColumn !== null);
  if (isTimed && !isInstant(dataset.timeColumn, table)) return null;
  const numbers = aggregation.aggregates.flatMap(({ column }) => column ?? []);
  const coded = [...aggregation.by, ...filters.map(({ column }) => column)];
  if (!coded.every((name) => CODED.includes(kindOf(name, table)))) return null;
  return {
    time: isTimed ? dataset.timeColumn : null,
    numbers: [...new Set(numbers)],
    coded: [...new Set(coded)],
  };
}

function kindOf(name: string, { columns }: SqlTable): CellKind {
  const { column, type } = columnNamed(columns, name);
  return cellKind(column, type);
}

function isInstant(name: string | null, table: SqlTable): boolean {
  return name !== null && kindOf(name, table) === 'instant';
}

function isComputed({ function: computes, column }: Aggregate, table: SqlTable): boolean {
  if (column === null) return true;
  return computes === 'count' ? COUNTED.includes(kindOf(column, table)) : isFromNumbers(computes);
}

/** Whether an aggregate needs no more of a cell than its number. */
function isFromNumbers(name: AggregateFunction): boolean {
  return SUMMED.includes(name) || COMPARED.includes(name) || QUANTILES[name] !== undefined;
}
