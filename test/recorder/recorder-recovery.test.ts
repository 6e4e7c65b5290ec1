import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { LocalStore } from '../../src/history/local-store.js';
import { Sealer } from '../../src/history/sealer.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { PlainDays } from '../support/plain-days.js';
import { ALL_KEPT, type Kept, RecorderRuns } from '../support/recorder-runs.js';
import { type Items, itemsOf, readingOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** Interruptions that need two things to come together; each of them once lost or doubled something. */

const DIR = '/data';
const CHANGES = ALL_KEPT['a snapshot and changes']!;
const LOG_AND_CHANGES = ALL_KEPT['a log and changes']!;
const EVERYTHING = ALL_KEPT['a snapshot, a log and changes']!;

function start(kept: Kept): { disk: VolatileDisk; runs: RecorderRuns } {
  return { disk: new VolatileDisk(DIR, `${DIR}/.dynamo-csv`), runs: new RecorderRuns(DIR, kept) };
}

/** Records polls with faults from here on, and leaves without closing, as a kill does. */
async function recordKilled(
  runs: RecorderRuns,
  disk: VolatileDisk,
  polls: readonly Items[],
  faultAt: (operation: Operation) => Fault | null = () => null,
): Promise<void> {
  const recorder = await runs.open(new FaultyFiles(disk, faultAt));
  for (const items of polls) await runs.poll(recorder, items);
}

/** The fault when that operation is done on that file for the n-th time, from 1. */
function nth(n: number, name: Operation['name'], path: string, fault: Fault) {
  let seen = 0;
  return (operation: Operation): Fault | null => {
    if (operation.name !== name || operation.path !== `${DIR}/${path}`) return null;
    seen++;
    return seen === n ? fault : null;
  };
}

const one = itemsOf({ a: { count: '1' }, b: { count: '1' } });
const two = itemsOf({ a: { count: '2' }, b: { count: '1' } });
const wide = itemsOf({ a: { count: '2' }, b: { area: 'north', count: '1' } });

test('changes that the snapshot does not have yet are redone when a new column stopped the next poll too', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(runs, disk, [one]);
  await recordKilled(runs, disk, [two], nth(1, 'rename', 'flags.csv', { stops: true }));
  await recordKilled(runs, disk, [wide], nth(1, 'rename', 'flags-changes.csv', { stops: true }));
  await recordKilled(runs, disk, [wide]);
  await runs.check(disk);
});

test('columns that could not be written to the state file are in it before their rows', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(runs, disk, [one]);
  let isFull = true;
  const recorder = await runs.open(
    new FaultyFiles(disk, ({ path, name }) => {
      if (!isFull && path.endsWith('/flags.csv') && name === 'rename') return { stops: true };
      return isFull && name === 'write' ? { fails: 'ENOSPC' } : null;
    }),
  );
  assert.equal(await runs.poll(recorder, wide), false);
  isFull = false;
  await runs.poll(recorder, wide);
  const again = await runs.open(disk);
  await runs.poll(again, wide);
  await runs.check(disk);
  assert.deepEqual(
    again.known.map(({ name, type }) => [name, type]),
    [
      ['id', 'string'],
      ['area', 'string'],
      ['count', 'number'],
    ],
  );
});

test('the first poll on a snapshot without a state file, interrupted after its changes', async () => {
  const { disk, runs } = start(CHANGES);
  // What a first life leaves behind, but for the notes.
  await recordKilled(runs, disk, [one]);
  await disk.remove(`${DIR}/.dynamo-csv/flags.json`);
  await disk.remove(`${DIR}/flags-changes.csv`);
  await recordKilled(runs, disk, [two], nth(1, 'rename', 'flags.csv', { stops: true }));
  const again = await runs.open(disk);
  await runs.poll(again, two);
  const changes = (await again.changes!.content()).bytes.toString();
  assert.deepEqual(changes.split('\n').slice(1), ['update,a,2,1,,2026-11-24T09:31:00.000Z', '']);
});

test('the first poll whose changes are kept, on a snapshot that was kept before, interrupted after its changes', async () => {
  const { disk, runs } = start(ALL_KEPT['a snapshot']!);
  await recordKilled(runs, disk, [one]);
  const both = new RecorderRuns(DIR, CHANGES, runs);
  await recordKilled(both, disk, [two], nth(1, 'rename', 'flags.csv', { stops: true }));
  const again = await both.open(disk);
  await both.poll(again, two);
  const changes = (await again.changes!.content()).bytes.toString();
  assert.deepEqual(changes.split('\n').slice(1), [
    'update,a,2,1,2026-11-24T09:30:30.000Z,2026-11-24T09:31:00.000Z',
    '',
  ]);
});

test('what vanished items were is written by a later poll when the disk refused it at first', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(
    runs,
    disk,
    [one, itemsOf({ b: { count: '1' } }), itemsOf({ b: { count: '2' } })],
    nth(1, 'rename', '.dynamo-csv/flags.deleted.csv', { fails: 'ENOSPC' }),
  );
  await recordKilled(runs, disk, [two]);
  await runs.check(disk);
});

test('an append that the disk would not even take back does not return behind a poll without changes', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(runs, disk, [one]);
  const changes = `${DIR}/flags-changes.csv`;
  let refusals = 0;
  const faultAt = ({ name, path }: Operation): Fault | null => {
    if (path !== changes || (name !== 'write' && name !== 'truncate') || refusals === 2) return null;
    refusals++;
    return { fails: 'EIO', part: 1 };
  };
  await recordKilled(runs, disk, [two, one], faultAt);
  assert.equal(refusals, 2);
  await recordKilled(runs, disk, [one]);
  await runs.check(disk);
});

test('a state file that cannot be read at the moment is no reason to begin anew', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(runs, disk, [one]);
  const unreadable = nth(1, 'readFile', '.dynamo-csv/flags.json', { fails: 'EIO' });
  await assert.rejects(runs.open(new FaultyFiles(disk, unreadable)), { code: 'VOLUME_READ_FAILED' });
});

for (const kept of [LOG_AND_CHANGES, EVERYTHING]) {
  test(`changes are read off the log once there is room: ${kept.logName ?? 'the log alone'}`, async () => {
    const { disk, runs } = start({ ...kept, changes: false });
    await recordKilled(runs, disk, [one, two]);
    const both = new RecorderRuns(DIR, kept, runs);
    let isFull = true;
    const recorder = await both.open(
      new FaultyFiles(disk, ({ name }) => (isFull && name === 'write' ? { fails: 'ENOSPC' } : null)),
    );
    assert.equal(await both.poll(recorder, wide), false);
    assert.equal((await recorder.datasets[0]!.content()).rows, kept.logName === undefined ? 4 : 2);
    assert.equal(recorder.datasets[0]!.status().persisted, false);
    isFull = false;
    assert.equal(await both.poll(recorder, one), true);
    await both.check(disk);
    await recorder.close();
    await recordKilled(both, disk, [itemsOf({})]);
    await both.check(disk);
  });
}

test('a full disk: readers see every poll, and what changed meanwhile is found against the last poll on disk', async () => {
  const { disk, runs } = start(EVERYTHING);
  let isFull = false;
  const files = new FaultyFiles(disk, ({ name }) =>
    isFull && name === 'write' ? { fails: 'ENOSPC', part: 0.5 } : null,
  );
  const recorder = await runs.open(files);
  await runs.poll(recorder, one);
  isFull = true;
  for (const items of [two, itemsOf({ c: { count: '4' } }), wide]) {
    assert.equal(await runs.poll(recorder, items), false);
    const [snapshot, log, changes] = recorder.datasets;
    assert.equal((await snapshot!.content()).rows, items.size);
    assert.deepEqual(
      [snapshot, log, changes].map((dataset) => dataset!.status().persisted),
      [false, false, false],
    );
    assert.equal((await log!.content()).rows, 2);
  }
  await runs.check(disk);
  isFull = false;
  assert.equal(await runs.poll(recorder, wide), true);
  assert.ok(recorder.datasets.every((dataset) => dataset.status().persisted));
  await runs.check(disk);
  const changed = (await recorder.changes!.content()).bytes.toString().trimEnd().split('\n').slice(3);
  assert.deepEqual(changed, [
    'update,a,,2,,1,2026-11-24T09:30:30.000Z,2026-11-24T09:32:30.000Z',
    'update,b,north,1,,1,2026-11-24T09:30:30.000Z,2026-11-24T09:32:30.000Z',
  ]);
});

test('reading the changes off the log fails half way, and is done again from the beginning', async () => {
  const { disk, runs } = start({ ...LOG_AND_CHANGES, changes: false });
  await recordKilled(runs, disk, [one, itemsOf({ b: { count: '1' } })]);
  const both = new RecorderRuns(DIR, LOG_AND_CHANGES, runs);
  let isRefused = false;
  const recorder = await both.open(
    new FaultyFiles(disk, ({ name, path }) =>
      isRefused && name === 'rename' && path.endsWith('flags-changes.csv') ? { fails: 'EIO' } : null,
    ),
  );
  isRefused = true;
  assert.equal(await both.poll(recorder, itemsOf({ b: { count: '1' } })), false);
  isRefused = false;
  assert.equal(await both.poll(recorder, two), true);
  await both.check(disk);
});

test('changes read off a log that lacks the poll of the snapshot, interrupted before the next poll', async () => {
  const kept = { ...EVERYTHING, changes: false };
  const { disk, runs } = start(kept);
  await recordKilled(runs, disk, [one]);
  await recordKilled(runs, disk, [two], nth(1, 'write', 'flags-log.csv', { fails: 'EIO' }));
  const both = new RecorderRuns(DIR, EVERYTHING, runs);
  await recordKilled(both, disk, [two], nth(1, 'write', 'flags-changes.csv', { stops: true }));
  await recordKilled(both, disk, [two]);
  await both.check(disk);
});

test('polls that the volume does not take leave nothing behind, and later polls go on', async () => {
  const { disk, runs } = start(CHANGES);
  let isFull = false;
  const files = new FaultyFiles(disk, ({ name }) =>
    isFull && name === 'write' ? { fails: 'ENOSPC' } : null,
  );
  const recorder = await runs.open(files);
  await runs.poll(recorder, one);
  isFull = true;
  for (const items of [two, itemsOf({}), wide]) assert.equal(await runs.poll(recorder, items), false);
  isFull = false;
  await runs.poll(recorder, two);
  await runs.check(disk);
});

/** Seals what is closed nine days later, before the first poll of that day. */
async function sealLater(disk: VolatileDisk, recorder: TableRecorder): Promise<boolean> {
  const sealer = new Sealer({
    store: new LocalStore(DIR, disk),
    days: new LocalDays('UTC'),
    parquet: new PlainDays(disk),
    clock: { now: () => Date.parse('2026-12-03T12:00:00Z'), sleep: async () => undefined },
    logger: pino({ level: 'silent' }),
  });
  let isDone = true;
  for (const dataset of [recorder.log, recorder.changes]) {
    if (dataset === null) continue;
    await sealer.restore(dataset);
    isDone = (await sealer.seal(dataset, { keep: 1, retention: null })) && isDone;
  }
  return isDone;
}

test('changes that the snapshot does not have yet are not sealed away', async () => {
  const { disk, runs } = start(CHANGES);
  await recordKilled(runs, disk, [one]);
  await recordKilled(runs, disk, [two], nth(1, 'rename', 'flags.csv', { stops: true }));
  assert.equal(await sealLater(disk, await runs.open(disk)), false);
  const again = await runs.open(disk);
  assert.deepEqual(again.changes!.status().rows, 1);
  await runs.poll(again, two);
  assert.deepEqual(again.changes!.status().rows, 1, 'nothing is logged twice');
  assert.equal(await sealLater(disk, again), true);
  assert.deepEqual(again.changes!.status().rows, 0);
});

test('a log is not sealed before the changes were read off it', async () => {
  const { disk, runs } = start({ ...LOG_AND_CHANGES, changes: false });
  await recordKilled(runs, disk, [one, two]);
  const both = new RecorderRuns(DIR, LOG_AND_CHANGES, runs);
  const recorder = await both.open(disk);
  assert.equal(await sealLater(disk, recorder), false);
  await both.poll(recorder, wide);
  await both.check(disk);
  assert.equal(await sealLater(disk, recorder), true);
  assert.equal(recorder.log!.status().rows, 0);
});

test('an attribute that has the name of a column of ours, and changes that are kept only later', async () => {
  const { disk, runs } = start(ALL_KEPT['a snapshot']!);
  const stamped = itemsOf({ a: { timestamp: 'noon' } });
  await recordKilled(runs, disk, [one, stamped]);
  const recorder = await new RecorderRuns(DIR, CHANGES, runs).open(disk);
  await recorder.record(readingOf(itemsOf({ a: { timestamp: 'one' } })), Date.parse('2026-11-24T10:00:00Z'));
  assert.equal(
    (await recorder.changes!.content()).bytes.toString(),
    'change,id,count,timestamp,previous_count,previous_timestamp,since,poll_timestamp\n' +
      'update,a,,one,,noon,2026-11-24T09:31:00.000Z,2026-11-24T10:00:00.000Z\n',
  );
});

test('a log in another order of columns, or with other types, has another version', async () => {
  const { disk, runs } = start(ALL_KEPT['a log']!);
  const recorder = await runs.open(disk);
  const versions = new Set<string | null>();
  await runs.poll(recorder, wide);
  versions.add(recorder.log!.version);
  const [id, area, count, time] = recorder.log!.columns!;
  await recorder.log!.layOut([id!, count!, area!, time!], ['id'], 'timestamp');
  versions.add(recorder.log!.version);
  await recorder.log!.layOut([id!, { ...count!, type: 'string' }, area!, time!], ['id'], 'timestamp');
  versions.add(recorder.log!.version);
  assert.equal(versions.size, 3);
});

test('another key schema: all items count as new, and the changes of before stay readable', async () => {
  const { disk, runs } = start(CHANGES);
  const recorder = await runs.open(disk);
  await runs.poll(recorder, one);
  const reading = readingOf(itemsOf({ x: { count: '1' } }));
  const { problems } = await recorder.record(
    { ...reading, keys: ['count'] },
    Date.parse('2026-11-24T10:00:00Z'),
  );
  assert.deepEqual(problems, []);
  const after = await recorder.record({ ...reading, keys: ['count'] }, Date.parse('2026-11-24T10:01:00Z'));
  assert.deepEqual(after.problems, []);
  await recorder.close();
  const again = await runs.open(disk);
  const { bytes, columns } = await again.changes!.content();
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['change', 'count', 'id', 'previous_id', 'since', 'previous_count', 'timestamp'],
  );
  assert.deepEqual(bytes.toString().split('\n').slice(1), [
    'insert,1,a,,,,2026-11-24T09:30:30.000Z',
    'insert,1,b,,,,2026-11-24T09:30:30.000Z',
    'insert,1,x,,,,2026-11-24T10:00:00.000Z',
    '',
  ]);
});

test('the clock goes back: times still increase, across restarts too', async () => {
  const { disk, runs } = start(EVERYTHING);
  let recorder = await runs.open(disk);
  const times: number[] = [];
  for (const at of [2_000_000, 1_000_000, 1_000_000, 2_000_000, 2_000_001, 5, 3_000_000]) {
    times.push((await recorder.record(readingOf(one), at)).at);
    await recorder.close();
    recorder = await runs.open(disk);
  }
  assert.deepEqual(times, [2_000_000, 2_000_001, 2_000_002, 2_000_003, 2_000_004, 2_000_005, 3_000_000]);
  const logged = await rowTimes(recorder.log!);
  assert.deepEqual(
    logged,
    times.flatMap((at) => [at, at]).map((at) => new Date(at).toISOString()),
  );
});

async function rowTimes(log: { content(): Promise<{ bytes: Buffer }> }): Promise<string[]> {
  const lines = (await log.content()).bytes.toString().trimEnd().split('\n').slice(1);
  return lines.map((line) => line.split(',').at(-1)!);
}
