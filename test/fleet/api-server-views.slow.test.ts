import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { encodeRows } from '../../src/csv/encode.js';
import { StatusDataset } from '../../src/datasets/status-dataset.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { INSTANCE_COLUMNS, INSTANCE_KEYS } from '../../src/sources/ec2/columns.js';
import { SqlWorld } from '../support/sql-world.js';

/** What the alerts on the API server read, over polls as its source records them. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const VALUES = {
  'api-server-cpu': 'cpu_utilization',
  'api-server-network-in': 'network_in',
  'api-server-network-out': 'network_out',
  'api-server-not-running': 'not_running',
  'api-server-no-measurement': 'no_measurement',
} as const;
type View = keyof typeof VALUES;
const views = Object.keys(VALUES) as View[];

interface Instance {
  readonly id?: string;
  readonly name?: string | null;
  readonly state: string;
  /** `cpu`, `network_in`, `network_out`. */
  readonly values?: readonly [string | null, string | null, string | null];
  /** Minutes before the poll at which the period of the values began. */
  readonly measured?: number;
}

const running = (cpu: string, more: Partial<Instance> = {}): Instance => ({
  state: 'running',
  values: [cpu, '1500', '2500'],
  ...more,
});
const silent: Instance = { state: 'running' };
const stopped: Instance = { state: 'stopped' };
const unknown: Instance = { state: 'unknown' };

class Watched {
  readonly world: SqlWorld;
  readonly #recorder: TableRecorder;

  private constructor(world: SqlWorld, recorder: TableRecorder) {
    this.world = world;
    this.#recorder = recorder;
  }

  static async start(t: TestContext, now = '2026-11-20T12:00:00Z'): Promise<Watched> {
    const world = await SqlWorld.start(t, { now: Date.parse(now) });
    const recorder = await world.table('api-server', { log: true, logName: 'api-server-log' });
    await world.sql.openViews(join(projectRoot, 'config/views'), 'config/views');
    return new Watched(world, recorder);
  }

  /** A poll a minute after the one before, or after that many milliseconds. */
  async poll(instances: readonly Instance[], after = MINUTE): Promise<void> {
    this.world.time.at += after;
    const now = this.world.time.at;
    const rows = instances.map(({ id = 'i-1', name = 'dispatch-1', state, values, measured = 2 }) => {
      const [cpu, networkIn, networkOut] = values ?? [null, null, null];
      return [
        id,
        name,
        state,
        state === 'unknown' ? null : state === 'running' ? '1' : '0',
        state === 'running' ? 'ok' : null,
        cpu,
        networkIn,
        networkOut,
        values === undefined ? null : new Date(now - measured * MINUTE).toISOString(),
      ];
    });
    const cost = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
    const found = { rows: encodeRows(INSTANCE_COLUMNS, rows), keys: INSTANCE_KEYS, cost };
    await this.#recorder.record({ kind: 'full', position: null, ...found }, now);
  }

  async sealDaysBefore(keep: number): Promise<void> {
    await this.world.sealer.seal(this.#recorder.log!, { keep, retention: null });
  }

  /** Exactly what the alert gets. */
  ask(view: View): Promise<string> {
    return this.world.window(view, `columns=instance_id,name,${VALUES[view]}&pad=1&null=null`);
  }

  /** Instance → value as the alert gets it, `null` where there is none. */
  async values(view: View): Promise<Record<string, string>> {
    const [, ...lines] = (await this.ask(view)).trimEnd().split('\n');
    return Object.fromEntries(lines.map((line) => [line.split(',')[0]!, line.split(',')[2]!]));
  }

  /** CPU, not running, no measurement of one instance. */
  async alarms(id = 'i-1'): Promise<readonly (string | undefined)[]> {
    const read = async (view: View) => (await this.values(view))[id];
    return [
      await read('api-server-cpu'),
      await read('api-server-not-running'),
      await read('api-server-no-measurement'),
    ];
  }
}

test('each gives exactly one number with labels that differ, and no time', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('7.5'), running('93.25', { id: 'i-2', name: null })]);
  for (const view of views) {
    const types = (await watched.world.dataset(view).content()).columns.map(({ name, type }) => [name, type]);
    assert.deepEqual(types, [
      ['instance_id', 'string'],
      ['name', 'string'],
      [VALUES[view], 'number'],
    ]);
  }
  assert.equal(
    await watched.ask('api-server-cpu'),
    'instance_id,name,cpu_utilization\ni-1,dispatch-1,7.5\ni-2,,93.25\n',
  );
  assert.deepEqual(await watched.values('api-server-network-in'), { 'i-1': '1500', 'i-2': '1500' });
  assert.deepEqual(await watched.values('api-server-network-out'), { 'i-1': '2500', 'i-2': '2500' });
});

test('no rows and no values so far: the header, and with pad one empty row', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([]);
  for (const view of views) {
    const header = `instance_id,name,${VALUES[view]}\n`;
    assert.equal((await watched.world.dataset(view).content()).bytes.toString(), header);
    assert.equal(await watched.ask(view), `${header},,null\n`);
  }
});

test('while CloudWatch returns nothing the last measurement stays, and that is reported', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('95')]);
  assert.deepEqual(await watched.alarms(), ['95', '0', '0']);
  await watched.poll([silent]);
  assert.deepEqual(await watched.alarms(), ['95', '0', '1']);
  await watched.poll([{ state: 'running', values: ['12', '0', null] }]);
  assert.deepEqual(await watched.alarms(), ['12', '0', '1'], 'one of three is missing');
  assert.deepEqual(await watched.values('api-server-network-in'), { 'i-1': '0' });
  assert.deepEqual(await watched.values('api-server-network-out'), { 'i-1': '2500' });
  await watched.poll([running('20')]);
  assert.deepEqual(await watched.alarms(), ['20', '0', '0']);
});

test('a stopped server is not running, and not silent', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('95')]);
  for (const state of ['stopping', 'stopped', 'shutting-down', 'terminated', 'pending']) {
    await watched.poll([{ state }]);
    assert.deepEqual(await watched.alarms(), ['null', '1', '0'], state);
  }
  assert.deepEqual(await watched.values('api-server-network-in'), { 'i-1': 'null' });
});

test('a restarted server does not get the CPU that it had before it stopped', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('97')]);
  await watched.poll([stopped]);
  await watched.poll([silent]);
  assert.deepEqual(await watched.alarms(), ['null', '0', '1'], 'from the log');
  await watched.poll([running('97', { measured: 5 })]);
  assert.deepEqual(
    await watched.alarms(),
    ['null', '0', '0'],
    'from CloudWatch, which still has the old one',
  );
  await watched.poll([running('15', { measured: 2 })]);
  assert.deepEqual(await watched.alarms(), ['15', '0', '0']);
  await watched.poll([silent]);
  assert.deepEqual(await watched.alarms(), ['15', '0', '1']);
});

test('an id that does not exist is not running; one that ceased to exist keeps its name, and with it its alert', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('95'), { id: 'i-2', name: null, state: 'missing' }]);
  assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0']);
  await watched.poll([{ name: null, state: 'missing' }]);
  assert.equal(
    await watched.ask('api-server-not-running'),
    'instance_id,name,not_running\ni-1,dispatch-1,1\n',
  );
});

test('while a region cannot be read, its last known state counts: no false alarm, no false all-clear', async (t) => {
  const watched = await Watched.start(t);
  const both = (one: Instance, two: Instance) => [
    { ...one, name: one.state === 'unknown' ? null : 'dispatch-1' },
    { ...two, id: 'i-2', name: 'dispatch-2' },
  ];
  await watched.poll(both(running('95'), stopped));
  for (let minutes = 0; minutes < 3; minutes++) await watched.poll(both(unknown, unknown));
  assert.deepEqual(await watched.alarms('i-1'), ['95', '0', '1']);
  assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0']);
  assert.match(await watched.ask('api-server-cpu'), /^i-1,dispatch-1,95$/m);
  await watched.poll(both(unknown, unknown), 5 * DAY);
  assert.deepEqual(await watched.alarms('i-1'), ['95', '0', '1'], 'days later');
  assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0'], 'days later');
  await watched.poll(both(running('30'), running('40')));
  assert.deepEqual(await watched.alarms('i-1'), ['30', '0', '0']);
  assert.deepEqual(await watched.alarms('i-2'), ['40', '0', '0']);
});

test('a server that was never seen raises only the alert about missing measurements', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([unknown]);
  assert.deepEqual(await watched.alarms(), ['null', '0', '1']);
});

test('when the last server of all vanishes it is missing, not forgotten, until another is there', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('50'), running('95', { id: 'i-2', name: 'dispatch-2' })]);
  await watched.poll([running('95', { id: 'i-2', name: 'dispatch-2' })]);
  assert.deepEqual(await watched.values('api-server-not-running'), { 'i-2': '0' }, 'one of two is gone');
  for (const after of [MINUTE, DAY]) {
    await watched.poll([], after);
    assert.equal(
      await watched.ask('api-server-not-running'),
      'instance_id,name,not_running\ni-2,dispatch-2,1\n',
    );
    assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0']);
  }
  await watched.poll([running('5', { id: 'i-3' })]);
  assert.deepEqual(await watched.values('api-server-not-running'), { 'i-3': '0' });
  await watched.poll([], 8 * DAY);
  assert.equal(await watched.ask('api-server-not-running'), 'instance_id,name,not_running\n,,null\n');
});

test('midnight changes nothing, nor do sealed days', async (t) => {
  // 23:59 in New York, the day before the clocks go back.
  const watched = await Watched.start(t, '2026-11-01T03:58:00Z');
  await watched.poll([running('95'), { ...stopped, id: 'i-2' }]);
  for (const after of [MINUTE, 2 * MINUTE, DAY, DAY]) {
    await watched.poll([silent, { ...unknown, id: 'i-2' }], after);
    assert.deepEqual(await watched.alarms('i-1'), ['95', '0', '1']);
    assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0']);
  }
  await watched.sealDaysBefore(1);
  assert.deepEqual(await watched.alarms('i-1'), ['95', '0', '1']);
  assert.deepEqual(await watched.alarms('i-2'), ['null', '1', '0']);
});

test('a value so small that SQL keeps it as text is a number all the same', async (t) => {
  const watched = await Watched.start(t);
  await watched.poll([running('0.00002')]);
  assert.deepEqual(await watched.values('api-server-cpu'), { 'i-1': '0.00002' });
  const { columns } = await watched.world.dataset('api-server-cpu').content();
  assert.deepEqual(columns.at(-1), { name: 'cpu_utilization', type: 'number', seen: true });
});

test('age of each dataset: one number, the name as its label, and nothing of what was never read', async (t) => {
  const world = await SqlWorld.start(t);
  const started = world.time.at;
  const text = { type: 'string' } as const;
  const number = { type: 'number' } as const;
  world.registry.add(
    new StatusDataset({
      name: 'collector',
      description: 'The service itself.',
      clock: world.time,
      columns: Object.entries({
        dataset: text,
        kind: text,
        state: text,
        rows: number,
        age_seconds: number,
        age_intervals: number,
        last_error: text,
      }).map(([name, column]) => ({ name, ...column })),
      keys: ['dataset'],
      rows: () => {
        const age = (world.time.at - started) / 1000;
        return [
          ['zones', 'snapshot', 'fresh', '3', String(age + 0.5), String(age / 30), null],
          ['flags', 'log', 'waiting', null, null, '4', 'there is no such table'],
        ];
      },
    }),
  );
  await world.sql.openViews(join(projectRoot, 'config/views'), 'config/views');
  const ask = () => world.window('dataset-age', 'columns=dataset,age_seconds&pad=1&null=null');
  assert.equal(await ask(), 'dataset,age_seconds\nzones,0.5\n');
  world.time.at += 60_000;
  assert.equal(await ask(), 'dataset,age_seconds\nzones,60.5\n');
  const { columns } = await world.dataset('dataset-age').content();
  assert.deepEqual(
    columns.map(({ type }) => type),
    ['string', 'number'],
  );
});
