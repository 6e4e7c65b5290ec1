import type { LocalDays } from '../../base/local-days.js';
import type { Pausable } from '../../base/pausable.js';
import type { ByteCell } from '../direct/byte-text.js';
import { stepsOf } from '../direct/every.js';
import { badParameter } from '../errors.js';
import type { Window } from '../window.js';
import { type Fill, type Group, MOST_GROUPS, type Series } from './aggregation.js';
import { aggregatedDataset } from './result-columns.js';

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
  const places = new SeriesPlaces();
  // Without `by` all rows are one series, also where there are none.
  if (by.length === 0) places.of([]);
  const ofGroups: SeriesPlace[] = [];
  for (const { series } of groups) {
    ofGroups.push(places.of(series));
    yield;
  }
  const ranked = yield* inOrderOf(places.all);
  for (const [rank, series] of ranked.entries()) places.of(series).rank = rank;
  if (fill === null && isInOrder(groups, ofGroups)) return groups;
  const steps = yield* byStep(groups, ofGroups, ranked.length);
  const bounds = fill === null ? null : boundsOf(groups, window, localDays);
  if (fill === null || bounds === null) return yield* inOrder(steps);
  checkFill(bounds, ranked.length);
  return yield* filled(steps, ranked, bounds, missingCells(window, fill), fill);
}

interface SeriesPlace {
  readonly series: Series;
  /** Its place among all, once they are in order. */
  rank: number;
}

/** The different series of groups. Groups of one series may share its cells, or have cells that are equal. */
class SeriesPlaces {
  readonly #known = new Map<Series, SeriesPlace>();
  readonly #byName = new Map<string, SeriesPlace>();

  get all(): readonly Series[] {
    return Array.from(this.#byName.values(), ({ series }) => series);
  }

  of(series: Series): SeriesPlace {
    const known = this.#known.get(series);
    if (known !== undefined) return known;
    const name = JSON.stringify(series);
    const place = this.#byName.get(name) ?? { series, rank: 0 };
    this.#byName.set(name, place);
    this.#known.set(series, place);
    return place;
  }
}

/** Whether groups stand as they are wanted: by their steps, and within a step by their series. */
function isInOrder(groups: readonly Group[], places: readonly SeriesPlace[]): boolean {
  for (let index = 1; index < groups.length; index++) {
    const steps = groups[index]!.step - groups[index - 1]!.step;
    if (steps < 0 || (steps === 0 && places[index]!.rank < places[index - 1]!.rank)) return false;
  }
  return true;
}

/** The groups of each step, in the order of their series. */
function* byStep(
  groups: readonly Group[],
  places: readonly SeriesPlace[],
  series: number,
): Pausable<ReadonlyMap<number, readonly Ranked[]>> {
  const byRank: Ranked[][] = Array.from({ length: series }, () => []);
  for (const [index, group] of groups.entries()) {
    const { rank } = places[index]!;
    byRank[rank]!.push({ group, rank });
    yield;
  }
  const steps = new Map<number, Ranked[]>();
  for (const ranked of byRank) {
    for (const found of ranked) {
      const step = steps.get(found.group.step);
      if (step === undefined) steps.set(found.group.step, [found]);
      else step.push(found);
    }
    yield;
  }
  return steps;
}

interface Ranked {
  readonly group: Group;
  /** The place of its series among all. */
  readonly rank: number;
}

function* inOrder(steps: ReadonlyMap<number, readonly Ranked[]>): Pausable<readonly Group[]> {
  const all: Group[] = [];
  for (const step of [...steps.keys()].sort((a, b) => a - b)) {
    for (const { group } of steps.get(step)!) all.push(group);
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
