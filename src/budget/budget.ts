import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/durations.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Pace, Postponement } from '../collect/pace.js';
import type { OpenedSource, PollExpectation } from '../sources/kind.js';
import type { ReadingCost } from '../sources/source.js';
import { allocate, type Demand } from './allocate.js';
import { budgetSpent, dollars, neverAffordable } from './errors.js';
import type { Ledger } from './ledger.js';
import { endOfMonth, LONGEST_MONTH, monthOf } from './month.js';

export interface BudgetOptions {
  /** US dollars per calendar month (UTC). */
  readonly usdPerMonth: number;
  /** Whether everything in the ledger counts, or only what the budget's own sources spend. */
  readonly coversEverything: boolean;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A source that polls on a budget. */
export interface BudgetedSource extends Pick<OpenedSource, 'price' | 'expect'> {
  /** The published name of its first dataset. */
  readonly name: string;
  /** For display: `DynamoDB table orders`. */
  readonly title: string;
  /** Milliseconds: it is never polled more often. */
  readonly shortest: number;
  /** Whether its interval never changes and its polls never wait; its spending counts. */
  readonly isFixed: boolean;
}

/** The share of a provisioned table's capacity that polls on a budget may take. */
export const CAPACITY_SHARE = 0.25;
/** Milliseconds for which an expectation is used: DynamoDB updates a table's size about every six hours. */
const EXPECTATION_FRESH = 6 * 3_600_000;
/** Milliseconds after which intervals are chosen again: what is left of the month's budget has changed. */
const CHOOSE_AGAIN = 3_600_000;
/** Milliseconds between two choices because of costs that changed: choosing takes time with a thousand tables. */
const CHOOSE_AT_MOST_EVERY = 10_000;
/** Milliseconds after which a poll that the budget does not allow asks again. */
const ASK_AGAIN = 3_600_000;
/** Share of the interval that a poll may be early: fixed times and retries. */
const EARLY = 0.1;

/** Failures before anything was read; any other failed poll counts as if it had read everything. */
const FREE_FAILURES: ReadonlySet<string> = new Set([
  'REGION_MISSING',
  'CREDENTIALS_MISSING',
  'CREDENTIALS_EXPIRED',
  'CREDENTIALS_REJECTED',
  'TABLE_ACCESS_DENIED',
  'TABLE_NOT_FOUND',
  'TABLE_NOT_ACTIVE',
  'DYNAMODB_UNREACHABLE',
  'NO_DYNAMODB',
]);

/**
 * Keeps what polls cost below an amount per month. It chooses an interval for each source from what a poll of it costs, and
 * chooses again as costs change and money is spent; the sum over a calendar month stays below the amount. A poll that
 * would exceed it waits.
 */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #paces = new Set<BudgetPace>();
  /** Names whose spending counts; sources that have left are among them. */
  readonly #names = new Set<string>();
  #isOutdated = false;
  #chosenAt = Number.NEGATIVE_INFINITY;
  #chosenIn = '';

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  get usdPerMonth(): number {
    return this.#options.usdPerMonth;
  }

  /** Adds a source. Its interval is chosen once the cost of a poll is known: before its first poll. */
  join(source: BudgetedSource): BudgetPace {
    const pace = new BudgetPace(source, this, this.#options);
    this.#paces.add(pace);
    this.#names.add(source.name);
    return pace;
  }

  /** Adds a source again that has left; one that is there stays. */
  rejoin(pace: BudgetPace): void {
    this.#paces.add(pace);
    this.outdated();
  }

  /** Removes a source; what it has spent still counts. */
  leave(pace: BudgetPace): void {
    this.#paces.delete(pace);
    this.outdated();
  }

  /** US dollars spent this month. */
  get spent(): number {
    const { ledger, coversEverything } = this.#options;
    if (coversEverything) return ledger.total;
    return [...this.#names].reduce((sum, name) => sum + ledger.spentBy(name), 0);
  }

  /** US dollars per month (730 hours) that all polls together are expected to cost at their intervals. */
  get expected(): number {
    return [...this.#paces].reduce((sum, { usdPerMonth }) => sum + (usdPerMonth ?? 0), 0);
  }

  /** To be called when the cost of a source has changed. */
  outdated(): void {
    this.#isOutdated = true;
  }

  /** Chooses the intervals if something has changed; `atOnce`: even if that was done a moment ago. */
  settle(atOnce = false): void {
    const now = this.#options.clock.now();
    const age = Math.abs(now - this.#chosenAt);
    const isDue = this.#isOutdated && (atOnce || age >= CHOOSE_AT_MOST_EVERY);
    if (isDue || age >= CHOOSE_AGAIN || monthOf(now) !== this.#chosenIn) this.#choose(now);
  }

  /** Whether a poll fits into the month's budget; null: it does. */
  excess(pace: BudgetPace): DynamoCsvError | null {
    const { usdPerMonth: budget, clock } = this.#options;
    const { usdPerPoll, title } = pace;
    const now = clock.now();
    const until = endOfMonth(now);
    const { spent } = this;
    const reserved = this.#cheaper(pace) * (until - now);
    if (usdPerPoll === 0 || spent + usdPerPoll + reserved <= budget) return null;
    const excess = { title, usdPerPoll, budget, spent, reserved, until };
    return usdPerPoll > budget ? neverAffordable(excess) : budgetSpent(excess);
  }

  /** US dollars per millisecond of the sources with cheaper polls, which take precedence at the end of the money. */
  #cheaper(pace: BudgetPace): number {
    let rate = 0;
    for (const other of this.#paces) {
      if (other !== pace && (other.isFixed || other.usdPerPoll < pace.usdPerPoll))
        rate += other.usdPerMillisecond;
    }
    return rate;
  }

  #choose(now: number): void {
    this.#isOutdated = false;
    this.#chosenAt = now;
    this.#chosenIn = monthOf(now);
    // One that is never read because of its cost leaves its money to the others.
    const flexible = [...this.#paces].filter((pace) => !pace.isFixed && !pace.isBeyondBudget);
    const intervals = allocate(flexible, Math.max(0, this.#rate(now)));
    flexible.forEach((pace, index) => {
      pace.choose(intervals[index] ?? pace.shortest);
    });
  }

  /** US dollars per millisecond that flexible sources may spend: never more than the budget allows in the longest month. */
  #rate(now: number): number {
    const { usdPerMonth } = this.#options;
    const left = (usdPerMonth - this.spent) / Math.max(1, endOfMonth(now) - now);
    const fixed = [...this.#paces].filter(({ isFixed }) => isFixed);
    return (
      Math.min(usdPerMonth / LONGEST_MONTH, left) -
      fixed.reduce((sum, { usdPerMillisecond }) => sum + usdPerMillisecond, 0)
    );
  }
}

/** AWS's month of 730 hours, for display. */
const BILLED_MONTH = 730 * 3_600_000;

/** The pace of one source on a budget. */
export class BudgetPace implements Pace, Demand {
  readonly #source: BudgetedSource;
  readonly #budget: Budget;
  readonly #options: BudgetOptions;
  #interval: number;
  #change = new AbortController();
  #expectation: { readonly value: PollExpectation; readonly at: number } | null = null;
  /** What the last poll has cost, and the units that were expected of it. */
  #polled: { readonly usd: number; readonly expectedUnits: number | null } | null = null;
  #problem: DynamoCsvError | null = null;
  #hasChosen = false;

  constructor(source: BudgetedSource, budget: Budget, options: BudgetOptions) {
    this.#source = source;
    this.#budget = budget;
    this.#options = options;
    this.#interval = source.shortest;
  }

  get title(): string {
    return this.#source.title;
  }

  get isFixed(): boolean {
    return this.#source.isFixed;
  }

  get interval(): number {
    return this.#interval;
  }

  get changed(): AbortSignal {
    return this.#change.signal;
  }

  get shortest(): number {
    return Math.max(this.#source.shortest, this.#expectation?.value.shortestInterval ?? 0);
  }

  /** What DynamoDB says about the table; null: nothing yet. */
  get expectation(): PollExpectation | null {
    return this.#expectation?.value ?? null;
  }

  /** US dollars of the next poll: of the last one, in proportion to how the table has grown since; 0 if unknown. */
  get usdPerPoll(): number {
    const expected = this.#expectation?.value ?? null;
    const polled = this.#polled;
    if (polled === null) return expected?.usdPerPoll ?? 0;
    if (expected === null || polled.expectedUnits === null) return polled.usd;
    return polled.usd * (expected.unitsPerPoll / polled.expectedUnits);
  }

  /** Whether it is never polled: one poll costs more than the budget of a month. */
  get isBeyondBudget(): boolean {
    return !this.isFixed && this.usdPerPoll > this.#budget.usdPerMonth;
  }

  get usdPerMillisecond(): number {
    return this.isBeyondBudget ? 0 : this.usdPerPoll / this.#interval;
  }

  /** US dollars per month (730 hours) at the present interval; null before the cost of a poll is known. */
  get usdPerMonth(): number | null {
    if (this.#expectation === null && this.#polled === null) return null;
    return this.usdPerMillisecond * BILLED_MONTH;
  }

  /** Why its polls wait; null: they do not. */
  get problem(): DynamoCsvError | null {
    return this.#problem;
  }

  /** What is known about its size, or what AWS answers now. Rejects as the source's `expect` does. */
  async known(signal: AbortSignal): Promise<PollExpectation> {
    const { expect } = this.#source;
    if (this.#expectation === null && expect !== undefined) this.expects(await expect(signal));
    this.#budget.settle(!this.#hasChosen);
    if (this.#expectation === null) throw new TypeError(`the size of ${this.title} is not known`);
    return this.#expectation.value;
  }

  /** Uses what is known about the source already, so that it need not be asked. */
  expects(value: PollExpectation): void {
    this.#expectation = { value, at: this.#options.clock.now() };
    this.#budget.outdated();
  }

  async admit(last: number | null, signal: AbortSignal): Promise<Postponement | null> {
    if (this.isFixed) return null;
    await this.#askAgain(signal);
    this.#budget.settle(!this.#hasChosen);
    const now = this.#options.clock.now();
    if (last !== null && last <= now && last + this.#interval * (1 - EARLY) > now)
      return { until: last + this.#interval, problem: this.#problem };
    this.#problem = this.#budget.excess(this);
    if (this.#problem === null) return null;
    return { until: Math.min(endOfMonth(now), now + ASK_AGAIN), problem: this.#problem };
  }

  succeeded(cost: ReadingCost): void {
    const usd = this.#source.price(cost);
    this.#options.ledger.add(this.#source.name, usd);
    const before = this.usdPerPoll;
    const expectedUnits = this.#expectation?.value.unitsPerPoll ?? null;
    this.#polled = { usd, expectedUnits: expectedUnits === 0 ? null : expectedUnits };
    if (usd !== before) this.#budget.outdated();
  }

  failed({ code }: DynamoCsvError): void {
    if (!FREE_FAILURES.has(code)) this.#options.ledger.add(this.#source.name, this.usdPerPoll);
  }

  /** Called by the budget. */
  choose(interval: number): void {
    const before = this.#interval;
    const isFirst = !this.#hasChosen;
    this.#hasChosen = true;
    if (interval === before) return;
    this.#interval = interval;
    const { name } = this.#source;
    const every = formatDuration(interval);
    const month = dollars((this.usdPerPoll / interval) * BILLED_MONTH);
    this.#options.logger[isFirst ? 'debug' : 'info'](
      { dataset: name, before: formatDuration(before), interval: every },
      `the budget has it polled every ${every}: about ${month} a month`,
    );
    const change = this.#change;
    this.#change = new AbortController();
    change.abort(new Error('the interval has changed'));
  }

  /** Asks for the size again if the answer is old. A source that cannot answer fails when it is polled, with the reason. */
  async #askAgain(signal: AbortSignal): Promise<void> {
    const { expect } = this.#source;
    const now = this.#options.clock.now();
    if (expect === undefined) return;
    if (this.#expectation !== null && Math.abs(now - this.#expectation.at) < EXPECTATION_FRESH) return;
    const value = await expect(signal).catch(() => null);
    signal.throwIfAborted();
    if (value !== null) this.expects(value);
  }
}
