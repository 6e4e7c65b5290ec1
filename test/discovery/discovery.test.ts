import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { Discovery, type DiscoveryHost } from '../../src/discovery/discovery.js';
import { FoundTables } from '../../src/discovery/found-tables.js';
import { type DiscoverConfig, discoverConfig } from '../../src/sources/dynamodb/discover.js';
import type { TableSurvey } from '../../src/sources/dynamodb/table-list.js';
import type { ConfiguredSource } from '../../src/sources/kind.js';
import { nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const START = Date.parse('2026-11-24T09:30:00.000Z');
const TEN_MINUTES = 600_000;

/** A service as discovery sees it. */
class Host implements DiscoveryHost {
  readonly open_ = new Map<string, ConfiguredSource>();
  readonly polled = new Map<string, number>();
  readonly stopped = new Map<string, string>();
  taken: string[] = [];
  settled = 0;

  isTaken(name: string): boolean {
    const lower = name.toLowerCase();
    const names = [...this.open_.values()].flatMap(({ published }) => published.map((one) => one.name));
    return [...names, ...this.taken].some((one) => one.toLowerCase() === lower);
  }

  async open(source: ConfiguredSource): Promise<void> {
    const { name } = source.recording;
    assert.ok(!this.open_.has(name), `${name} is opened twice`);
    this.open_.set(name, source);
  }

  poll(name: string, _expectation: unknown, offset: number): void {
    assert.ok(this.open_.has(name));
    this.polled.set(name, offset);
    this.stopped.delete(name);
  }

  async stop(name: string, { code }: DynamoCsvError): Promise<void> {
    this.polled.delete(name);
    this.stopped.set(name, code);
  }

  settle(): void {
    this.settled += 1;
  }

  get titles(): string[] {
    return [...this.open_.values()].map(({ title }) => title.replace('DynamoDB table ', '')).sort();
  }
}

const survey = { expectation: { bytes: 1 } } as unknown as TableSurvey;
const denied = (table: string) =>
  new DynamoCsvError('TABLE_ACCESS_DENIED', `These credentials may not read table ${table}`, {
    remedy: 'allow it',
  });

interface WorldOptions {
  readonly config?: DiscoverConfig;
  readonly folder?: string;
  readonly named?: readonly string[];
}

async function createWorld(t: TestContext, options: WorldOptions = {}) {
  const folder = options.folder ?? (await temporaryFolder(t));
  const clock = new ManualClock(START);
  const { logger, lines } = logLines();
  const host = new Host();
  const account = {
    tables: [] as string[],
    denied: new Set<string>(),
    problem: null as DynamoCsvError | null,
    asked: [] as string[],
    /** A table whose survey takes until then. */
    slow: null as { readonly table: string; readonly until: Promise<void> } | null,
    events: new EventEmitter(),
  };
  const foundPath = join(folder, 'discovered');
  const discovery = new Discovery({
    config: options.config ?? discoverConfig('all', undefined, null)!,
    named: new Set(options.named),
    list: {
      names: async () => {
        if (account.problem !== null) throw account.problem;
        return [...account.tables];
      },
      survey: async (table) => {
        account.asked.push(table);
        account.events.emit('asked', table);
        if (account.slow?.table === table) await account.slow.until;
        if (account.denied.has(table)) throw denied(table);
        return survey;
      },
    },
    found: await FoundTables.open(foundPath, nodeFiles, logger),
    foundPath,
    host,
    clock,
    logger,
  });
  const stopping = new AbortController();
  let ended: Promise<void> | null = null;
  t.after(async () => {
    stopping.abort(new Error('the test is over'));
    await ended;
  });
  return {
    folder,
    clock,
    lines,
    host,
    account,
    discovery,
    /** Starts, and waits for the first look. */
    async start() {
      await discovery.restore();
      ended = discovery.run(stopping.signal);
      await clock.asleep();
    },
    /** Lets ten minutes pass. */
    async tenMinutes() {
      for (const end = clock.now() + TEN_MINUTES; clock.now() < end; ) await clock.next();
    },
    async stop() {
      stopping.abort(new Error('stopped'));
      await ended;
    },
  };
}

describe('discovery', () => {
  it('publishes every table, and a new one within ten minutes', async (t) => {
    const { account, host, start, tenMinutes } = await createWorld(t);
    account.tables = ['orders', 'sensors'];
    await start();
    assert.deepEqual([...host.polled.keys()], ['orders', 'sensors']);
    account.tables.push('users');
    await tenMinutes();
    assert.deepEqual([...host.polled.keys()], ['orders', 'sensors', 'users']);
    assert.deepEqual(account.asked, ['orders', 'sensors', 'users'], 'each is asked about once');
  });

  it('follows the patterns, and leaves tables to the configuration that it names', async (t) => {
    const config = discoverConfig(
      undefined,
      {
        include: ['prod-*', '*-eu-*'],
        exclude: ['*-backup'],
        options: { 'prod-*': { changes: true }, '*-sensors': { interval: '5m' } },
      },
      null,
    )!;
    const { account, host, start } = await createWorld(t, { config, named: ['prod-named'] });
    account.tables = [
      'dev-orders',
      'prod-orders',
      'prod-orders-backup',
      'prod-named',
      'a-eu-b',
      'prod-sensors',
    ];
    await start();
    assert.deepEqual(host.titles, ['a-eu-b', 'prod-orders', 'prod-sensors']);
    const [plain, orders, sensors] = ['a-eu-b', 'prod-orders', 'prod-sensors'].map(
      (name) => host.open_.get(name)!,
    );
    assert.deepEqual([plain!.recording.changes, plain!.interval], [false, 30_000]);
    assert.deepEqual([orders!.recording.changes, orders!.interval], [true, 30_000]);
    assert.deepEqual([sensors!.recording.changes, sensors!.interval], [true, 300_000]);
  });

  it('keeps the data of a table that has gone, says so, and goes on when it is back', async (t) => {
    const { account, host, start, tenMinutes, lines } = await createWorld(t);
    account.tables = ['orders', 'sensors'];
    await start();
    account.tables = ['sensors'];
    await tenMinutes();
    assert.deepEqual([...host.stopped], [['orders', 'TABLE_GONE']]);
    assert.deepEqual([...host.polled.keys()], ['sensors']);
    assert.equal(lines.filter(({ code }) => code === 'TABLE_GONE').length, 1);
    account.tables = ['orders', 'sensors'];
    await tenMinutes();
    assert.deepEqual([...host.stopped], []);
    assert.deepEqual([...host.polled.keys()].sort(), ['orders', 'sensors']);
  });

  it('logs a table that it may not read once, skips it, and reads it once it may', async (t) => {
    const { account, host, start, tenMinutes, lines, discovery } = await createWorld(t);
    account.tables = ['orders', 'secrets'];
    account.denied.add('secrets');
    await start();
    await tenMinutes();
    await tenMinutes();
    const told = lines.filter(({ code, level }) => code === 'TABLE_ACCESS_DENIED' && level !== 'debug');
    assert.deepEqual(
      told.map(({ level, msg }) => [level, msg]),
      [['warn', 'table secrets is skipped: These credentials may not read table secrets; allow it']],
    );
    assert.deepEqual([...host.open_.keys()], ['orders']);
    assert.deepEqual([...discovery.skipped.keys()], ['secrets']);
    account.denied.clear();
    await tenMinutes();
    assert.deepEqual([...host.polled.keys()], ['orders', 'secrets']);
    assert.deepEqual([...discovery.skipped.keys()], []);
  });

  it('tells who asks for a table that is not served why', async (t) => {
    const { account, start, tenMinutes, discovery } = await createWorld(t);
    account.tables = ['orders', 'secrets', 'data.csv'];
    account.denied.add('secrets').add('data.csv');
    assert.match(discovery.absence('secrets')!.line, /^there is no dataset "secrets" yet; .*ask again/);
    await start();
    const { line, status } = discovery.absence('secrets')!;
    assert.equal(
      line,
      'table secrets was found and is not read: These credentials may not read table secrets; allow it; it is tried again every few minutes',
    );
    assert.equal(status, 503);
    assert.match(discovery.absence('data.csv')!.line, /^table data\.csv was found/);
    assert.equal(discovery.absence('nothing'), undefined);
    account.denied.clear();
    await tenMinutes();
    assert.equal(discovery.absence('secrets'), undefined);
    account.problem = new DynamoCsvError('AWS_ACCESS_DENIED', 'The tables cannot be listed', {
      remedy: 'allow it',
    });
    await tenMinutes();
    assert.equal(
      discovery.absence('new')!.line,
      'there is no dataset "new", and no new table is found: The tables cannot be listed; allow it',
    );
  });

  it('says of a new table that it is asked about', async (t) => {
    const { account, start, clock, discovery } = await createWorld(t);
    account.tables = ['orders'];
    await start();
    account.tables.push('users');
    assert.equal(discovery.absence('users'), undefined, 'nothing is known of it');
    let answer: () => void = () => undefined;
    account.slow = { table: 'users', until: new Promise((resolve) => (answer = resolve)) };
    const asked = once(account.events, 'asked');
    const next = clock.next();
    await asked;
    assert.match(discovery.absence('users')!.line, /^there is no dataset "users" yet/);
    answer();
    await next;
    assert.equal(discovery.absence('users'), undefined);
  });

  it('goes on with what it has while tables cannot be listed', async (t) => {
    const { account, host, start, tenMinutes, lines, discovery } = await createWorld(t);
    account.tables = ['orders'];
    await start();
    account.problem = new DynamoCsvError('AWS_ACCESS_DENIED', 'The tables cannot be listed', {
      remedy: 'allow it',
    });
    await tenMinutes();
    assert.deepEqual([...host.polled.keys()], ['orders']);
    const told = lines.filter(({ code, level }) => code === 'AWS_ACCESS_DENIED' && level !== 'debug');
    assert.equal(told.length, 1);
    assert.equal(discovery.problem?.code, 'AWS_ACCESS_DENIED');
    account.problem = null;
    await tenMinutes();
    assert.equal(discovery.problem, null);
    assert.ok(lines.some(({ msg }) => msg === 'tables are listed again'));
  });

  it('serves what it has found before, under the same names, before anything is asked of AWS', async (t) => {
    const first = await createWorld(t);
    first.account.tables = ['Orders', 'gone', 'orders'];
    await first.start();
    first.account.tables = ['Orders', 'orders'];
    await first.tenMinutes();
    await first.stop();
    const names = [...first.host.open_.keys()].sort();

    const second = await createWorld(t, { folder: first.folder });
    await second.discovery.restore();
    assert.deepEqual([...second.host.open_.keys()].sort(), names);
    assert.deepEqual([...second.host.stopped.keys()], ['gone']);
    assert.deepEqual(second.account.asked, []);
  });

  it('spreads the first polls of a thousand tables over half a minute', async (t) => {
    const { account, host, start } = await createWorld(t);
    account.tables = Array.from({ length: 1_000 }, (_, index) => `table-${String(index).padStart(4, '0')}`);
    await start();
    const offsets = [...host.polled.values()].sort((a, b) => a - b);
    assert.equal(offsets.length, 1_000);
    for (const [index, offset] of offsets.entries()) assert.equal(Math.round(offset), 30 * index);
  });

  it('gives each table a published name of its own, whatever tables are called', async (t) => {
    const { account, host, start } = await createWorld(t);
    host.taken = ['rides-today'];
    account.tables = [
      'orders',
      'Orders',
      'ORDERS',
      '...',
      '---',
      '.hidden',
      'hidden',
      'a.csv',
      'a',
      'trailing.',
      'trailing',
      'collector',
      'rides-today',
      'constructor',
      '__proto__',
      'x'.repeat(255),
      `${'x'.repeat(254)}y`,
      'data.JSON',
    ];
    await start();
    assert.deepEqual(host.titles, [...account.tables].sort());
    const names = [...host.open_.keys()];
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
    for (const name of names) {
      assert.match(name, /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?$/);
      assert.doesNotMatch(name, /\.(csv|parquet|json)$/i);
      assert.ok(`${name}-changes`.length <= 200);
    }
    assert.ok(names.includes('hidden') && names.includes('a') && names.includes('constructor'));
  });

  it('keeps a table apart from the changes of another one', async (t) => {
    const config = discoverConfig(undefined, { options: { orders: { changes: true } } }, null)!;
    const { account, host, start } = await createWorld(t, { config });
    account.tables = ['orders', 'orders-changes'];
    await start();
    const published = [...host.open_.values()].flatMap((source) => source.published.map(({ name }) => name));
    assert.equal(new Set(published).size, 3);
    assert.deepEqual(published.slice(0, 2), ['orders', 'orders-changes']);
  });
});
