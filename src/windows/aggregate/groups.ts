import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import type { Column } from '../../csv/rows.js';
import { FIRST_MONDAY } from '../compile/every-sql.js';
import { type ByteCell, toByteText } from '../direct/byte-text.js';
import { keysOfAny, type Row } from '../direct/order.js';
import { pivotRows } from '../direct/pivot.js';
import type { Table } from '../direct/table.js';
import { badParameter } from '../errors.js';
import type { Window } from '../window.js';
import { type Group, MOST_GROUPS } from './aggregation.js';
import { withFill } from './fill.js';
import { aggregatedDataset } from './result-columns.js';

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
export async function placedGroups(
  groups: readonly Group[],
  window: Window,
  localDays: LocalDays,
): Promise<Table> {
  const { every, dataset, aggregation } = window;
  checkGroups(groups.length);
  const result = aggregatedDataset(dataset, aggregation!, every);
  const isTimed = result.timeColumn !== null;
  const byColumns = result.columns.slice(isTimed ? 1 : 0).slice(0, aggregation!.by.length);
  const filled = await withFill(groups, window, localDays, inOrderOf(byColumns));
  const timeOf = every === null ? () => Number.NaN : startsOf(every, localDays);
  const breathe = createYielder();
  const rows: Row[] = [];
  for (const { step, series, cells } of filled) {
    const time = timeOf(step);
    const start = isTimed ? [toByteText(new Date(time).toISOString())] : [];
    rows.push({ cells: [...start, ...series, ...cells], time });
    await breathe();
  }
  if (window.pivot === null) return { columns: result.columns, rows };
  return pivotRows(rows, { ...window, dataset: result, every: null }, localDays, keysOfAny);
}

/** Sorts series by the values of `by`: numbers as numbers, absent values last, equal ones by how they are written. */
function inOrderOf(columns: readonly Column[]) {
  return (series: readonly (readonly ByteCell[])[]): readonly (readonly ByteCell[])[] => {
    const keys = columns.map((column, index) =>
      keysOfAny(
        column,
        series.map((cells) => cells[index]!),
      ),
    );
    const compare = (a: number, b: number): number => {
      for (const [index, key] of keys.entries()) {
        const order = compared(key[a]!, key[b]!) || compared(series[a]![index]!, series[b]![index]!);
        if (order !== 0) return order;
      }
      return 0;
    };
    const places = series.map((_, place) => place).sort(compare);
    return places.map((place) => series[place]!);
  };
}

function compared(a: string | number | null, b: string | number | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** When a step begins, in milliseconds since the epoch. A local day begins at its first instant. */
function startsOf(every: number, localDays: LocalDays): (step: number) => number {
  if (every % DAY !== 0) return (step) => Math.max(FIRST_INSTANT, step * every);
  const days = every / DAY;
  const first = days % 7 === 0 ? FIRST_MONDAY : 0;
  const known = new Map<number, number>();
  return (step) => {
    let start = known.get(step);
    if (start === undefined) {
      start = localDays.startOf(new Date((step * days + first) * DAY).toISOString().slice(0, 10));
      known.set(step, start);
    }
    return start;
  };
}
