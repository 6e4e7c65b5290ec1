import type { LocalDays } from '../../base/local-days.js';
import type { ByteCell } from '../direct/byte-text.js';
import { stepsOf } from '../direct/every.js';
import { badParameter } from '../errors.js';
import type { Window } from '../window.js';
import { type Fill, type Group, MOST_GROUPS } from './aggregation.js';
import { aggregatedDataset } from './result-columns.js';

type Series = readonly ByteCell[];

/**
 * The groups in the order of their steps, and within one of their series as `sorted` puts them. Where the window fills,
 * every series has every step from the window's `from` to its `to`; where one of them is open, from the first step, or to
 * the last one, that any series has.
 */
export function withFill(
  groups: readonly Group[],
  window: Window,
  localDays: LocalDays,
  sorted: (series: readonly Series[]) => readonly Series[],
): readonly Group[] {
  const bySeries = new Map<string, Series>();
  for (const { series } of groups) bySeries.set(JSON.stringify(series), series);
  // Without `by` all rows are one series, also where there are none.
  if (window.aggregation!.by.length === 0) bySeries.set('[]', []);
  const ranked = sorted([...bySeries.values()]);
  const { fill } = window.aggregation!;
  const bounds = fill === null ? null : boundsOf(groups, window, localDays);
  if (fill === null || bounds === null) return inOrder(groups, ranked);
  checkFill(bounds, ranked.length);
  return filled(groups, ranked, bounds, missingCells(window, fill), fill);
}

function inOrder(groups: readonly Group[], ranked: readonly Series[]): readonly Group[] {
  const ranks = new Map(ranked.map((series, rank) => [JSON.stringify(series), rank]));
  const placed = groups.map((group) => ({ group, rank: ranks.get(JSON.stringify(group.series))! }));
  placed.sort((a, b) => a.group.step - b.group.step || a.rank - b.rank);
  return placed.map(({ group }) => group);
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

/** The steps that are filled; null where there is none. */
function boundsOf(groups: readonly Group[], { every, time }: Window, localDays: LocalDays): Bounds | null {
  const stepOf = stepsOf(every!, localDays, 'any day');
  const first =
    time?.from == null
      ? groups.reduce((least, { step }) => Math.min(least, step), Infinity)
      : stepOf(time.from);
  // Rows at `to` are not in the window; of a window that ends now this is the step of now.
  const last =
    time?.to == null
      ? groups.reduce((most, { step }) => Math.max(most, step), -Infinity)
      : stepOf(time.to - 1);
  return first <= last && Number.isFinite(first) && Number.isFinite(last) ? { first, last } : null;
}

function checkFill({ first, last }: Bounds, series: number): void {
  const rows = (last - first + 1) * series;
  if (rows <= MOST_GROUPS) return;
  throw badParameter(
    `fill: the result would have ${rows} rows, ${last - first + 1} steps of ${series} series, and ${MOST_GROUPS} is the most`,
    'write a longer every or a shorter time range',
  );
}

function filled(
  groups: readonly Group[],
  ranked: readonly Series[],
  { first, last }: Bounds,
  missing: readonly ByteCell[],
  fill: Fill,
): readonly Group[] {
  const known = new Map(
    groups.map((group) => [`${group.step} ${JSON.stringify(group.series)}`, group.cells]),
  );
  const names = ranked.map((series) => JSON.stringify(series));
  const before: (readonly ByteCell[])[] = ranked.map(() => missing);
  const all: Group[] = [];
  for (let step = first; step <= last; step++) {
    for (const [rank, series] of ranked.entries()) {
      const cells = known.get(`${step} ${names[rank]}`) ?? before[rank]!;
      if (fill === 'previous') before[rank] = cells;
      all.push({ step, series, cells });
    }
  }
  return all;
}

/** The cells of a step without rows, before which there is none. Only numbers can be 0. */
function missingCells({ dataset, aggregation, every }: Window, fill: Fill): readonly ByteCell[] {
  const { columns } = aggregatedDataset(dataset, aggregation!, every);
  const aggregates = columns.slice(columns.length - aggregation!.aggregates.length);
  return aggregates.map(({ type }) => (fill === '0' && type === 'number' ? '0' : null));
}
