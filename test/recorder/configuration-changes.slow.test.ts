import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { Reading } from '../../src/sources/source.js';
import type { Files } from '../../src/volume/files.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { ALL_KEPT, RecorderRuns } from '../support/recorder-runs.js';
import { recorderWorld } from '../support/recorder-world.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { checkChanges, checkLog, itemsOf, readingOf, rowsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** What stands on a data folder outlives every change of the configuration between two starts. */

const FIRST = Date.parse('2026-11-24T09:30:00.000Z');
const MINUTE = 60_000;
const one = itemsOf({ a: { count: '1' }, b: { count: '1' } });
const two = itemsOf({ a: { count: '2' }, b: { count: '1' } });
const three = itemsOf({ a: { count: '2' } });

const world = (t: TestContext) => recorderWorld(t, { name: 'flags', first: FIRST, step: MINUTE });

test('a log that becomes a snapshot is moved aside, its sealed days stay, and one line is logged with its new place', async (t) => {
  const { dataDir, record, file, lines } = await world(t);
  await record({ log: true }, one, two);
  const log = await file('flags.csv');
  const sealed = join(dataDir, 'history', 'flags', 'date=2026-11-01');
  await mkdir(sealed, { recursive: true });
  await record({}, three);
  assert.equal(await file('taken-over/flags.csv'), log);
  assert.equal(await file('flags.csv'), 'id,count\na,2\n');
  assert.deepEqual(
    lines.map(({ level, dataset, keptAt, sealedDaysAt }) => [level, dataset, keptAt, sealedDaysAt]),
    [['warn', 'flags', join(dataDir, 'taken-over', 'flags.csv'), join(dataDir, 'history', 'flags')]],
  );
  assert.match(lines[0]!.msg, /^flags\.csv held a log, and flags is a snapshot now: /);
  assert.deepEqual(await readdir(join(dataDir, 'history', 'flags')), ['date=2026-11-01']);
  await record({}, one);
  assert.equal(lines.length, 1, 'said once');
  await rename(join(dataDir, 'taken-over', 'flags.csv'), join(dataDir, 'flags.csv'));
  await record({ log: true }, one);
  assert.equal((await file('flags.csv')).startsWith(log), true, 'put back, the log goes on');
});

test('a log without our notes, the script’s above all, is not overwritten by a snapshot', async (t) => {
  const { dataDir, record, file } = await world(t);
  const script = 'id,count,timestamp\na,1,2025-02-14 09:30:00\n';
  await writeFile(join(dataDir, 'flags.csv'), script);
  await record({}, one);
  assert.equal(await file('taken-over/flags.csv'), script);
});

test('an attribute "timestamp" makes no log of a snapshot', async (t) => {
  const { record, lines, dataDir } = await world(t);
  const stamped = itemsOf({ a: { timestamp: '2026-11-24T09:30:00.000Z' } });
  await record({}, stamped);
  await record({}, stamped);
  assert.deepEqual([lines, (await readdir(dataDir)).includes('taken-over')], [[], false]);
});

test('a snapshot that becomes a log leaves no row without a time, and no change is lost between the two', async (t) => {
  const { record, file, lines } = await world(t);
  await record({ changes: true }, one);
  await record({ changes: true, log: true }, two);
  await record({ changes: true }, three);
  assert.equal(
    await file('taken-over/flags.csv'),
    'id,count,timestamp\na,2,2026-11-24T09:31:00.000Z\nb,1,2026-11-24T09:31:00.000Z\n',
  );
  assert.equal(
    await file('flags-changes.csv'),
    'change,id,count,previous_count,since,timestamp\n' +
      'insert,a,1,,,2026-11-24T09:30:00.000Z\ninsert,b,1,,,2026-11-24T09:30:00.000Z\n' +
      'update,a,2,1,2026-11-24T09:30:00.000Z,2026-11-24T09:31:00.000Z\n' +
      'delete,b,,1,2026-11-24T09:31:00.000Z,2026-11-24T09:32:00.000Z\n',
  );
  assert.equal(lines.length, 2);
});

test('a snapshot that was kept while changes were is served at once after the log, with its own age', async (t) => {
  const { record, open, now } = await world(t);
  await record({ changes: true, log: true }, one);
  const recorder = await open({ changes: true });
  t.after(() => recorder.close());
  assert.equal((await recorder.datasets[0]!.content()).bytes.toString(), 'id,count\na,1\nb,1\n');
  assert.equal(recorder.datasets[0]!.status().readAt, now() - MINUTE);
});

test('changes of a log that were off for a while span the gap, and that is logged', async (t) => {
  const { record, file, lines } = await world(t);
  await record({ log: true, changes: true }, one);
  await record({ log: true }, two, two);
  await record({ log: true, changes: true }, three);
  const added = (await file('flags-changes.csv')).split('\n').slice(3, -1);
  const times = '2026-11-24T09:30:00.000Z,2026-11-24T09:33:00.000Z';
  assert.deepEqual(added, [`update,a,2,1,${times}`, `delete,b,,1,${times}`]);
  assert.deepEqual(
    lines.map(({ dataset, from, to }) => [dataset, from, to]),
    [['flags-changes', '2026-11-24T09:30:00.000Z', '2026-11-24T09:32:00.000Z']],
  );
});

test('changes of a snapshot that were off for a while continue from the last snapshot, and that is logged', async (t) => {
  const { record, file, lines } = await world(t);
  await record({ changes: true }, one);
  await record({}, two);
  await record({ changes: true }, three);
  const added = (await file('flags-changes.csv')).split('\n').slice(3, -1);
  assert.deepEqual(added, ['delete,b,,1,2026-11-24T09:31:00.000Z,2026-11-24T09:32:00.000Z']);
  assert.match(lines[0]!.msg, /what changed in between is not among them/);
});

test('another timestampColumn: the recorded name stays, and the logged remedy works', async (t) => {
  const { dataDir, record, file, lines } = await world(t);
  await record({ log: true }, one);
  await record({ log: true, timestampColumn: 'polled_at' }, three);
  assert.match(await file('flags.csv'), /^id,count,timestamp\n.*\na,2,2026-11-24T09:31:00.000Z\n$/s);
  assert.match(lines[0]!.msg, /stays "timestamp".* move flags\.csv away$/);
  await rename(join(dataDir, 'flags.csv'), join(dataDir, 'old.csv'));
  await record({ log: true, timestampColumn: 'polled_at' }, three);
  assert.equal(await file('flags.csv'), 'id,count,polled_at\na,2,2026-11-24T09:32:00.000Z\n');
  assert.equal(lines.length, 1);
});

test('a table with the name of an earlier log or changes starts with its own files', async (t) => {
  const { dataDir, record, file, lines } = await world(t);
  const instances = { name: 'server', logName: 'server-log', log: true, source: 'EC2 instances' };
  await record(instances, one);
  await record({ changes: true }, one);
  await mkdir(join(dataDir, 'history', 'server-log', 'date=2026-11-01'), { recursive: true });
  const old = await file('server-log.csv');
  for (const name of ['server-log', 'flags-changes'])
    for (const _ of ['first', 'again']) await record({ name, log: true }, three);
  assert.equal(await file('taken-over/server-log.csv'), old);
  assert.deepEqual(await readdir(join(dataDir, 'taken-over', 'server-log')), ['date=2026-11-01']);
  assert.match(await file('taken-over/flags-changes.csv'), /^change,id,/);
  for (const name of ['server-log', 'flags-changes'])
    assert.match(await file(`${name}.csv`), /^id,count,timestamp\n(a,2,.*\n){2}$/);
  assert.deepEqual(
    lines.map(({ dataset }) => dataset),
    ['server-log', 'flags-changes'],
  );
});

test('another source under the same name continues its history, and that is logged', async (t) => {
  const { record, file, lines } = await world(t);
  await record({ log: true }, three);
  await record({ log: true, source: 'DynamoDB table flags-v2' }, three);
  assert.equal((await file('flags.csv')).split('\n').length, 4);
  assert.deepEqual([lines[0]!.before, lines[0]!.now], ['DynamoDB table flags', 'DynamoDB table flags-v2']);
});

const CHANGES = ALL_KEPT['a snapshot and changes']!;
const LOG_AND_CHANGES = ALL_KEPT['a log and changes']!;
const AWAY: readonly (() => boolean)[] = [() => true, () => false];

for (const [from, to] of [
  [CHANGES, LOG_AND_CHANGES],
  [LOG_AND_CHANGES, CHANGES],
] as const) {
  test(`from ${from.log ? 'a log to a snapshot' : 'a snapshot to a log'}, interrupted anywhere, by a kill or a power loss`, async () => {
    for (const survives of [null, ...AWAY]) {
      for (let stopsAt = 0, isDone = false; !isDone; stopsAt++) {
        let disk = new VolatileDisk('/data', '/data/.dynamo-csv');
        const before = new RecorderRuns('/data', from);
        const first = await before.open(disk);
        for (const items of [one, two]) await before.poll(first, items);
        const logged = structuredClone(before.truth);
        const after = new RecorderRuns('/data', to, before);
        const faulty = new FaultyFiles(disk, ({ index }) => (index === stopsAt ? { stops: true } : null));
        await after
          .open(faulty)
          .then((recorder) => after.poll(recorder, three))
          .catch(() => undefined);
        isDone = !faulty.isStopped;
        if (survives !== null) disk = disk.afterPowerLoss(survives);
        const again = await after.open(disk);
        await after.poll(again, three);
        checkChanges(await rowsIn(disk, '/data/flags-changes.csv'), after.truth);
        if (from.log) checkLog(await rowsIn(disk, '/data/taken-over/flags.csv'), logged);
        else checkLog(await rowsIn(disk, '/data/flags.csv'), { ...after.truth, confirmed: new Set() });
      }
    }
  });
}

async function rowsIn(files: Files, path: string) {
  return rowsOf(await files.readFile(path));
}

/** For each operation on the volume that `life` can be interrupted at: on a disk of its own, interrupted there, and then `after`. */
async function interruptedAnywhere(
  prepare: (disk: VolatileDisk) => Promise<unknown>,
  life: (files: Files) => Promise<unknown>,
  after: (disk: VolatileDisk, stopsAt: number) => Promise<void>,
): Promise<void> {
  for (let stopsAt = 0, isDone = false; !isDone; stopsAt++) {
    const disk = new VolatileDisk('/data', '/data/.dynamo-csv');
    await prepare(disk);
    const faulty = new FaultyFiles(disk, ({ index }) => (index === stopsAt ? { stops: true } : null));
    await life(faulty).catch(() => undefined);
    isDone = !faulty.isStopped;
    await after(disk, stopsAt);
  }
}

/** One poll of a source on that disk, in a life of its own that is killed thereafter. */
async function pollOn(files: Files, options: Partial<RecorderOptions>, reading: Reading, at: number) {
  const clock = { now: () => at, sleep: async () => undefined };
  const health = new PollHealth(MINUTE, clock);
  const recorder = await openTestRecorder({ name: 'flags', dataDir: '/data', health, files, ...options });
  await recorder.record(reading, at);
}

test('another key schema, interrupted anywhere in the poll that finds it: every item is inserted once', async () => {
  const rekeyed = { ...readingOf(itemsOf({ x: { count: '1' }, y: { count: '2' } })), keys: ['count'] };
  await interruptedAnywhere(
    (disk) => pollOn(disk, CHANGES, readingOf(one), FIRST),
    (files) => pollOn(files, CHANGES, rekeyed, FIRST + MINUTE),
    async (disk, stopsAt) => {
      await pollOn(disk, CHANGES, rekeyed, FIRST + 2 * MINUTE);
      const changes = (await rowsIn(disk, '/data/flags-changes.csv')).slice(2);
      assert.deepEqual(
        changes.map(({ change, count, id, since }) => [change, count, id, since]),
        [
          ['insert', '1', 'x', undefined],
          ['insert', '2', 'y', undefined],
        ],
        `stopped at ${stopsAt}`,
      );
      assert.deepEqual((await rowsIn(disk, '/data/flags.csv')).length, 2);
    },
  );
});

test('a log that begins beside a snapshot is its own source’s, wherever its first poll is interrupted', async () => {
  const other = { name: 'flags-log', log: true };
  await interruptedAnywhere(
    (disk) => pollOn(disk, { changes: true }, readingOf(one), FIRST),
    (files) =>
      pollOn(files, { changes: true, log: true, logName: 'flags-log' }, readingOf(two), FIRST + MINUTE),
    async (disk, stopsAt) => {
      await pollOn(disk, other, readingOf(three), FIRST + 2 * MINUTE);
      const rows = await rowsIn(disk, '/data/flags-log.csv');
      assert.deepEqual(
        rows.map(({ timestamp }) => timestamp),
        ['2026-11-24T09:32:00.000Z'],
        `stopped at ${stopsAt}`,
      );
    },
  );
});

test('a new log with another time column continues, wherever its first poll is interrupted', async () => {
  const renamed = { log: true, timestampColumn: 'polled_at' };
  await interruptedAnywhere(
    async (disk) => {
      await pollOn(disk, { log: true }, readingOf(one), FIRST);
      await disk.remove('/data/flags.csv');
    },
    (files) => pollOn(files, renamed, readingOf(two), FIRST + MINUTE),
    async (disk, stopsAt) => {
      await pollOn(disk, renamed, readingOf(three), FIRST + 2 * MINUTE);
      assert.deepEqual(await disk.list('/data/taken-over'), [], `stopped at ${stopsAt}`);
      const rows = await rowsIn(disk, '/data/flags.csv');
      assert.deepEqual(rows.at(-1), { id: 'a', count: '2', polled_at: '2026-11-24T09:32:00.000Z' });
    },
  );
});

test('a log without our notes keeps its columns where they are', async (t) => {
  const { dataDir, record, file } = await world(t);
  await record({ log: true }, itemsOf({ a: { area: 'north', count: '1' } }));
  await rm(join(dataDir, '.dynamo-csv', 'flags.json'));
  await record({ log: true }, three);
  assert.equal(
    await file('flags.csv'),
    'id,area,count,timestamp\na,north,1,2026-11-24T09:30:00.000Z\na,,2,2026-11-24T09:31:00.000Z\n',
  );
});

test('changes that are kept from now on are read off the log since its key schema changed', async (t) => {
  const { open, record, now, file } = await world(t);
  await record({ log: true }, one);
  const rekeyed = { ...readingOf(itemsOf({ x: { count: '1' } })), keys: ['count'] };
  for (const changes of [false, true]) {
    const recorder = await open({ log: true, changes });
    await recorder.record(rekeyed, now() + (changes ? MINUTE : 0));
    await recorder.close();
  }
  assert.equal(
    await file('flags-changes.csv'),
    'change,count,id,previous_id,since,timestamp\ninsert,1,x,,,2026-11-24T09:31:00.000Z\n',
  );
});
