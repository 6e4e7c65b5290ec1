import { createYielder } from '../../base/event-loop.js';
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
 * the last one, that any series has. Throws `BAD_PARAMETER` for too many rows.
 */
export async function withFill(
  groups: readonly Group[],
  window: Window,
  localDays: LocalDays,
  sorted: (series: readonly Series[]) => readonly Series[],
): Promise<readonly Group[]> {
  const { by, fill } = window.aggregation!;
  const places = new Map<string, Series>();
  // Without `by` all rows are one series, also where there are none.
  if (by.length === 0) places.set('[]', []);
  const names: string[] = [];
  const breathe = createYielder();
  for (const { series } of groups) {
    const name = JSON.stringify(series);
    if (!places.has(name)) places.set(name, series);
    names.push(name);
    await breathe();
  }
  const ranked = sorted([...places.values()]);
  await breathe();
  const ranks = new Map(ranked.map((series, rank) => [JSON.stringify(series), rank]));
  const steps = new Map<number, Ranked[]>();
  for (const [index, group] of groups.entries()) {
    const step = steps.get(group.step) ?? [];
    if (step.length === 0) steps.set(group.step, step);
    step.push({ group, rank: ranks.get(names[index]!)! });
    await breathe();
  }
  const bounds = fill === null ? null : boundsOf(groups, window, localDays);
  if (fill === null || bounds === null) return inOrder(steps);
  checkFill(bounds, ranked.length);
  return filled(steps, ranked, bounds, missingCells(window, fill), fill);
}

interface Ranked {
  readonly group: Group;
  /** The place of its series among all. */
  readonly rank: number;
}

async function inOrder(steps: ReadonlyMap<number, readonly Ranked[]>): Promise<readonly Group[]> {
  const breathe = createYielder();
  const all: Group[] = [];
  for (const step of [...steps.keys()].sort((a, b) => a - b)) {
    for (const { group } of steps.get(step)!.toSorted((a, b) => a.rank - b.rank)) all.push(group);
    await breathe();
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

async function filled(
  steps: ReadonlyMap<number, readonly Ranked[]>,
  ranked: readonly Series[],
  { first, last }: Bounds,
  missing: readonly ByteCell[],
  fill: Fill,
): Promise<readonly Group[]> {
  const before: (readonly ByteCell[])[] = ranked.map(() => missing);
  const breathe = createYielder();
  const all: Group[] = [];
  for (let step = first; step <= last; step++) {
    const known = new Map(steps.get(step)?.map(({ group, rank }) => [rank, group]));
    for (const [rank, series] of ranked.entries()) {
      const cells = known.get(rank)?.cells ?? before[rank]!;
      if (fill === 'previous') before[rank] = cells;
      all.push({ step, series, cells });
    }
    await breathe();
  }
  return all;
}

/** The cells of a step without rows, before which there is none. Only numbers can be 0. */
function missingCells({ dataset, aggregation, every }: Window, fill: Fill): readonly ByteCell[] {
  const { columns } = aggregatedDataset(dataset, aggregation!, every);
  const aggregates = columns.slice(columns.length - aggregation!.aggregates.length);
  return aggregates.map(({ type }) => (fill === '0' && type === 'number' ? '0' : null));
}
