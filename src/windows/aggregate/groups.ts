import type { LocalDays } from '../../base/local-days.js';
import { mapped, type Pausable, sorted } from '../../base/pausable.js';
import { FIRST_MONDAY } from '../compile/every-sql.js';
import { type ByteCell, toByteText } from '../direct/byte-text.js';
import { keysOfAny, type Row } from '../direct/order.js';
import { pivotRows } from '../direct/pivot.js';
import type { Table } from '../direct/table.js';
import { badParameter } from '../errors.js';
import type { Window } from '../window.js';
import { type Group, MOST_GROUPS, type Series } from './aggregation.js';
import { withFill } from './fill.js';
import { aggregatedDataset, columnOf } from './result-columns.js';

const DAY = 86_400_000;
/** What a Date can hold. */
const FIRST_INSTANT = -8.64e15;

/** Throws `BAD_PARAMETER` where a result would have too many rows. */
export function checkGroups(count: number): void {
  if (count <= MOST_GROUPS) return;
  throw badParameter(
    `agg: the result has more than ${MOST_GROUPS} rows`,
    'write a longer every, name fewer columns in by, or keep fewer rows with a filter or a time range',
  );
}

/**
 * The groups as rows, in the order of time and within a step of `by`: filled, and pivoted where the window asks for it.
 * Both ways of answering a window come here. Throws `BAD_PARAMETER` for a result of too many rows or columns.
 */
export function* placedGroups(
  groups: readonly Group[],
  window: Window,
  localDays: LocalDays,
): Pausable<Table> {
  const { every, dataset, aggregation } = window;
  checkGroups(groups.length);
  const result = aggregatedDataset(dataset, aggregation!, every);
  const isTimed = result.timeColumn !== null;
  const filled = yield* withFill(groups, window, localDays, (series) => seriesInOrder(series, window));
  const startOf = every === null ? () => NO_START : startsOf(every, localDays);
  const rows = yield* mapped(filled, ({ step, series, cells }): Row => {
    const { time, cell } = startOf(step);
    return { cells: isTimed ? [cell, ...series, ...cells] : [...series, ...cells], time };
  });
  if (window.pivot === null) return { columns: result.columns, rows };
  return yield* pivotRows(rows, { ...window, dataset: result, every: null }, localDays, keysOfAny);
}

/** Different series by the values of `by`: numbers as numbers, absent values last, equal ones by how they are written. */
export function* seriesInOrder(
  series: readonly Series[],
  { dataset, aggregation }: Window,
): Pausable<readonly Series[]> {
  const keys: (readonly (string | number | null)[])[] = [];
  for (const [index, name] of aggregation!.by.entries()) {
    const cells = yield* mapped(series, (all) => all[index]!);
    keys.push(yield* keysOfAny(columnOf(dataset, name), cells));
  }
  const places = yield* mapped(series, (_, place) => place);
  const inOrder = yield* sorted(places, (a, b) => {
    for (const [index, key] of keys.entries()) {
      const order = compared(key[a]!, key[b]!) || compared(series[a]![index]!, series[b]![index]!);
      if (order !== 0) return order;
    }
    return 0;
  });
  return yield* mapped(inOrder, (place) => series[place]!);
}

function compared(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** When a step begins, in milliseconds since the epoch, and as a cell. */
interface Start {
  readonly time: number;
  readonly cell: ByteCell;
}

const NO_START: Start = { time: Number.NaN, cell: null };

/** Groups that follow each other are mostly of one step. */
function startsOf(every: number, localDays: LocalDays): (step: number) => Start {
  const instantOf = instantsOf(every, localDays);
  let known: Start & { readonly step: number } = { ...NO_START, step: Number.NaN };
  return (step) => {
    if (step === known.step) return known;
    const time = instantOf(step);
    known = { step, time, cell: toByteText(new Date(time).toISOString()) };
    return known;
  };
}

/** A local day begins at its first instant. */
function instantsOf(every: number, localDays: LocalDays): (step: number) => number {
  if (every % DAY !== 0) return (step) => Math.max(FIRST_INSTANT, step * every);
  const days = every / DAY;
  const first = days % 7 === 0 ? FIRST_MONDAY : 0;
  return (step) => localDays.startOf(new Date((step * days + first) * DAY).toISOString().slice(0, 10));
}
