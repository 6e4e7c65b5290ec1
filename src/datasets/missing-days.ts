import type { Dataset } from './dataset.js';
import type { Relation, SealedDay } from './relation.js';

/** A sealed day that the archive does not have as it was written. */
export interface LostDay {
  readonly dataset: string;
  /** Local day, `2026-11-24`. */
  readonly date: string;
}

/** A sealed day that cannot be read. */
export interface MissingDay {
  /** Local day, `2026-11-24`. */
  readonly date: string;
  /** Why, as a part of a sentence. */
  readonly reason: string;
}

const LOST = 'the archive has lost or damaged its file (docs/recovery.md)';

/** The sealed days of a dataset; empty for what keeps no history. */
export function sealedDaysOf(dataset: Dataset): readonly SealedDay[] {
  return isRelation(dataset) ? dataset.sealedDays : [];
}

/**
 * The sealed days of a dataset that cannot be read, oldest first. `lost`: what the archive was seen to have lost, of all
 * datasets.
 */
export function missingDays(dataset: Dataset, lost: readonly LostDay[]): readonly MissingDay[] {
  const reasons = new Map<string, string>();
  for (const { dataset: name, date } of lost) if (name === dataset.name) reasons.set(date, LOST);
  for (const { date, missing } of sealedDaysOf(dataset))
    if (missing !== undefined) reasons.set(date, missing);
  return [...reasons].map(([date, reason]) => ({ date, reason })).sort((a, b) => (a.date < b.date ? -1 : 1));
}

function isRelation(dataset: Dataset): dataset is Relation {
  return 'sealedDays' in dataset;
}
