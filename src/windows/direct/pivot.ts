import type { LocalDays } from '../../base/local-days.js';
import { mapped, type Pausable } from '../../base/pausable.js';
import type { Column } from '../../csv/rows.js';
import { checkPivotSize, namedValues, namesOfValues } from '../pivot-names.js';
import type { Window } from '../window.js';
import { type ByteCell, type ByteText, fromByteText, toByteText } from './byte-text.js';
import { lastOfSteps, oneZero, stepsOf } from './every.js';
import { compareKeys, type KeysOf, keysOf, type Row, sortByTime } from './order.js';

/** Rows under columns of their own. */
export interface PivotedRows {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Where the columns that a pivot reads stand in the rows; -1: the dataset has no time column. */
interface Places {
  readonly by: number;
  readonly value: number;
  readonly time: number;
}

/**
 * One row per time (with `every` per step; without a time column one in all), one column per value, rows in the order
 * of time. Throws `BAD_PARAMETER` for too many values.
 */
export function* pivotRows(
  all: readonly Row[],
  window: Window,
  localDays: LocalDays,
  keys: KeysOf = keysOfOwn,
): Pausable<PivotedRows> {
  const { dataset, every } = window;
  const places = placesOf(window);
  const isTimed = places.time !== -1;
  const lasts = every === null ? all : yield* lastOfSteps(all, window, localDays);
  const rows = isTimed ? lasts.filter(({ time }) => !Number.isNaN(time)) : lasts;
  const values = namedValues(window)?.map(toByteText) ?? (yield* foundValues(rows, places, window, keys));
  checkPivotSize(window, values.length);
  const timeColumns = isTimed ? [dataset.columns[places.time]!] : [];
  const columns = [...timeColumns, ...valueColumns(values, dataset.timeColumn)];
  // Without a time, and without a value to name a column by, only the header of what was asked for is left.
  if (columns.length === 0) return { columns: [dataset.columns[places.value]!], rows: [] };
  if (!isTimed) return { columns, rows: [filled(rows, values, places)] };
  // Of several rows in one place the one that stood last counts, whatever order `every` has put them in.
  const standing = every === null ? rows : all.filter(isOneOf(rows));
  const groups = yield* grouped(standing, values, places, every === null ? same : stepsOf(every, localDays));
  const filledRows = yield* mapped(groups, (group) => filled(group, values, places));
  return { columns, rows: yield* sortByTime(filledRows) };
}

function placesOf({ dataset, pivot }: Window): Places {
  const place = (name: string | null) => dataset.columns.findIndex((column) => column.name === name);
  return { by: place(pivot!.by), value: place(pivot!.value), time: place(dataset.timeColumn) };
}

function same(instant: number): number {
  return instant;
}

function isOneOf(rows: readonly Row[]): (row: Row) => boolean {
  const known = new Set(rows);
  return (row) => known.has(row);
}

/** The values that become columns, in their order. */
function* foundValues(
  rows: readonly Row[],
  { by }: Places,
  { dataset }: Window,
  keysFor: KeysOf,
): Pausable<readonly ByteText[]> {
  const column = dataset.columns[by]!;
  const found = new Set<ByteText>();
  yield* mapped(rows, ({ cells }) => {
    if (cells[by] !== null) found.add(cells[by]!);
  });
  const values = [...found].sort();
  const keys = yield* keysFor(column, values);
  // Sorted by their bytes already, which is the order of equal numbers written in two ways.
  const places = values.map((_, place) => place);
  places.sort((a, b) => compareKeys(keys[a]!, keys[b]!, false) || a - b);
  return places.map((place) => values[place]!);
}

/** Keys of a dataset's own cells, of which only DuckDB knows whether 0 and -0 are two values. */
function* keysOfOwn(column: Column, cells: readonly ByteCell[]): ReturnType<KeysOf> {
  if (column.type === 'number') for (const cell of cells) if (cell !== null) oneZero(cell);
  return yield* keysOf(column, cells);
}

function valueColumns(values: readonly ByteText[], timeColumn: string | null): readonly Column[] {
  const names = namesOfValues(values.map(fromByteText), timeColumn);
  return names.map((name) => ({ name, type: 'number', seen: true }));
}

/** Rows with one of the values, together by the step that they are in. */
function* grouped(
  rows: readonly Row[],
  values: readonly ByteText[],
  { by }: Places,
  stepOf: (instant: number) => number,
): Pausable<readonly (readonly Row[])[]> {
  const wanted = new Set<ByteCell>(values);
  const groups = new Map<number, Row[]>();
  yield* mapped(rows, (row) => {
    if (!wanted.has(row.cells[by]!)) return;
    const step = stepOf(row.time);
    const group = groups.get(step);
    if (group === undefined) groups.set(step, [row]);
    else group.push(row);
  });
  return [...groups.values()];
}

/** One row of the answer: the latest time among its rows, and of each value what the last row has. */
function filled(rows: readonly Row[], values: readonly ByteText[], { by, value, time }: Places): Row {
  const contents = new Map<ByteCell, ByteCell>();
  for (const { cells } of rows) contents.set(cells[by]!, cells[value]!);
  const cells = values.map((item) => contents.get(item) ?? null);
  if (time === -1) return { cells, time: Number.NaN };
  // Of equal times, which may be written in two ways, the one that stood last.
  const latest = rows.reduce((known, row) => (row.time >= known.time ? row : known));
  return { cells: [latest.cells[time]!, ...cells], time: latest.time };
}
