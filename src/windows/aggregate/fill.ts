import type { LocalDays } from '../../base/local-days.js';
import { type Pausable, sorted } from '../../base/pausable.js';
import type { ByteCell } from '../direct/byte-text.js';
import { stepsOf } from '../direct/every.js';
import { badParameter } from '../errors.js';
import type { Window } from '../window.js';
import { type Fill, type Group, MOST_GROUPS } from './aggregation.js';
import { aggregatedDataset } from './result-columns.js';

type Series = readonly ByteCell[];

/**
 * The groups in the order of their steps, and within one of their series as `inOrderOf` puts them. Where the window fills,
 * every series has every step from the window's `from` to its `to`; where one of them is open, from the first step, or to
 * the last one, that any series has. Throws `BAD_PARAMETER` for too many rows.
 */
export function* withFill(
  groups: readonly Group[],
  window: Window,
  localDays: LocalDays,
  inOrderOf: (series: readonly Series[]) => Pausable<readonly Series[]>,
): Pausable<readonly Group[]> {
  const { by, fill } = window.aggregation!;
  const places = new Map<string, Series>();
  // Without `by` all rows are one series, also where there are none.
  if (by.length === 0) places.set('[]', []);
  const names: string[] = [];
  for (const { series } of groups) {
    const name = JSON.stringify(series);
    if (!places.has(name)) places.set(name, series);
    names.push(name);
    yield;
  }
  const ranked = yield* inOrderOf([...places.values()]);
  const ranks = new Map<string, number>();
  for (const [rank, series] of ranked.entries()) {
    ranks.set(JSON.stringify(series), rank);
    yield;
  }
  const steps = new Map<number, Ranked[]>();
  for (const [index, group] of groups.entries()) {
    const step = steps.get(group.step) ?? [];
    if (step.length === 0) steps.set(group.step, step);
    step.push({ group, rank: ranks.get(names[index]!)! });
    yield;
  }
  const bounds = fill === null ? null : boundsOf(groups, window, localDays);
  if (fill === null || bounds === null) return yield* inOrder(steps);
  checkFill(bounds, ranked.length);
  return yield* filled(steps, ranked, bounds, missingCells(window, fill), fill);
}

interface Ranked {
  readonly group: Group;
  /** The place of its series among all. */
  readonly rank: number;
}

function* inOrder(steps: ReadonlyMap<number, readonly Ranked[]>): Pausable<readonly Group[]> {
  const all: Group[] = [];
  for (const step of [...steps.keys()].sort((a, b) => a - b)) {
    const ranked = yield* sorted(steps.get(step)!, (a, b) => a.rank - b.rank);
    for (const { group } of ranked) all.push(group);
    yield;
  }
  return all;
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

function* filled(
  steps: ReadonlyMap<number, readonly Ranked[]>,
  ranked: readonly Series[],
  { first, last }: Bounds,
  missing: readonly ByteCell[],
  fill: Fill,
): Pausable<readonly Group[]> {
  const before: (readonly ByteCell[])[] = ranked.map(() => missing);
  const all: Group[] = [];
  for (let step = first; step <= last; step++) {
    const known = new Map(steps.get(step)?.map(({ group, rank }) => [rank, group]));
    for (const [rank, series] of ranked.entries()) {
      const cells = known.get(rank)?.cells ?? before[rank]!;
      if (fill === 'previous') before[rank] = cells;
      all.push({ step, series, cells });
      yield;
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
