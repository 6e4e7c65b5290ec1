import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { COLLECTOR_LOG, createCollectorLogSource } from '../../src/collect/collector-log.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { ManualClock } from '../support/manual-clock.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { collectorWorld, counted } from './world.js';

const START = Date.parse('2026-11-24T09:30:00.000Z');

it('is recorded like any log: a row for each polled dataset and minute, with its time', async (t) => {
  const clock = new ManualClock(START);
  const world = await collectorWorld(t, { clock, record: { log: true, changes: true } });
  world.source.script = (poll) => (poll === 1 ? counted(1) : new Error('no answer'));
  const source = createCollectorLogSource({
    sources: [{ collector: world.collector, price: () => 0 }],
    responseTimes: (name) => (name === 'flags' ? { p50: 0.25, p99: 12.5 } : null),
    clock,
  });
  const { recording, interval } = COLLECTOR_LOG;
  assert.equal(interval, 60_000);
  const { dataDir } = world;
  const health = new PollHealth(interval, clock);
  const recorder = await openTestRecorder({ ...recording, source: source.title, dataDir, health });
  t.after(() => recorder.close());
  const { signal } = new AbortController();
  const record = async () =>
    recorder.record(await source.read({ known: recorder.known, signal }), clock.now());

  world.run();
  await clock.asleep();
  clock.advance(0);
  await clock.asleep();
  clock.advance(5_000);
  await record();
  clock.advance(30_000);
  await clock.asleep();
  clock.advance(30_000);
  await record();

  const lines = (await readFile(join(dataDir, 'collector-log.csv'), 'utf8')).split('\n');
  assert.deepEqual(lines, [
    'dataset,state,rows,age_seconds,poll_seconds,failures,interval_seconds,usd_per_month,usd_this_month,response_ms_p50,response_ms_p99,timestamp',
    'flags,fresh,1,5,0,0,30,0,,0.25,12.5,2026-11-24T09:30:05.000Z',
    'flags-changes,fresh,1,5,,,,,,,,2026-11-24T09:30:05.000Z',
    'flags,late,1,65,0,1,30,0,,0.25,12.5,2026-11-24T09:31:05.000Z',
    'flags-changes,late,1,65,,,,,,,,2026-11-24T09:31:05.000Z',
    '',
  ]);
  const [dataset] = recorder.datasets;
  assert.deepEqual(
    [dataset!.name, dataset!.kind, dataset!.timeColumn],
    ['collector-log', 'log', 'timestamp'],
  );
});

it('tells of a dataset that was never read, and asks nothing of AWS', async (t) => {
  const clock = new ManualClock(START);
  const { collector } = await collectorWorld(t, { clock });
  const source = createCollectorLogSource({
    sources: [{ collector, price: () => 0 }],
    responseTimes: () => null,
    clock,
  });
  const { rows, keys, cost } = await source.read({ known: [], signal: new AbortController().signal });
  assert.deepEqual(keys, ['dataset']);
  assert.equal(rows.body.toString('utf8'), 'flags,waiting,,,,0,30,,,,\n');
  assert.deepEqual(Object.values(cost), [0, 0, 0, 0, 0]);
});
