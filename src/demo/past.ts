import type { ApiServer } from './api-server.js';
import type { City } from './city.js';
import { Fleet } from './fleet.js';
import { nextDate } from './local-time.js';
import type { FleetTable, Item } from './tables.js';

/** The result of a past poll: all items of a table, or the API server's row. */
export interface PastPoll {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly table: FleetTable | 'api-server';
  readonly items: readonly Item[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Local days of history that the demo starts with. */
export const PAST_DAYS = 30;

/**
 * The interval between past polls: short where a view needs detail (the same day last week, in steps of five minutes),
 * long where views count by hour or day. Live polls come every 30 seconds; 86,400 of them per table would only make the
 * start slower.
 */
const SPACING: readonly {
  readonly table: PastPoll['table'];
  /** Older than this, in milliseconds before the end, there is a poll every `every`. */
  readonly steps: readonly { readonly age: number; readonly every: number }[];
}[] = [
  {
    table: 'flag-dynamodb',
    steps: [
      { age: Number.POSITIVE_INFINITY, every: 30 * MINUTE },
      { age: 8 * DAY, every: 5 * MINUTE },
      { age: 6 * DAY, every: 30 * MINUTE },
      { age: 2 * DAY, every: 5 * MINUTE },
    ],
  },
  {
    table: 'pickup-zone-dynamodb',
    steps: [
      { age: Number.POSITIVE_INFINITY, every: 30 * MINUTE },
      { age: 2 * DAY, every: 10 * MINUTE },
    ],
  },
  { table: 'taxi-destination-dynamodb', steps: [{ age: 3 * HOUR, every: 2 * MINUTE }] },
  {
    table: 'api-server',
    steps: [
      { age: Number.POSITIVE_INFINITY, every: 30 * MINUTE },
      { age: 2 * DAY, every: 5 * MINUTE },
    ],
  },
];

/** Tables with counters are also polled just before the nightly reset, so that the final counts are recorded. */
const COUNTED: readonly PastPoll['table'][] = ['flag-dynamodb', 'pickup-zone-dynamodb'];

/** The local midnight at which a past that ends at `to` begins. */
export function beginningOfPast(city: City, to: number): number {
  return city.clock.timeOf(nextDate(city.clock.at(to).date, -PAST_DAYS), 0);
}

/**
 * The past up to `to` (excluded) as polls would have found it, in order of time. It comes from the fleet's own model:
 * the live fleet at `to` continues the counters of the last polls.
 */
export function* pastPolls(city: City, server: ApiServer, to: number): Generator<PastPoll> {
  const polls = schedule(city, to);
  const fleet = new Fleet(city, polls[0]?.timestamp ?? to);
  for (const { timestamp, table } of polls) {
    fleet.advanceTo(timestamp);
    yield { timestamp, table, items: table === 'api-server' ? [server.row(timestamp)] : fleet.items(table) };
  }
}

function schedule(city: City, to: number): Pick<PastPoll, 'timestamp' | 'table'>[] {
  const from = beginningOfPast(city, to);
  const resets = resetsBetween(city, from, to);
  const polls = SPACING.flatMap(({ table, steps }) => {
    const times = steps.flatMap(({ age, every }, index) =>
      pollTimes(Math.max(from, to - age), to - (steps[index + 1]?.age ?? 0), every),
    );
    const extra = COUNTED.includes(table) ? resets.map((reset) => reset - 1_000) : [];
    return [...new Set([...times, ...extra])].map((timestamp) => ({ timestamp, table }));
  });
  return polls.sort((a, b) => a.timestamp - b.timestamp);
}

/** One second before each multiple of the step, so that counts fall into the hour or day they belong to. */
function pollTimes(from: number, to: number, every: number): number[] {
  const times: number[] = [];
  for (let time = Math.ceil(from / every) * every - 1_000; time < to; time += every) times.push(time);
  return times;
}

function resetsBetween(city: City, from: number, to: number): number[] {
  const resets: number[] = [];
  for (let date = city.clock.at(from).date; city.resetOf(date) < to; date = nextDate(date, 1)) {
    resets.push(city.resetOf(date));
  }
  return resets;
}
