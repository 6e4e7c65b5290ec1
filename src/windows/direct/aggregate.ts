import type { LocalDays } from '../../base/local-days.js';
import type { Pausable } from '../../base/pausable.js';
import { fits } from '../../csv/fits.js';
import type { Column } from '../../csv/rows.js';
import { type AggregateFunction, type Group, isNumeric } from '../aggregate/aggregation.js';
import { checkGroups } from '../aggregate/groups.js';
import { columnOf } from '../aggregate/result-columns.js';
import type { Window } from '../window.js';
import { ColumnValues } from './aggregate-values.js';
import type { ByteCell } from './byte-text.js';
import { oneZero, seriesBy, stepsOf } from './every.js';
import { type Row, sortByTime } from './order.js';

/** Rows between two pauses. */
const ROWS_PER_PAUSE = 32;

/** A column that aggregates read. */
interface Source {
  readonly column: Column;
  readonly index: number;
  readonly functions: ReadonlySet<AggregateFunction>;
  /** Whether an aggregate needs the cells as numbers. */
  readonly isNumeric: boolean;
}

interface Open {
  readonly step: number;
  readonly series: readonly ByteCell[];
  readonly sources: readonly ColumnValues[];
  rows: number;
}

/** The aggregates of rows, of each step and series. Throws `Declined` for a cell that only DuckDB reads. */
export function* groupsOf(
  rows: readonly Row[],
  window: Window,
  localDays: LocalDays,
): Pausable<readonly Group[]> {
  const { dataset, every } = window;
  const { by, aggregates } = window.aggregation!;
  const place = (name: string) => dataset.columns.findIndex((column) => column.name === name);
  const sources = sourcesOf(window);
  const places = by.map(place);
  const seriesOf = seriesBy(dataset.columns, by);
  const stepOf = every === null ? () => 0 : stepsOf(every, localDays);
  const isTimed = dataset.timeColumn !== null;
  const open = new Map<string, Open>();
  const openFor = (row: Row, step: number, series: string): Open => {
    const key = `${step} ${series}`;
    const known = open.get(key);
    if (known !== undefined) return known;
    const cells = places.map((index) => row.cells[index]!);
    const values = sources.map(({ column }) => new ColumnValues(column, isTimed));
    const fresh = { step, series: cells, sources: values, rows: 0 };
    open.set(key, fresh);
    checkGroups(open.size);
    return fresh;
  };
  // Without `by` and `every` there is one row in all, also of nothing.
  if (every === null && by.length === 0) openFor({ cells: [], time: Number.NaN }, 0, '');
  const rises = new Rises();
  for (const [number, row] of (yield* inOrder(rows, sources, isTimed)).entries()) {
    if (number % ROWS_PER_PAUSE === 0) yield;
    if (every !== null && Number.isNaN(row.time)) continue;
    const series = seriesOf(row.cells);
    const group = openFor(row, stepOf(row.time), series);
    group.rows += 1;
    for (const [index, source] of sources.entries()) {
      const cell = row.cells[source.index]!;
      if (cell === null || !fits(source.column.type, cell)) continue;
      if (source.column.type === 'number') oneZero(cell);
      const value = source.isNumeric ? Number(cell) : Number.NaN;
      const values = group.sources[index]!;
      values.add(cell, row.time, value);
      if (needsRises(source) && Number.isFinite(value) && !(isTimed && Number.isNaN(row.time))) {
        rises.add(`${index} ${series}`, value, row.time, values);
      }
    }
  }
  const groups: Group[] = [];
  for (const { step, series, sources: values, rows: count } of open.values()) {
    const cells: ByteCell[] = [];
    for (const { function: name, column } of aggregates) {
      const index = sources.findIndex((source) => source.column.name === column);
      cells.push(column === null ? String(count) : values[index]!.cellOf(name));
      yield;
    }
    groups.push({ step, series, cells });
  }
  return groups;
}

function sourcesOf({ dataset, aggregation }: Window): readonly Source[] {
  const functions = new Map<string, Set<AggregateFunction>>();
  for (const { column, function: name } of aggregation!.aggregates) {
    if (column === null) continue;
    functions.set(column, (functions.get(column) ?? new Set()).add(name));
  }
  return Array.from(functions, ([name, needed]) => ({
    column: columnOf(dataset, name),
    index: dataset.columns.findIndex((column) => column.name === name),
    functions: needed,
    isNumeric: [...needed].some(isNumeric),
  }));
}

function needsRises({ functions }: Source): boolean {
  return functions.has('increase') || functions.has('rate');
}

/** In the order of time where values are compared with those before them; equal times as they stood. */
function* inOrder(
  rows: readonly Row[],
  sources: readonly Source[],
  isTimed: boolean,
): Pausable<readonly Row[]> {
  if (!isTimed || !sources.some(needsRises)) return rows;
  const timed = yield* sortByTime(rows.filter(({ time }) => !Number.isNaN(time)));
  return timed.length === rows.length ? timed : [...timed, ...rows.filter(({ time }) => Number.isNaN(time))];
}

/** Compares each value of a counter with the one before it, whatever step that is in. */
class Rises {
  readonly #before = new Map<string, { readonly value: number; readonly time: number }>();

  add(counter: string, value: number, time: number, values: ColumnValues): void {
    const before = this.#before.get(counter);
    this.#before.set(counter, { value, time });
    if (before === undefined) return;
    // A fall is a reset: what has been counted since is the new value.
    const rise = value >= before.value ? value - before.value : value;
    values.addRise(rise, Number.isNaN(time) ? 0 : time - before.time);
  }
}
