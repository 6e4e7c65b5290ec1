import { isoTime } from '../base/clock.js';
import { DynamoCsvError } from '../base/errors.js';

/** Cents; below a cent as many digits as it takes. */
export function dollars(usd: number): string {
  return `USD ${usd >= 0.01 || usd === 0 ? usd.toFixed(2) : Number(usd.toPrecision(1))}`;
}

/** Facts of a poll that would exceed the budget, in US dollars. */
export interface Excess {
  /** The source, for display. */
  readonly title: string;
  /** Of one poll. */
  readonly usdPerPoll: number;
  /** Per month. */
  readonly budget: number;
  /** What has been spent this month. */
  readonly spent: number;
  /** What polls of cheaper sources will need until the end of the month. */
  readonly reserved: number;
  /** When the month ends, in milliseconds since the epoch. */
  readonly until: number;
}

/** A source that one poll of would cost more than the budget of a whole month. */
export function neverAffordable({ title, usdPerPoll, budget }: Excess): DynamoCsvError {
  return new DynamoCsvError(
    'BUDGET_TOO_SMALL',
    `${title} is not read: one poll costs about ${dollars(usdPerPoll)}, and the budget is ${dollars(budget)} a month`,
    { remedy: 'raise budget, or leave this table out', status: 503 },
  );
}

/** A poll that has to wait for the next month. */
export function budgetSpent(excess: Excess): DynamoCsvError {
  const { title, usdPerPoll, budget, spent, reserved, until } = excess;
  const rest = reserved > 0 ? `, ${dollars(reserved)} are reserved for cheaper tables` : '';
  return new DynamoCsvError(
    'BUDGET_SPENT',
    `${title} waits until ${isoTime(until)}: a poll costs about ${dollars(usdPerPoll)}, and of this month's budget of ${dollars(budget)} ${dollars(spent)} are spent${rest}`,
    { remedy: 'raise budget to have it read sooner', status: 503 },
  );
}

/** The file with this month's spending has an unknown format. */
export function spendingUnreadable(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'SPENDING_UNREADABLE',
    `${path} cannot be read; what was spent this month is counted from zero`,
    { remedy: 'look at the bill before you rely on the budget of this month', cause },
  );
}

/** This month's spending could not be written. */
export function spendingNotWritten(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'SPENDING_NOT_WRITTEN',
    `${path} cannot be written; after a restart, what is spent from now on is not counted`,
    { remedy: 'free space on the disk, or allow the user of this process to write there', cause },
  );
}
