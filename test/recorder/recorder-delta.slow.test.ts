import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { DeltaRecord, Reading, ReadRequest, Source } from '../../src/sources/source.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { ALL_KEPT, type Kept } from '../support/recorder-runs.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { rowsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const DIR = '/data';
const FIRST = Date.parse('2026-11-24T09:30:00.000Z');
const MINUTE = 60_000;
const COST = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
const COLUMNS: readonly Column[] = [
  { name: 'zone_id', type: 'number', seen: true },
  { name: 'count', type: 'number', seen: true },
];

/** One record of the stream: a zone's count, null when it was removed. */
type Event = readonly [zone: string, count: string | null];

/** Batch by batch; several records of one zone in one batch, zones that come back, a removal of nothing, a put of the same. */
const HISTORY: readonly (readonly Event[])[] = [
  [
    ['2', '1'],
    ['10', '1'],
    ['7', '1'],
  ],
  [
    ['7', '2'],
    ['7', '3'],
    ['132', '1'],
  ],
  [
    ['10', null],
    ['10', '5'],
    ['2', '1'],
    ['99', null],
  ],
  [],
  [
    ['2', null],
    ['7', null],
    ['1', '8'],
    ['7', '9'],
    ['7', null],
  ],
];

/** When a record happened: a second after the one before, in the minute before the poll that can find it. */
const timeOf = (batch: number, record: number) => FIRST + batch * MINUTE + (record + 1) * 1_000 - MINUTE;

/** A source of deltas: what happened in the batches since the position, and at first the items after the first batch. */
class StreamSource implements Source {
  readonly title = 'a stream';
  /** Batches that have happened so far. */
  batches = 1;

  async read({ position = null }: ReadRequest): Promise<Reading> {
    const facts = { keys: ['zone_id'], cost: COST, position: String(this.batches) };
    if (position === null) {
      const items = [...itemsAfter(this.batches)].sort(([a], [b]) => Number(a) - Number(b));
      return { kind: 'full', rows: encodeRows(COLUMNS, items), ...facts };
    }
    const batches = HISTORY.slice(0, this.batches).map((events, batch) =>
      events.map(([zone, count], index) => ({ cells: [zone, count], at: timeOf(batch, index) })),
    );
    const found = batches.slice(Number(position)).flat();
    const records = found.map(
      ({ cells, at }): DeltaRecord => ({ at, change: cells[1] === null ? 'remove' : 'put' }),
    );
    const rows = encodeRows(
      COLUMNS,
      found.map(({ cells }) => cells as Cell[]),
    );
    return { kind: 'delta', rows, records, compareKeys: ([a], [b]) => Number(a) - Number(b), ...facts };
  }

  async close(): Promise<void> {}
}

function itemsAfter(batches: number): Map<string, string> {
  const items = new Map<string, string>();
  for (const [zone, count] of HISTORY.slice(0, batches).flat()) {
    if (count === null) items.delete(zone);
    else items.set(zone, count);
  }
  return items;
}

function open(files: VolatileDisk | FaultyFiles, kept: Kept): Promise<TableRecorder> {
  const clock = { now: () => FIRST, sleep: async () => undefined };
  return openTestRecorder({
    name: 'zones',
    dataDir: DIR,
    files,
    health: new PollHealth(MINUTE, clock),
    ...kept,
  });
}

/** Polls batch after batch from where the volume is, until the files stop. */
async function record(source: StreamSource, files: VolatileDisk | FaultyFiles, kept: Kept): Promise<void> {
  const recorder = await open(files, kept);
  const signal = new AbortController().signal;
  for (; source.batches <= HISTORY.length; source.batches++) {
    const startedAt = FIRST + (source.batches - 1) * MINUTE;
    const reading = await source.read({ known: recorder.known, position: recorder.position, signal });
    const { problems } = await recorder.record(reading, startedAt);
    if (files instanceof FaultyFiles && files.isStopped) return;
    // What the disk refused once is asked for again.
    if (problems.length > 0) source.batches--;
  }
  source.batches = HISTORY.length;
  await recorder.close();
}

async function rowsIn(disk: VolatileDisk, name: string) {
  const path = `${DIR}/${name}.csv`;
  return (await disk.stat(path)) === null ? [] : rowsOf(await disk.readFile(path));
}

/** Holds all files to the history: each record once, in order, with its own time. */
async function check(disk: VolatileDisk, kept: Kept, isFromStart: boolean): Promise<void> {
  const recorder = await open(disk, kept);
  assert.equal(recorder.position, String(HISTORY.length));
  await recorder.close();
  const items = [...itemsAfter(HISTORY.length)].sort(([a], [b]) => Number(a) - Number(b));
  const rows = items.map(([zone_id, count]) => ({ zone_id, count }));
  if (kept.logName !== undefined || !kept.log)
    assert.deepEqual(await rowsIn(disk, 'zones'), rows, 'in key order');
  if (kept.log) {
    const log = await rowsIn(disk, kept.logName ?? 'zones');
    const last = log.filter(({ timestamp }) => timestamp === log.at(-1)!.timestamp);
    assert.deepEqual(
      last,
      rows.map((row) => ({ ...row, timestamp: last[0]!.timestamp })),
    );
    const polls = log.map(({ timestamp, zone_id }) => `${timestamp} ${zone_id}`);
    assert.equal(new Set(polls).size, polls.length, 'no poll stands twice');
  }
  if (kept.changes) checkChanges(await rowsIn(disk, 'zones-changes'), isFromStart);
}

function checkChanges(rows: readonly Record<string, string>[], isFromStart: boolean): void {
  const present = new Map<string, string>();
  const expected: string[] = [];
  for (const [batch, events] of HISTORY.entries()) {
    for (const [index, [zone, count]] of events.entries()) {
      const before = present.get(zone) ?? null;
      if (before === count) continue;
      const change = before === null ? 'insert' : count === null ? 'delete' : 'update';
      if (count === null) present.delete(zone);
      else present.set(zone, count);
      const time = batch === 0 ? '' : new Date(timeOf(batch, index)).toISOString();
      expected.push([change, zone, count ?? '', time].join());
    }
  }
  const first = HISTORY[0]!.length;
  const told = rows.map(({ change, zone_id, count = '', timestamp }, index) =>
    [change, zone_id, count, index < first ? '' : timestamp].join(),
  );
  if (isFromStart) assert.deepEqual(told.slice(first), expected.slice(first));
  assert.deepEqual(told.slice(0, first).sort(), expected.slice(0, first).sort());
}

const KEPT = ['a snapshot', 'a log and changes', 'a snapshot, a log and changes'];

for (const what of KEPT) {
  const kept =
    ALL_KEPT[what]!.logName === undefined ? ALL_KEPT[what]! : { ...ALL_KEPT[what]!, logName: 'zones-log' };

  const operations = async (): Promise<readonly Operation[]> => {
    const files = new FaultyFiles(new VolatileDisk(DIR, `${DIR}/.dynamo-csv`));
    await record(new StreamSource(), files, kept);
    return files.operations;
  };

  /** Records until the fault, goes on with what a start then finds, and holds the end to the history. */
  const interruptedAt = async (operation: Operation, fault: Fault, survives: boolean | null) => {
    const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
    const source = new StreamSource();
    await record(source, new FaultyFiles(disk, at(operation.index, fault)), kept).catch(() => undefined);
    const found = survives === null ? disk : disk.afterPowerLoss(() => survives);
    await record(source, found, kept);
    const where = `operation ${operation.index}, ${operation.name} ${operation.path}`;
    await check(found, kept, true).catch((error) => {
      throw new Error(`${where}: ${error}`, { cause: error });
    });
  };

  test(`deltas, ${what}: killed before any operation, and within any write, each record is there once`, async () => {
    for (const operation of await operations()) {
      await interruptedAt(operation, { stops: true }, null);
      if (operation.name === 'write') await interruptedAt(operation, { stops: true, part: 0.6 }, null);
    }
  });

  test(`deltas, ${what}: the power fails at any operation, each record is there once`, async () => {
    for (const operation of await operations()) {
      await interruptedAt(operation, { stops: true, part: 1 }, operation.index % 4 === 0);
    }
  });

  test(`deltas, ${what}: any operation fails once, and the same records are asked for again`, async () => {
    for (const operation of await operations())
      await interruptedAt(operation, { fails: 'EIO', part: 0.5 }, null);
  });
}

test('several records of one key in one delta are one change each, with what was before and their own times', async () => {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  await record(new StreamSource(), disk, ALL_KEPT['a snapshot and changes']!);
  const changes = (await disk.readFile(`${DIR}/zones-changes.csv`)).toString().split('\n');
  assert.deepEqual(changes.slice(4, 9), [
    'update,7,2,1,2026-11-24T09:30:00.000Z,2026-11-24T09:30:01.000Z',
    'update,7,3,2,2026-11-24T09:30:00.000Z,2026-11-24T09:30:02.000Z',
    'insert,132,1,,2026-11-24T09:30:00.000Z,2026-11-24T09:30:03.000Z',
    'delete,10,,1,2026-11-24T09:31:00.000Z,2026-11-24T09:31:01.000Z',
    'insert,10,5,1,2026-11-24T09:31:00.000Z,2026-11-24T09:31:02.000Z',
  ]);
});

test('a delta without items to apply it to is refused, and leaves no trace', async () => {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  const source = new StreamSource();
  const recorder = await open(disk, ALL_KEPT['a snapshot and changes']!);
  source.batches = 2;
  const delta = await source.read({ known: [], position: '1', signal: new AbortController().signal });
  await assert.rejects(recorder.record(delta, FIRST), { code: 'DELTA_WITHOUT_ITEMS' });
  assert.equal(recorder.position, null);
  await recorder.close();
});

test('another source under the same name is not handed the position of the one before', async () => {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  await record(new StreamSource(), disk, ALL_KEPT['a snapshot and changes']!);
  const health = new PollHealth(MINUTE, { now: () => FIRST, sleep: async () => undefined });
  const other = { name: 'zones', dataDir: DIR, files: disk, health, source: 'another stream', changes: true };
  assert.equal((await openTestRecorder(other)).position, null);
});

test('changes of a source that knows when they happened have its times, and tell an expired item from a deleted one', async () => {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  const health = new PollHealth(MINUTE, { now: () => FIRST, sleep: async () => undefined });
  const options = { name: 'zones', dataDir: DIR, files: disk, health, changes: true };
  const before = await openTestRecorder(options);
  await before.record(
    await new StreamSource().read({ known: [], signal: new AbortController().signal }),
    FIRST,
  );
  await before.close();
  const recorder = await openTestRecorder({ ...options, exactTimes: true });
  const records: DeltaRecord[] = [
    { at: FIRST + 5_000, change: 'put' },
    { at: FIRST - 5_000, change: 'expire' },
    { at: FIRST + 6_000, change: 'remove' },
  ];
  const rows = encodeRows(COLUMNS, [
    ['7', '2'],
    ['7', null],
    ['2', null],
  ]);
  const compareKeys = ([a]: readonly Cell[], [b]: readonly Cell[]) => Number(a) - Number(b);
  const facts = { keys: ['zone_id'], cost: COST, position: '2', compareKeys };
  await recorder.record({ kind: 'delta', rows, records, ...facts }, FIRST + MINUTE);
  await recorder.close();
  const [header, ...lines] = (await disk.readFile(`${DIR}/zones-changes.csv`)).toString().split('\n');
  assert.equal(header, 'change,zone_id,count,previous_count,changed_at,since,timestamp');
  assert.deepEqual(lines.slice(0, 6), [
    'insert,2,1,,,,2026-11-24T09:30:00.000Z',
    'insert,7,1,,,,2026-11-24T09:30:00.000Z',
    'insert,10,1,,,,2026-11-24T09:30:00.000Z',
    'update,7,2,1,2026-11-24T09:30:05.000Z,2026-11-24T09:30:00.000Z,2026-11-24T09:30:05.000Z',
    'expire,7,,2,2026-11-24T09:29:55.000Z,2026-11-24T09:30:00.000Z,2026-11-24T09:30:05.000Z',
    'delete,2,,1,2026-11-24T09:30:06.000Z,2026-11-24T09:30:00.000Z,2026-11-24T09:30:06.000Z',
  ]);
  assert.equal(
    (await openTestRecorder({ ...options, exactTimes: true })).position,
    '2',
    'the state can be read',
  );
});
