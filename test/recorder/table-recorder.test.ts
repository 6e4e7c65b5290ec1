import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { Reading } from '../../src/sources/source.js';
import { logLines } from '../support/log-lines.js';
import { openTestRecorder } from '../support/test-recorder.js';

const START = Date.parse('2026-11-24T09:30:00.000Z');

/** A reading as a source gives it: sorted by key, the known columns included. */
export function reading(types: Record<string, Column['type']>, rows: Cell[][], keys = ['id']): Reading {
  const columns = Object.entries(types).map(([name, type]) => ({ name, type, seen: true }));
  return {
    kind: 'full',
    position: null,
    rows: encodeRows(columns, rows),
    keys,
    cost: { requests: 1, attempts: 1, bytes: 100, readCapacityUnits: 0.5, metricsRequested: 0 },
  };
}

const counts = (...rows: [string, string | null][]) => reading({ id: 'string', count: 'number' }, rows);

describe('recording polls', () => {
  let dataDir: string;
  let now = START;
  let opened: TableRecorder[] = [];
  const clock = { now: () => now, sleep: async () => undefined };

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'recorder-'));
    await mkdir(join(dataDir, '.dynamo-csv'));
    now = START;
  });
  afterEach(async () => {
    await Promise.allSettled(opened.map((recorder) => recorder.close()));
    opened = [];
    await rm(dataDir, { recursive: true });
  });

  const open = async (options: Partial<RecorderOptions> = {}) => {
    const recorder = await openTestRecorder({
      name: 'flags',
      dataDir,
      health: new PollHealth(30_000, clock),
      ...options,
    });
    opened.push(recorder);
    return recorder;
  };
  const file = (name: string) => readFile(join(dataDir, name), 'utf8');
  const served = async (recorder: TableRecorder, index = 0) =>
    (await recorder.datasets[index]!.content()).bytes.toString();

  it('replaces a snapshot, on disk and for readers', async () => {
    const recorder = await open();
    await recorder.record(counts(['dispatch', '1'], ['pickup', '2']), now);
    await recorder.record(counts(['dispatch', '5']), now + 30_000);
    assert.equal(await file('flags.csv'), 'id,count\ndispatch,5\n');
    assert.equal(await served(recorder), 'id,count\ndispatch,5\n');
  });

  it('appends every poll to a log with the time of the poll', async () => {
    const recorder = await open({ log: true });
    await recorder.record(counts(['dispatch', '1'], ['pickup', '2']), now);
    await recorder.record(counts(['dispatch', '3']), now + 30_000);
    const expected =
      'id,count,timestamp\ndispatch,1,2026-11-24T09:30:00.000Z\npickup,2,2026-11-24T09:30:00.000Z\ndispatch,3,2026-11-24T09:30:30.000Z\n';
    assert.equal(await file('flags.csv'), expected);
    assert.equal(await served(recorder), expected);
  });

  it('remembers what was appended in memory of its own size', async () => {
    const recorder = await open({ log: true });
    await recorder.record(counts(['dispatch', '1']), now);
    const { version } = recorder.log!;
    await recorder.record(counts(['dispatch', '2']), now + 30_000);
    const { body } = recorder.log!.appendedSince(version!)!;
    assert.equal(body.toString(), 'dispatch,2,2026-11-24T09:30:30.000Z\n');
    assert.equal(body.buffer.byteLength, body.length);
  });

  it('never lets the time of polls go back when the clock does', async () => {
    const recorder = await open({ log: true });
    await recorder.record(counts(['dispatch', '1']), now);
    await recorder.record(counts(['dispatch', '2']), now - 60_000);
    const times = (await file('flags.csv'))
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[2]);
    assert.deepEqual(times, ['2026-11-24T09:30:00.000Z', '2026-11-24T09:30:00.001Z']);
  });

  it('says when the clock is behind what was recorded, and tells the age by the clock all the same', async () => {
    const { logger, lines } = logLines('info');
    const health = new PollHealth(30_000, clock);
    const recorder = await open({ log: true, logger, health });
    await recorder.record(counts(['dispatch', '1']), now);
    now -= 7_200_000;
    assert.equal(health.freshness, 'stale', 'read at a time that is still to come');
    await recorder.record(counts(['dispatch', '2']), now);
    assert.deepEqual([health.readAt, health.freshness], [now, 'fresh']);
    now += 90_001;
    assert.equal(health.freshness, 'stale', 'when polls fail meanwhile');
    await recorder.record(counts(['dispatch', '3']), now);
    now = START + 30_000;
    await recorder.record(counts(['dispatch', '4']), now);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg.replace(/: until.*/, '')]),
      [
        [
          'warn',
          'the clock says 2026-11-24T07:30:00.000Z, but polls up to 2026-11-24T09:30:00.001Z are already recorded',
        ],
        ['info', 'the clock has caught up with the recorded polls'],
      ],
    );
  });

  it('widens a log by a new attribute without losing a row', async () => {
    const recorder = await open({ log: true });
    await recorder.record(counts(['dispatch', '1']), now);
    await recorder.record(
      reading({ id: 'string', count: 'number', area: 'string' }, [['dispatch', '2', 'north']]),
      now + 1,
    );
    assert.equal(
      await file('flags.csv'),
      'id,area,count,timestamp\ndispatch,,1,2026-11-24T09:30:00.000Z\ndispatch,north,2,2026-11-24T09:30:00.001Z\n',
    );
  });

  it('keeps a column that no item has any more, after a restart too', async () => {
    const first = await open();
    await first.record(counts(['dispatch', '1']), now);
    await first.close();
    const second = await open();
    await second.record(reading({ id: 'string' }, [['dispatch']]), now + 30_000);
    assert.equal(await served(second), 'id,count\ndispatch,\n');
    assert.deepEqual(second.datasets[0]!.columns?.at(-1), { name: 'count', type: 'number', seen: true });
  });

  it('logs what was inserted, updated and deleted, and what a returning item was before', async () => {
    const recorder = await open({ changes: true });
    await recorder.record(counts(['a', '1'], ['b', '2']), now);
    await recorder.record(counts(['a', '1'], ['b', '3']), now + 30_000);
    await recorder.record(counts(['b', '3']), now + 60_000);
    await recorder.record(counts(['a', '7'], ['b', '3']), now + 90_000);
    assert.deepEqual((await file('flags-changes.csv')).trimEnd().split('\n'), [
      'change,id,count,previous_count,since,timestamp',
      'insert,a,1,,,2026-11-24T09:30:00.000Z',
      'insert,b,2,,,2026-11-24T09:30:00.000Z',
      'update,b,3,2,2026-11-24T09:30:00.000Z,2026-11-24T09:30:30.000Z',
      'delete,a,,1,2026-11-24T09:30:30.000Z,2026-11-24T09:31:00.000Z',
      'insert,a,7,1,2026-11-24T09:31:00.000Z,2026-11-24T09:31:30.000Z',
    ]);
  });

  it('finds what changed while it was not running, and says it once', async () => {
    const first = await open({ changes: true });
    await first.record(counts(['a', '1'], ['b', '2']), now);
    await first.record(counts(['b', '2']), now + 30_000);
    await first.close();
    const second = await open({ changes: true });
    await second.record(counts(['a', '4'], ['b', '2']), now + 600_000);
    await second.record(counts(['a', '4'], ['b', '2']), now + 630_000);
    assert.deepEqual((await file('flags-changes.csv')).trimEnd().split('\n').slice(4), [
      'insert,a,4,1,2026-11-24T09:30:30.000Z,2026-11-24T09:40:00.000Z',
    ]);
  });

  it('reads the changes of the past off a log that was there before', async () => {
    const past = await open({ log: true });
    await past.record(counts(['dispatch', '1'], ['pickup', '1']), now);
    await past.record(counts(['dispatch', '1'], ['pickup', '3']), now + 30_000);
    await past.record(counts(['dispatch', '1']), now + 60_000);
    await past.close();
    const recorder = await open({ log: true, changes: true });
    await recorder.record(counts(['dispatch', '1'], ['pickup', '5']), now + 90_000);
    assert.deepEqual((await file('flags-changes.csv')).trimEnd().split('\n').slice(1), [
      'insert,dispatch,1,,,2026-11-24T09:30:00.000Z',
      'insert,pickup,1,,,2026-11-24T09:30:00.000Z',
      'update,pickup,3,1,2026-11-24T09:30:00.000Z,2026-11-24T09:30:30.000Z',
      'delete,pickup,,3,2026-11-24T09:30:30.000Z,2026-11-24T09:31:00.000Z',
      'insert,pickup,5,3,2026-11-24T09:31:00.000Z,2026-11-24T09:31:30.000Z',
    ]);
  });

  it('serves at once after a restart, with the age of the data', async () => {
    const first = await open();
    await first.record(counts(['dispatch', '1']), now);
    await first.close();
    const health = new PollHealth(30_000, clock);
    const second = await open({ health });
    assert.equal(await served(second), 'id,count\ndispatch,1\n');
    assert.equal(health.readAt, START);
  });
});
