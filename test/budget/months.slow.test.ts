import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Budget, type BudgetPace } from '../../src/budget/budget.js';
import { Ledger } from '../../src/budget/ledger.js';
import { readPrice, scanUnits } from '../../src/sources/dynamodb/cost.js';
import type { PollExpectation } from '../../src/sources/kind.js';
import { nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const START = Date.parse('2026-11-05T09:30:00.000Z');
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KB = 1_024;
const MB = KB * KB;
const GB = KB * MB;

const PRICE = (units: number) => readPrice(units, 'us-east-1');

/** A simulated table: its true size, and the size that DescribeTable reports, which is up to six hours old. */
class Table {
  readonly pace: BudgetPace;
  readonly polls: number[] = [];
  #described = 0;
  #describedAt = Number.NEGATIVE_INFINITY;
  /** When it is asked for next. */
  due: number;
  bytes: number;

  constructor(
    readonly name: string,
    bytes: number,
    readonly world: World,
    readonly provisioned: number | null = null,
  ) {
    this.bytes = bytes;
    this.due = world.clock.now();
    this.pace = world.budget.join({
      name,
      title: `DynamoDB table ${name}`,
      shortest: 30 * SECOND,
      isFixed: false,
      price: ({ readCapacityUnits }) => (provisioned === null ? PRICE(readCapacityUnits) : 0),
      expect: async () => this.#expectation(),
    });
  }

  get units(): number {
    return scanUnits(this.bytes, { consistent: false });
  }

  #expectation(): PollExpectation {
    const now = this.world.clock.now();
    if (now - this.#describedAt >= 6 * HOUR) {
      this.#described = this.bytes;
      this.#describedAt = now;
    }
    const unitsPerPoll = scanUnits(this.#described, { consistent: false });
    const { provisioned } = this;
    return {
      items: 1,
      bytes: this.#described,
      unitsPerPoll,
      usdPerPoll: provisioned === null ? PRICE(unitsPerPoll) : 0,
      shortestInterval: provisioned === null ? 0 : (unitsPerPoll / (provisioned / 4)) * SECOND,
    };
  }

  /** What a collector does when a poll is due. */
  async step(): Promise<void> {
    const { clock, signal } = this.world;
    const now = clock.now();
    const postponed = await this.pace.admit(this.polls.at(-1) ?? null, signal);
    if (postponed !== null) {
      this.due = postponed.until;
      return;
    }
    this.polls.push(now);
    this.world.spent(PRICE(this.provisioned === null ? this.units : 0));
    this.pace.succeeded({
      requests: 1,
      attempts: 1,
      bytes: this.bytes,
      readCapacityUnits: this.units,
      metricsRequested: 0,
    });
    this.due = now + this.pace.interval;
  }
}

/** A month's polls at 30 seconds are too many to simulate for each test: time passes from poll to poll. */
class World {
  readonly clock: ManualClock;
  readonly signal = new AbortController().signal;
  readonly byMonth = new Map<string, number>();
  tables: Table[] = [];
  budget!: Budget;
  ledger!: Ledger;
  readonly logs = logLines();

  constructor(
    readonly folder: string,
    readonly usd: number,
    start: number,
  ) {
    this.clock = new ManualClock(start);
  }

  static async create(t: TestContext, usd: number, start = START): Promise<World> {
    let world: World | null = null;
    // Before the folder is removed.
    t.after(() => world?.ledger.close());
    world = new World(await temporaryFolder(t), usd, start);
    await world.restart();
    return world;
  }

  /** Forgets everything that is not on the volume. */
  async restart(): Promise<void> {
    await this.ledger?.close();
    const { clock } = this;
    const { logger } = this.logs;
    this.ledger = await Ledger.open({ path: join(this.folder, 'spending'), files: nodeFiles, clock, logger });
    this.budget = new Budget({
      usdPerMonth: this.usd,
      coversEverything: false,
      ledger: this.ledger,
      clock,
      logger,
    });
  }

  add(name: string, bytes: number, provisioned: number | null = null): Table {
    const table = new Table(name, bytes, this, provisioned);
    this.tables.push(table);
    return table;
  }

  remove(table: Table): void {
    this.tables = this.tables.filter((other) => other !== table);
    this.budget.leave(table.pace);
  }

  spent(usd: number): void {
    const month = new Date(this.clock.now()).toISOString().slice(0, 7);
    this.byMonth.set(month, (this.byMonth.get(month) ?? 0) + usd);
  }

  /** Lets time pass. `each` is called every simulated hour. */
  async pass(duration: number, each: (hours: number) => void = () => undefined): Promise<void> {
    const end = this.clock.now() + duration;
    let hours = 0;
    let nextHour = this.clock.now() + HOUR;
    while (this.clock.now() < end) {
      const now = this.clock.now();
      for (const table of this.tables) if (table.due <= now) await table.step();
      if (now >= nextHour) {
        hours += 1;
        each(hours);
        nextHour += HOUR;
      }
      const next = Math.min(nextHour, ...this.tables.map(({ due }) => due));
      this.clock.advance(Math.max(1, Math.min(next, end) - now));
    }
  }

  assertWithinBudget(): void {
    for (const [month, usd] of this.byMonth) assert.ok(usd <= this.usd, `${month}: USD ${usd}`);
  }
}

describe('a budget over months', () => {
  it('reads small tables every 30 seconds and large ones as often as the rest allows', async (t) => {
    const world = await World.create(t, 5);
    const small = world.add('small', 100 * KB);
    const medium = world.add('medium', 20 * MB);
    const large = world.add('large', 2 * GB);
    await world.pass(2 * DAY);
    assert.equal(small.pace.interval, 30 * SECOND);
    assert.ok(
      medium.pace.interval > 2 * MINUTE && medium.pace.interval <= 15 * MINUTE,
      String(medium.pace.interval),
    );
    assert.ok(large.pace.interval >= 4 * HOUR && large.pace.interval <= DAY, String(large.pace.interval));
    assert.ok(world.budget.expected <= 5);
    assert.ok(world.budget.expected > 2, 'most of the money is used');
  });

  it('stays below its amount in every month while tables grow, shrink, come and go', async (t) => {
    const world = await World.create(t, 10);
    const growing = world.add('growing', 50 * MB);
    const steady = world.add('steady', 300 * MB);
    const shrinking = world.add('shrinking', 4 * GB);
    let visitor: Table | null = null;
    await world.pass(100 * DAY, (hours) => {
      growing.bytes *= 1.002;
      shrinking.bytes = Math.max(MB, shrinking.bytes * 0.998);
      if (hours % 500 === 100) visitor = world.add(`visitor-${hours}`, 3 * GB);
      if (hours % 500 === 400 && visitor !== null) world.remove(visitor);
    });
    world.assertWithinBudget();
    assert.deepEqual([...world.byMonth.keys()], ['2026-11', '2026-12', '2027-01', '2027-02']);
    for (const month of ['2026-12', '2027-01']) {
      assert.ok(world.byMonth.get(month)! > 5, `${month}: USD ${world.byMonth.get(month)} of 10`);
    }
    assert.ok(
      growing.pace.interval > steady.pace.interval,
      'the one that has become larger is read more rarely',
    );
    for (const table of [growing, steady, shrinking]) {
      const longest = Math.max(...table.polls.slice(1).map((at, index) => at - table.polls[index]!));
      assert.ok(longest <= 3 * DAY, `${table.name} was not read for ${longest / DAY} days`);
    }
  });

  it('does not exceed it by a table that grows a hundredfold between two polls', async (t) => {
    const world = await World.create(t, 5);
    const table = world.add('bursting', 1 * GB);
    world.add('small', 100 * KB);
    await world.pass(60 * DAY, (hours) => {
      if (hours === 300) table.bytes = 40 * GB;
      if (hours === 1_000) table.bytes = 1 * GB;
    });
    world.assertWithinBudget();
  });

  it('counts what was spent before a restart, and does not poll at once again', async (t) => {
    const world = await World.create(t, 5);
    const first = world.add('large', 5 * GB);
    await world.pass(HOUR);
    assert.equal(first.polls.length, 1);
    const spent = world.ledger.total;
    assert.ok(spent > 0.05);
    for (let restart = 0; restart < 100; restart++) {
      await world.restart();
      world.tables = [];
      const again = world.add('large', 5 * GB);
      again.polls.push(first.polls[0]!);
      await world.pass(MINUTE);
      assert.equal(again.polls.length, 1, `restart ${restart} has polled`);
    }
    assert.equal(world.ledger.total, spent);
  });

  it('leaves a table out that one poll of would cost more than all, says so, and reads the others', async (t) => {
    const world = await World.create(t, 1);
    const giant = world.add('giant', 500 * GB);
    const small = world.add('small', 100 * KB);
    await world.pass(DAY);
    assert.equal(giant.polls.length, 0);
    assert.equal(giant.pace.problem?.code, 'BUDGET_TOO_SMALL');
    assert.match(
      giant.pace.problem!.line,
      /^DynamoDB table giant is not read: one poll costs about USD 8\.19, and the budget is USD 1\.00 a month; raise budget/,
    );
    assert.ok(small.polls.length > 2_800);
    assert.equal(giant.pace.usdPerMonth, 0, 'what is never read costs nothing');
    assert.ok(world.budget.expected < 1);
  });

  it('has polls wait when the money of the month is spent, until the next month', async (t) => {
    const world = await World.create(t, 1, Date.parse('2026-11-29T00:00:00.000Z'));
    // An earlier start this month has spent it.
    world.ledger.add('earlier', 0.7);
    const other = world.budget.join({
      name: 'earlier',
      title: 'earlier',
      shortest: 30 * SECOND,
      isFixed: false,
      price: () => 0,
    });
    world.budget.leave(other);
    const table = world.add('large', 20 * GB);
    await world.pass(DAY);
    assert.deepEqual(table.polls, []);
    assert.equal(table.pace.problem?.code, 'BUDGET_SPENT');
    assert.match(
      table.pace.problem!.line,
      /waits until 2026-12-01T00:00:00\.000Z: a poll costs about USD 0\.33, .* USD 1\.00 USD 0\.70 are spent/,
    );
    await world.pass(2 * DAY);
    assert.equal(table.polls.length, 1);
    assert.equal(table.pace.problem, null);
  });

  it('takes at most a quarter of a provisioned capacity, and no money', async (t) => {
    const world = await World.create(t, 1);
    const table = world.add('provisioned', 100 * MB, 100);
    await world.pass(DAY);
    // 12,800 units at 25 units a second.
    assert.equal(table.pace.interval, 512 * SECOND);
    assert.equal(world.ledger.total, 0);
    assert.equal(table.pace.usdPerMonth, 0);
  });

  it('reserves what fixed sources cost', async (t) => {
    const world = await World.create(t, 2);
    const fixed = world.budget.join({
      name: 'instances',
      title: 'EC2 instances',
      shortest: MINUTE,
      isFixed: true,
      price: () => 0.00003,
    });
    fixed.succeeded({ requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 3 });
    const table = world.add('table', 1 * GB);
    await world.pass(DAY);
    assert.equal(fixed.interval, MINUTE);
    assert.ok(world.budget.expected <= 2, String(world.budget.expected));
    assert.ok(table.pace.usdPerMonth! < 0.7);
  });
});
