/** What one source needs, for `allocate`. */
export interface Demand {
  /** US dollars of one poll; 0 if reading it is not billed. */
  readonly usdPerPoll: number;
  /** Milliseconds: it is never polled more often. */
  readonly shortest: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The intervals to choose from, in milliseconds; beyond them whole days. Few and far apart, so that a table that grows a
 * little keeps its interval.
 */
const INTERVALS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 12, 24].map((hours) => hours * HOUR),
];

/** Bisections of the limit: it is found to a billionth, which is far less than the distance of two intervals. */
const ROUNDS = 60;
/** The interval where there is no money at all: until then there is a new month. */
const LONGEST = 31 * DAY;

/**
 * Chooses the interval of each source in milliseconds, in the order of `demands`, so that all polls together cost at most
 * `usdPerMillisecond`. No source may spend more than a limit, which is the same for all and as high as possible: what is
 * cheap is polled at its shortest interval, and what is expensive only as often as the rest of the money allows.
 */
export function allocate(demands: readonly Demand[], usdPerMillisecond: number): readonly number[] {
  const shortest = demands.map((demand) => demand.shortest);
  if (spending(demands, shortest) <= usdPerMillisecond) return shortest;
  if (usdPerMillisecond <= 0) return demands.map((demand) => withoutMoney(demand));
  // In logarithms: sources differ in cost by many orders of magnitude. At the lower limit all together fit.
  let low = Math.log(usdPerMillisecond / demands.length);
  let high = Math.log(Math.max(...demands.map((demand) => demand.usdPerPoll / demand.shortest)));
  for (let round = 0; round < ROUNDS; round++) {
    const middle = (low + high) / 2;
    if (spending(demands, within(demands, Math.exp(middle))) <= usdPerMillisecond) low = middle;
    else high = middle;
  }
  return within(demands, Math.exp(low));
}

/** US dollars per millisecond at those intervals. */
export function spending(demands: readonly Demand[], intervals: readonly number[]): number {
  return demands.reduce((sum, { usdPerPoll }, index) => sum + usdPerPoll / (intervals[index] ?? DAY), 0);
}

/** The intervals at which no source spends more than `limit`, in US dollars per millisecond. */
function within(demands: readonly Demand[], limit: number): readonly number[] {
  return demands.map(({ usdPerPoll, shortest }) =>
    usdPerPoll === 0 ? shortest : roundUp(usdPerPoll / limit, shortest),
  );
}

/** The next interval to choose from that is long enough. */
function roundUp(needed: number, shortest: number): number {
  if (needed <= shortest) return shortest;
  const interval = INTERVALS.find((one) => one >= needed) ?? Math.ceil(needed / DAY) * DAY;
  return Math.max(shortest, interval);
}

function withoutMoney({ usdPerPoll, shortest }: Demand): number {
  return usdPerPoll === 0 ? shortest : Math.max(shortest, LONGEST);
}
