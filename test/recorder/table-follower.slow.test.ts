import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { LocalStore } from '../../src/history/local-store.js';
import { Sealer } from '../../src/history/sealer.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { TableFollower } from '../../src/recorder/table-follower.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { DeltaRecord, Reading } from '../../src/sources/source.js';
import { nodeFiles } from '../../src/volume/files.js';
import { historyOf } from '../../src/volume/layout.js';
import { SqlWorld } from '../support/sql-world.js';
import { itemsOf, readingOf } from '../support/true-polls.js';
import { unsyncedFiles } from '../support/unsynced-files.js';

const FIRST = Date.parse('2026-08-20T04:00:00Z');
const HOUR = 3_600_000;
const ZONE = 'America/New_York';
const COST = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/** A recorder, and beside it a follower with an SQL engine of its own, as another process has it. */
async function world(t: TestContext, options: Partial<RecorderOptions>) {
  const writer = await SqlWorld.start(t, { now: FIRST, timeZone: ZONE });
  const { dataDir, time } = writer;
  const recorder: TableRecorder = await writer.table('flags', { files: unsyncedFiles, ...options });
  t.after(() => recorder.close());
  const reader = await SqlWorld.start(t, { now: FIRST, timeZone: ZONE, dataDir });
  const logger = pino({ level: 'silent' });
  const sealer = new Sealer({
    store: new LocalStore(dataDir, nodeFiles),
    days: new LocalDays(ZONE),
    parquet: reader.sql.parquet,
    clock: time,
    logger,
  });
  /** What looking for sealed days rejects with; null: it works. */
  const look: { error: Error | null } = { error: null };
  const follower = new TableFollower({
    name: 'flags',
    source: 'DynamoDB table flags',
    dataDir,
    files: nodeFiles,
    health: new PollHealth(30_000, time),
    logger,
    log: false,
    changes: false,
    configured: [],
    timestampColumn: null,
    now: () => time.now(),
    daysFor: async (rows) => {
      if (look.error !== null) throw look.error;
      return sealer.follow(rows);
    },
    historyOf: (dataset) => historyOf(dataDir, dataset),
    ...options,
  });
  for (const dataset of follower.datasets) reader.registry.add(dataset);
  t.after(() => follower.close());
  const record = async (reading: Reading) => {
    time.at += 6 * HOUR;
    assert.deepEqual((await recorder.record(reading, time.at)).problems, []);
  };
  const isSame = async () => {
    assert.equal(await follower.refresh(undefined), true);
    for (const [index, dataset] of recorder.datasets.entries()) {
      const followed = follower.datasets[index]!;
      const [given, shown] = [await dataset.content(), await followed.content()];
      assert.equal(shown.bytes.toString(), given.bytes.toString());
      assert.deepEqual(shown.columns, given.columns);
      assert.equal(shown.readAt, given.readAt);
      assert.deepEqual(followed.keys, dataset.keys);
      assert.equal(followed.timeColumn, dataset.timeColumn);
      assert.equal(followed.description, dataset.description);
    }
  };
  return { writer, reader, recorder, follower, look, record, isSame, time };
}

const FULL = [
  itemsOf({ a: { count: '1' }, b: { count: '2' } }),
  itemsOf({ a: { count: '1' }, b: { count: '2' } }),
  itemsOf({ a: { count: '1', area: 'north, "east"' }, c: { count: '7' } }),
  itemsOf({}),
  itemsOf({ a: { count: 'many' } }),
].map(readingOf);

for (const [what, options] of Object.entries({
  'a snapshot': {},
  'a snapshot and changes': { changes: true },
  'a log and changes': { log: true, changes: true },
  'a snapshot, a log beside it and changes': { log: true, logName: 'flags-log', changes: true },
})) {
  test(`${what} of whole readings: the follower has what the recorder has, after each poll and in versions`, async (t) => {
    const { recorder, follower, record, isSame } = await world(t, options);
    assert.equal(await follower.refresh(undefined), true);
    await assert.rejects(follower.datasets[0]!.content(), { code: 'DATASET_NOT_READ_YET' });
    for (const reading of FULL) {
      await record(reading);
      await isSame();
      const versions = (datasets: typeof recorder.datasets) => datasets.map(({ version }) => version);
      assert.deepEqual(versions(follower.datasets), versions(recorder.datasets));
    }
  });
}

const COLUMNS: readonly Column[] = [
  { name: 'zone_id', type: 'number', seen: true },
  { name: 'count', type: 'number', seen: true },
];

function reading(items: readonly (readonly Cell[])[], columns = COLUMNS): Reading {
  return { kind: 'full', rows: encodeRows(columns, items), keys: ['zone_id'], position: '1', cost: COST };
}

function delta(
  position: number,
  events: readonly (readonly Cell[])[],
  at: number,
  columns = COLUMNS,
): Reading {
  const records = events.map((cells): DeltaRecord => ({ at, change: cells[1] === null ? 'remove' : 'put' }));
  return {
    kind: 'delta',
    rows: encodeRows(columns, events),
    records,
    compareKeys: ([a], [b]) => Number(a) - Number(b),
    keys: ['zone_id'],
    position: String(position),
    cost: COST,
  };
}

test('the records of a stream: the items are an older file with the changes since', async (t) => {
  // So slow a rate that the file is not replaced meanwhile.
  const { record, isSame, recorder, follower, time } = await world(t, { changes: true, writeRate: 1e-9 });
  await record(
    reading([
      ['2', '1'],
      ['7', '1'],
      ['10', '1'],
    ]),
  );
  await isSame();
  await record(
    delta(
      2,
      [
        ['7', '2'],
        ['7', '3'],
        ['132', '1'],
      ],
      time.at,
    ),
  );
  await isSame();
  await record(
    delta(
      3,
      [
        ['10', null],
        ['1', '5'],
        ['99', null],
      ],
      time.at,
    ),
  );
  await isSame();
  await record(
    delta(4, [['3', '5', 'x']], time.at, [...COLUMNS, { name: 'area', type: 'string', seen: true }]),
  );
  await isSame();
  const { version } = follower.datasets[0]!;
  await record(delta(5, [['3', null]], time.at));
  await isSame();
  const edited = follower.datasets[0]!.editedSince!(version!)!;
  assert.equal(edited.removed.body.toString(), '3,x,5\n');
  assert.equal(edited.put.ends.length, 0);
  // Another reading of all, and after it records again.
  await record(
    reading([
      ['1', '1'],
      ['3', '3'],
    ]),
  );
  await isSame();
  await record(delta(2, [['2', '2']], time.at));
  await isSame();
  assert.equal((await recorder.datasets[0]!.content()).rows, 3);
  // A follower that comes later.
  const later = await world(t, { changes: true });
  await later.record(reading([['2', '1']]));
  await later.record(delta(2, [['1', '1']], later.time.at));
  await later.isSame();
});

test('days that are sealed and expire: windows give the same at any time, no row twice and none missing', async (t) => {
  const { writer, reader, recorder, follower, record, isSame, time } = await world(t, {
    log: true,
    changes: true,
  });
  const whole = 'from=2000-01-01T00:00:00Z&sort=timestamp,id';
  for (let day = 0; day < 12; day += 1) {
    for (let poll = 0; poll < 4; poll += 1)
      await record(
        readingOf(
          itemsOf({
            a: { count: `${day * 4 + poll}`, ...(day > 4 ? { area: `north ${poll}` } : {}) },
            b: { count: poll % 2 === 0 ? '1' : '2' },
          }),
        ),
      );
    await isSame();
    reader.time.at = time.at;
    let isOver = false;
    const seal = async () => {
      for (const log of [recorder.log!, recorder.changes!])
        assert.equal(await writer.sealer.seal(log, { keep: 3, retention: null }), true);
      isOver = true;
    };
    const expected = await Promise.all(recorder.datasets.map(({ name }) => writer.window(name, whole)));
    const sealing = seal();
    do {
      await follower.refresh(undefined);
      for (const [index, { name }] of follower.datasets.entries())
        assert.equal(await reader.window(name, whole), expected[index]);
    } while (!isOver);
    await sealing;
  }
  await isSame();
  const days = () => follower.datasets.map(({ sealedDays }) => sealedDays.map(({ date }) => date));
  assert.deepEqual(
    days(),
    recorder.datasets.map(({ sealedDays }) => sealedDays.map(({ date }) => date)),
  );
  assert.ok(days()[0]!.length >= 9);
  for (const log of [recorder.log!, recorder.changes!])
    await writer.sealer.seal(log, { keep: 3, retention: 5 });
  await follower.refresh(undefined);
  assert.ok(days()[0]!.length < 9);
  for (const { name } of follower.datasets)
    assert.equal(await reader.window(name, whole), await writer.window(name, whole));
});

test('days that go while nobody can look at them are gone at the next look that works', async (t) => {
  const { writer, recorder, follower, look, record } = await world(t, { log: true });
  for (let poll = 0; poll < 16; poll += 1) await record(FULL[0]!);
  const log = recorder.log!;
  await writer.sealer.seal(log, { keep: 1, retention: null });
  assert.equal(await follower.refresh(undefined), true);
  const followed = follower.datasets[0]!;
  const days = () => [followed, log].map(({ sealedDays }) => sealedDays.length);
  assert.deepEqual(days(), [4, 4]);
  await writer.sealer.seal(log, { keep: 1, retention: 3 });
  look.error = new Error('the disk does not answer');
  assert.equal(await follower.refresh(undefined), false);
  assert.deepEqual(days(), [4, 2]);
  look.error = null;
  assert.equal(await follower.refresh(undefined), true);
  assert.deepEqual(days(), [2, 2]);
});

test('a file that cannot be read is the last error of its datasets, until it can', async (t) => {
  const { writer, follower, record, isSame } = await world(t, { changes: true });
  await record(FULL[0]!);
  const { rename, writeFile } = await import('node:fs/promises');
  const path = `${writer.dataDir}/.dynamo-csv/flags.json`;
  await rename(path, `${path}.good`);
  await writeFile(path, 'not a state');
  assert.equal(await follower.refresh(undefined), false);
  assert.equal(follower.datasets[0]!.status().lastError!.code, 'STATE_UNREADABLE');
  await rename(`${path}.good`, path);
  await isSame();
  assert.equal(follower.datasets[0]!.status().lastError, null);
});
