import { LocalDays } from '../../../base/local-days.js';
import type { KeyAttribute } from '../keys.js';
import {
  joined,
  type KeyCondition,
  type KeyContext,
  keyConditions,
  MAX_QUERIES,
  notBefore,
} from './conditions.js';
import { sinceNotSorted, tooManyQueries } from './errors.js';
import { decodePosition, newTail, type Position, requestValue, type SinceTask, type Tail } from './since.js';
import type { QueryConfig, Target } from './target.js';

/** The Queries of one reading. */
export interface QueryPlan {
  readonly queries: readonly KeyCondition[];
  readonly since: SinceTask | null;
  /** Local dates that are no longer read, because too many passed since the last reading; oldest first. */
  readonly skipped: readonly string[];
}

/** When and from where a reading begins. */
export interface QueryMoment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly timeZone: string;
  /** The position of the last reading; null: there is none. */
  readonly position: string | null;
}

/**
 * Plans the Queries of a reading. With `since` the dates of every day since the last reading count, today included: items
 * that came at the end of a day are read on the next one.
 * Throws a `DynamoCsvError` if the key does not fit the table or index. `at`: where the configuration has the query.
 */
export function planQueries(
  config: QueryConfig,
  { key, what }: Pick<Target, 'key' | 'what'>,
  { now, timeZone, position }: QueryMoment,
  at: string,
): QueryPlan {
  const context = { at: `${at}.key`, what };
  const days = new LocalDays(timeZone);
  const conditionsOn = (date: string) => keyConditions(config.key, key, date, context);
  const today = days.dateOf(now);
  if (config.since === null)
    return { queries: distinct([conditionsOn(today)], context), since: null, skipped: [] };
  const attribute = growing(config.since, config, key, { at, what });
  const last = position === null ? null : decodePosition(position, config.index, config.since);
  const dates = last === null ? [today] : datesBetween(days, last.at - config.overlap, now);
  const { conditions, skipped } = conditionsOf(dates, conditionsOn, context);
  const tails = tailsOf(conditions, last);
  const queries = conditions.map((condition, index) => {
    const { from } = tails[index]!;
    return from === null ? condition : joined(condition, notBefore(attribute.name, requestValue(from)));
  });
  return { queries, since: { attribute, overlap: config.overlap, now, tails }, skipped };
}

/** The sort key that `since` names; it must be the first one that has no value. */
function growing(
  since: string,
  config: QueryConfig,
  { sort }: Target['key'],
  context: KeyContext,
): KeyAttribute {
  const first = sort.find(({ name }) => !Object.hasOwn(config.key, name));
  if (first?.name !== since) throw sinceNotSorted(context, since, first?.name ?? null);
  return first;
}

/** The most days whose partitions are read after a break. */
const MAX_DAYS = 400;

/** The local dates from one instant to another, newest first. */
function datesBetween(days: LocalDays, from: number, to: number): string[] {
  const dates = [days.dateOf(to)];
  const first = days.dateOf(from);
  while (dates.at(-1)! > first && dates.length < MAX_DAYS) dates.push(LocalDays.daysBefore(dates.at(-1)!, 1));
  return dates;
}

/** The distinct conditions of several dates, as far as a poll may have so many. `dates`: newest first. */
function conditionsOf(
  dates: readonly string[],
  conditionsOn: (date: string) => readonly KeyCondition[],
  context: KeyContext,
): { readonly conditions: readonly KeyCondition[]; readonly skipped: readonly string[] } {
  const all: (readonly KeyCondition[])[] = [];
  for (const [index, date] of dates.entries()) {
    const more = [...all, conditionsOn(date)];
    if (index > 0 && union(more).length > MAX_QUERIES)
      return { conditions: union(all), skipped: dates.slice(index).reverse() };
    all.push(more.at(-1)!);
  }
  return { conditions: distinct(all, context), skipped: [] };
}

function distinct(all: readonly (readonly KeyCondition[])[], context: KeyContext): readonly KeyCondition[] {
  const conditions = union(all);
  if (conditions.length > MAX_QUERIES) throw tooManyQueries(context, conditions.length, MAX_QUERIES);
  return conditions;
}

function union(all: readonly (readonly KeyCondition[])[]): readonly KeyCondition[] {
  return [...new Map(all.flat().map((condition) => [condition.id, condition])).values()];
}

function tailsOf(conditions: readonly KeyCondition[], last: Position | null): readonly Tail[] {
  const known = new Map(last?.tails.map((tail) => [tail.id, tail]));
  return conditions.map(({ id }) => known.get(id) ?? newTail(id));
}
