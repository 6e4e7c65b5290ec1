import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { datasets } from '../../dashboards/datasets.js';
import { DynamoCsvError } from '../../src/base/errors.js';
import { createCollectorDataset } from '../../src/collect/collector-dataset.js';
import { readPrice } from '../../src/sources/dynamodb/cost.js';
import { ManualClock } from '../support/manual-clock.js';
import { collectorWorld, counted } from './world.js';

const START = Date.parse('2026-11-24T09:30:00.000Z');

const price = ({ readCapacityUnits }: { readonly readCapacityUnits: number }) =>
  readPrice(readCapacityUnits, 'us-east-1');

type Row = Readonly<Record<string, string>>;

it('says of each polled dataset how old it is and of each source what its polls cost', async (t) => {
  const clock = new ManualClock(START);
  const world = await collectorWorld(t, { clock, record: { log: true, changes: true } });
  const { source, run, collector } = world;
  const responseTimes = (name: string) => (name === 'flags' ? { p50: 0.25, p99: 12.5 } : null);
  let lost: { dataset: string; date: string }[] = [];
  let archived: { archivedAt: number | null; every: number } | null = null;
  const dataset = createCollectorDataset({
    sources: [{ collector, price }],
    spentBy: (name) => (name === 'flags' ? 1.25 : 0),
    responseTimes,
    archive: () => archived,
    lostDays: () => lost,
    clock,
  });
  const rows = async (): Promise<Row[]> => {
    clock.advance(5_000); // it is computed anew every five seconds
    const { bytes } = await dataset.content();
    return parse(bytes, { columns: true });
  };

  const [never] = await rows();
  assert.deepEqual(
    [never!.state, never!.age_seconds, never!.age_intervals, never!.poll_seconds, never!.usd_per_month],
    ['waiting', '', '0.166667', '', ''],
  );

  run();
  await clock.asleep();
  clock.advance(0);
  const poll = await source.askedTimes(1);
  clock.advance(2_000);
  poll.answer(counted(1));
  await clock.asleep();
  archived = { archivedAt: null, every: 60_000 };
  const [unarchived] = await rows();
  assert.equal(unarchived!.archive_age_intervals, String((clock.now() - START) / 60_000));
  archived = { archivedAt: clock.now() - 25_000, every: 60_000 };
  assert.deepEqual(
    (await rows()).map((row) => row.archive_age_intervals),
    ['0.5', '0.5'],
  );
  archived = null;
  lost = ['2026-11-20', '2026-11-21'].map((date) => ({ dataset: 'flags', date }));
  assert.deepEqual(
    (await rows()).map((row) => row.missing_days),
    ['2', '0'],
  );
  lost = [];
  clock.advance(-15_000);
  const [log, changes] = await rows();
  assert.deepEqual(log, {
    dataset: 'flags',
    kind: 'log',
    state: 'fresh',
    rows: '1',
    age_seconds: '7',
    age_intervals: '0.233333',
    last_error: '',
    poll_seconds: '2',
    poll_seconds_p95: '2',
    failures: '0',
    // Half a unit 2,880 times a day, at 0.125 dollars for a million units.
    read_units_per_day: '1440',
    interval_seconds: '30',
    usd_per_month: '0.005475',
    usd_this_month: '1.25',
    response_ms_p50: '0.25',
    response_ms_p99: '12.5',
    stream_lag_seconds: '',
    archive_age_intervals: '',
    missing_days: '0',
  });
  assert.deepEqual(
    { ...changes, age_seconds: null, age_intervals: null },
    {
      dataset: 'flags-changes',
      kind: 'changes',
      state: 'fresh',
      rows: '1',
      age_seconds: null,
      age_intervals: null,
      last_error: '',
      poll_seconds: '',
      poll_seconds_p95: '',
      failures: '',
      read_units_per_day: '',
      interval_seconds: '',
      usd_per_month: '',
      usd_this_month: '',
      response_ms_p50: '',
      response_ms_p99: '',
      stream_lag_seconds: '',
      archive_age_intervals: '',
      missing_days: '0',
    },
  );
});

it('has the columns that dashboards and alerts read, in their types', async (t) => {
  const clock = new ManualClock(START);
  const { collector } = await collectorWorld(t, { clock });
  const dataset = createCollectorDataset({
    sources: [{ collector, price }],
    responseTimes: () => null,
    clock,
  });
  const wanted = Object.entries(datasets.collector.columns).map(([name, { type }]) => ({ name, type }));
  assert.deepEqual(
    dataset.columns.map(({ name, type }) => ({ name, type })),
    wanted,
  );
});

it('lets the alert on old data fire for a table that can never be read', async (t) => {
  const clock = new ManualClock(START);
  const { source, run, collector } = await collectorWorld(t, { clock });
  const dataset = createCollectorDataset({
    sources: [{ collector, price }],
    responseTimes: () => null,
    clock,
  });
  source.script = () => new DynamoCsvError('TABLE_NOT_FOUND', 'There is no table flags');
  run();
  await clock.asleep();
  for (let poll = 1; poll <= 3; poll++) await clock.next();
  clock.advance(10_000);
  const [row] = parse((await dataset.content()).bytes, { columns: true }) as Row[];
  assert.equal(row!.last_error, 'There is no table flags');
  assert.equal(row!.failures, '3');
  assert.ok(Number(row!.age_intervals) > 3, row!.age_intervals);
});

it('counts a poll that is longer than the interval as often as it can come', async (t) => {
  const clock = new ManualClock(START);
  const { source, run, collector } = await collectorWorld(t, { clock });
  run();
  await clock.asleep();
  clock.advance(0);
  const poll = await source.askedTimes(1);
  clock.advance(75_000);
  poll.answer(counted(1));
  await clock.asleep();
  assert.equal(collector.statistics.spacing, 90_000);
});

it('counts read units from local midnight on', async (t) => {
  const clock = new ManualClock('2026-11-25T04:59:00.000Z'); // a minute before midnight in New York
  const { source, run, collector } = await collectorWorld(t, { clock });
  source.script = (poll) => counted(poll);
  run();
  await clock.asleep();
  await clock.next();
  await clock.next();
  assert.equal(collector.statistics.unitsToday, 1);
  clock.advance(30_000);
  await clock.asleep();
  assert.equal(collector.statistics.unitsToday, 0.5);
});
