import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { Relation } from '../../src/datasets/relation.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { DeltaReading } from '../../src/sources/source.js';
import { nodeFiles } from '../../src/volume/files.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { recorderWorld } from '../support/recorder-world.js';
import { type Item, itemsOf, readingOf } from '../support/true-polls.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const FIRST = Date.parse('2026-11-24T09:30:00.000Z');
const AT = { column: 'at', unit: null } as const;
const NEW_ITEMS: Partial<RecorderOptions> = { log: true, append: true, time: AT };
const SNAPSHOT: Partial<RecorderOptions> = { time: AT };

const iso = (at: number) => new Date(at).toISOString();
/** Epoch seconds of so many minutes after the first poll. */
const seconds = (minutes: number) => String(FIRST / 1000 + minutes * 60);

function reading(minutes: number, value: string): Item {
  return { at: seconds(minutes), value };
}

async function world(t: TestContext) {
  const all = await recorderWorld(t, { name: 'readings', first: FIRST, step: MINUTE });
  /** Each row of the log without its header: id, own time in minutes, value, minutes of the poll. */
  const logged = async () => {
    const lines = (await all.file('readings.csv')).trimEnd().split('\n').slice(1);
    const minutes = (time = '') => (Date.parse(time) - FIRST) / MINUTE;
    return lines.map((line) => {
      const [id, at, value, poll] = line.split(',');
      return [id, at === '' ? null : minutes(at), value, minutes(poll)];
    });
  };
  return { ...all, logged };
}

test('each item is in the log once, in the order of its time, with its first values', async (t) => {
  const { record, logged, file } = await world(t);
  const [a, b] = [reading(-1, '1'), reading(-2, '2')];
  await record(
    NEW_ITEMS,
    itemsOf({ a, b }),
    itemsOf({ a: reading(-1, '9'), b, c: reading(1, '3') }),
    itemsOf({ a, c: reading(1, '3'), z: reading(-2000, '4'), y: reading(2, '5') }),
  );
  assert.match(
    await file('readings.csv'),
    /^id,at,value,timestamp\nb,2026-11-24T09:28:00\.000Z,2,2026-11-24T09:30:00\.000Z\n/,
  );
  assert.deepEqual(await logged(), [
    ['b', -2, '2', 0],
    ['a', -1, '1', 0],
    ['c', 1, '3', 1],
    ['z', -2000, '4', 2],
    ['y', 2, '5', 2],
  ]);
});

test('a restart knows what was appended, and an item that was gone is new when it returns', async (t) => {
  const { record, logged } = await world(t);
  const a = reading(-1, '1');
  const b = reading(-2, '2');
  await record(NEW_ITEMS, itemsOf({ a, b }));
  await record(NEW_ITEMS, itemsOf({ a, b }), itemsOf({ a }));
  await record(NEW_ITEMS, itemsOf({ a, b }), itemsOf({ a, b }));
  assert.deepEqual(await logged(), [
    ['b', -2, '2', 0],
    ['a', -1, '1', 0],
    ['b', -2, '2', 3],
  ]);
});

test('an item without a time is appended with an empty one, and told with its key', async (t) => {
  const { record, logged, lines } = await world(t);
  await record(
    NEW_ITEMS,
    itemsOf({ a: reading(-1, '1'), b: { at: 'never', value: '2' }, c: { value: '3' } }),
  );
  assert.deepEqual(await logged(), [
    ['a', -1, '1', 0],
    ['b', null, '2', 0],
    ['c', null, '3', 0],
  ]);
  const told = lines.filter(({ column }) => column === 'at');
  assert.equal(told.length, 1);
  assert.deepEqual(told[0]!.key, { id: 'b' });
  assert.match(told[0]!.msg, /^at: 1 value is not a time; /);
});

test('exceptions are there while they last, and told once', async (t) => {
  const { open, lines } = await world(t);
  const recorder = await open({ ...SNAPSHOT });
  const poll = (items: Record<string, Item>, at: number) => recorder.record(readingOf(itemsOf(items)), at);
  const [dataset] = recorder.datasets;
  await poll({ a: { at: 'x' }, b: { at: 'y' }, c: reading(0, '1') }, FIRST);
  await poll({ a: { at: 'x' }, b: { at: 'z' }, c: reading(0, '2') }, FIRST + 1);
  assert.deepEqual(dataset!.exceptions, [
    { column: 'at', problem: 'not a time', count: 2, key: { id: 'a' }, value: 'x' },
  ]);
  assert.equal(lines.length, 1);
  await poll({ a: reading(0, '1'), b: reading(0, '1') }, FIRST + 2);
  assert.deepEqual(dataset!.exceptions, []);
  await poll({ a: { at: 'x'.repeat(500) } }, FIRST + 3);
  assert.deepEqual(
    recorder.datasets[0]!.exceptions!.map(({ value }) => value.length),
    [80],
  );
  assert.equal(lines.length, 2);
  await recorder.close();
});

test('an unbelievable time is kept, and told', async (t) => {
  const { record, logged, lines } = await world(t);
  await record(
    NEW_ITEMS,
    itemsOf({ a: { at: iso(FIRST + 2 * DAY), value: '1' }, b: { at: '1904-01-01', value: '2' } }),
  );
  assert.deepEqual(
    (await logged()).map(([id]) => id),
    ['b', 'a'],
  );
  assert.match(
    lines.map(({ msg }) => msg).join(),
    /^at: 2 values are before 1970, or more than a day ahead; such an item is filed under/,
  );
});

test('a table that becomes a log of new items has all its items in it, none of them twice', async (t) => {
  const { record, logged } = await world(t);
  const [a, b, c] = [reading(-1, '1'), reading(-2, '2'), reading(-3, '3')];
  await record({}, itemsOf({ a, b }));
  await record(NEW_ITEMS, itemsOf({ a, b, c }), itemsOf({ a, b, c }));
  assert.deepEqual(
    (await logged()).map(([id]) => id),
    ['c', 'b', 'a'],
  );
});

test('a log of polls, or by another time, is kept aside with its sealed days, and a new log begins', async (t) => {
  const { record, logged, file, dataDir, lines } = await world(t);
  const item = { at: seconds(-1), seen: seconds(-5), value: '1' };
  await record({ log: true }, itemsOf({ a: item }), itemsOf({ a: item }));
  const day = join(dataDir, 'history', 'readings', 'date=2026-11-01');
  await mkdir(day, { recursive: true });
  await writeFile(join(day, '2026-11-01.parquet'), 'a sealed day');
  await record(NEW_ITEMS, itemsOf({ a: item }), itemsOf({ a: item }));
  assert.equal((await logged()).length, 1);
  assert.deepEqual((await readdir(join(dataDir, 'taken-over'))).sort(), ['readings', 'readings.csv']);
  assert.equal((await readFile(join(dataDir, 'taken-over', 'readings.csv'), 'utf8')).split('\n').length, 4);
  assert.match(
    lines.map(({ msg }) => msg).join('\n'),
    /readings was recorded with other options log or time/,
  );
  await record({ ...NEW_ITEMS, time: { column: 'seen', unit: null } }, itemsOf({ a: item, b: item }));
  assert.match(await file('readings.csv'), /^id,at,seen,value,timestamp\na,\d+,2026-11-24T09:25:00.000Z,1,/);
  await record({ log: true }, itemsOf({ a: item }));
  await record({ log: true }, itemsOf({ a: item }));
  assert.equal((await file('readings.csv')).split('\n').length, 4);
});

test('a log of new items that was given up for a while begins anew', async (t) => {
  const { record, logged } = await world(t);
  const [a, b] = [reading(-1, '1'), reading(-2, '2')];
  await record(NEW_ITEMS, itemsOf({ a }));
  await record(SNAPSHOT, itemsOf({ a, b }));
  await record(NEW_ITEMS, itemsOf({ a, b }));
  assert.deepEqual(
    (await logged()).map(([id]) => id),
    ['b', 'a'],
  );
});

test('after an interrupted poll of an empty table the first items are new', async (t) => {
  const { open, logged, dataDir, now } = await world(t);
  const baseline = join(dataDir, '.dynamo-csv', 'readings.baseline.csv');
  const files = new FaultyFiles(nodeFiles, ({ name, path }) =>
    name === 'rename' && path === baseline ? { stops: true } : null,
  );
  const interrupted = await open({ ...NEW_ITEMS, files });
  await interrupted.record(readingOf(itemsOf({})), now());
  const recorder = await open(NEW_ITEMS);
  await recorder.record(readingOf(itemsOf({ a: { value: '1' } })), FIRST + MINUTE);
  assert.deepEqual(
    (await logged()).map(([id]) => id),
    ['a'],
  );
  await recorder.close();
});

test('when the items of the last poll are lost, only later ones are new', async (t) => {
  const { record, logged, dataDir, lines } = await world(t);
  const [a, b] = [reading(-1, '1'), reading(-2, '2')];
  await record(NEW_ITEMS, itemsOf({ a, b }), itemsOf({ a, b }));
  await rm(join(dataDir, '.dynamo-csv', 'readings.baseline.csv'));
  await record(NEW_ITEMS, itemsOf({ a, b, c: reading(1.5, '3') }));
  await record(NEW_ITEMS, itemsOf({ a, b, c: reading(1.5, '3'), d: reading(0.5, '4') }));
  assert.deepEqual(
    (await logged()).map(([id]) => id),
    ['b', 'a', 'c', 'd'],
  );
  assert.match(
    lines.map(({ msg }) => msg).join('\n'),
    /items with a time after 2026-11-24T09:31:00.000Z count as new/,
  );
});

test('a snapshot shows the times of its items, at once and without changes when the option is new', async (t) => {
  const { record, open, file } = await world(t);
  const items = itemsOf({ a: reading(-1, '1'), b: { at: 'never', value: '2' } });
  await record({ changes: true }, items);
  assert.match(await file('readings.csv'), /^id,at,value\na,\d{10},1\nb,never,2\n$/);
  const before = await file('readings-changes.csv');
  const recorder = await open({ ...SNAPSHOT, changes: true });
  const [dataset] = recorder.datasets;
  assert.equal(
    (await dataset!.content()).bytes.toString(),
    'id,at,value\na,2026-11-24T09:29:00.000Z,1\nb,,2\n',
  );
  assert.equal(dataset!.timeColumn, 'at');
  assert.equal(dataset!.columns!.find(({ name }) => name === 'at')!.type, 'time');
  await recorder.close();
  await record({ ...SNAPSHOT, changes: true }, items);
  assert.equal(await file('readings-changes.csv'), before);
  assert.equal(await file('readings.csv'), 'id,at,value\na,2026-11-24T09:29:00.000Z,1\nb,,2\n');
});

test('a column is what its values are again when it is not the time any more', async (t) => {
  const { record, open } = await world(t);
  const items = itemsOf({ a: reading(-1, '1') });
  await record(SNAPSHOT, items, items);
  await record({}, items);
  const recorder = await open({});
  const column = recorder.datasets[0]!.columns!.find(({ name }) => name === 'at');
  assert.deepEqual(column, { name: 'at', type: 'number', seen: true });
  await recorder.close();
});

test('the source is told of its own column, so that an unchanged table stays unread', async (t) => {
  const { open } = await world(t);
  const recorder = await open(SNAPSHOT);
  await recorder.record(readingOf(itemsOf({ a: reading(-1, '1') })), FIRST);
  assert.deepEqual(
    recorder.known.find(({ name }) => name === 'at'),
    { name: 'at', type: 'number', seen: true },
  );
  await recorder.close();
});

test('the column of the time exists before an item has one', async (t) => {
  const { record, file } = await world(t);
  await record(SNAPSHOT, itemsOf({ a: { value: '1' } }));
  assert.equal(await file('readings.csv'), 'id,at,value\na,,1\n');
});

for (const [what, options] of Object.entries({ 'a log': { log: true }, 'a log of new items': NEW_ITEMS })) {
  test(`${what} shows nothing before its first poll is in it`, async (t) => {
    const { open } = await world(t);
    let dataset: Relation | null = null;
    const files = new FaultyFiles(nodeFiles, () => {
      if (dataset?.version != null) assert.equal(dataset.status().rows, 1);
      return null;
    });
    const recorder = await open({ ...options, files });
    dataset = recorder.datasets[0]!;
    const { problems } = await recorder.record(readingOf(itemsOf({ a: reading(-1, '1') })), FIRST);
    assert.deepEqual(problems, []);
    assert.equal(dataset.status().rows, 1);
    await recorder.close();
  });
}

/** Readings of a source that follows its changes, with the time as sort key. */
const COLUMNS: readonly Column[] = [
  { name: 'device', type: 'string', seen: true },
  { name: 'at', type: 'number', seen: true },
  { name: 'value', type: 'number', seen: true },
];
const FACTS = {
  keys: ['device', 'at'],
  cost: { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 },
};

function deltaOf(position: string, rows: readonly (readonly Cell[])[]): DeltaReading {
  return {
    kind: 'delta',
    rows: encodeRows(COLUMNS, rows),
    records: rows.map(([, , value]) => ({ at: FIRST, change: value === null ? 'remove' : 'put' })),
    compareKeys: ([a, x], [b, y]) => (a! < b! ? -1 : a! > b! ? 1 : Number(x) - Number(y)),
    position,
    ...FACTS,
  };
}

test('a delta finds the items whose key is their time, and only new ones are appended', async (t) => {
  const { open, logged } = await world(t);
  const items = [seconds(-3), seconds(-2), seconds(-1)].map((at): Cell[] => ['a', at, '1']);
  const recorder = await open(NEW_ITEMS);
  const full = { kind: 'full' as const, rows: encodeRows(COLUMNS, items), position: '1', ...FACTS };
  await recorder.record(full, FIRST);
  assert.equal(recorder.position, '1');
  const delta = deltaOf('2', [
    ['a', seconds(-2), '9'],
    ['a', seconds(-1.5), '2'],
    ['a', seconds(-3), null],
  ]);
  assert.deepEqual((await recorder.record(delta, FIRST + MINUTE)).problems, []);
  assert.equal(recorder.position, '2');
  assert.deepEqual(
    (await logged()).map(([, at, value, poll]) => [at, value, poll]),
    [
      [-3, '1', 0],
      [-2, '1', 0],
      [-1, '1', 0],
      [-1.5, '2', 1],
    ],
  );
  await recorder.close();
  const again = await open(NEW_ITEMS);
  assert.equal(again.position, null, 'the next start begins with a full reading');
  const now = [
    [-2, '9'],
    [-1.5, '2'],
    [-1, '1'],
  ].map(([at, value]): Cell[] => ['a', seconds(Number(at)), String(value)]);
  await again.record({ ...full, rows: encodeRows(COLUMNS, now), position: '3' }, FIRST + 2 * MINUTE);
  assert.equal((await logged()).length, 4);
  await again.close();
});

test('a delta tells of items without a time, and of those that have one again', async (t) => {
  const { open } = await world(t);
  const recorder = await open(SNAPSHOT);
  const items: Cell[][] = [
    ['a', seconds(-1), '1'],
    ['b', seconds(-2), '1'],
  ];
  const facts = { ...FACTS, keys: ['device'] };
  await recorder.record({ kind: 'full', rows: encodeRows(COLUMNS, items), position: '1', ...facts }, FIRST);
  const counts = async (position: string, rows: readonly (readonly Cell[])[]) => {
    await recorder.record(
      { ...deltaOf(position, rows), ...facts, compareKeys: ([a], [b]) => (a! < b! ? -1 : a! > b! ? 1 : 0) },
      FIRST,
    );
    return recorder.datasets[0]!.exceptions!.map(({ count, key }) => [count, key.device]);
  };
  assert.deepEqual(await counts('2', [['b', 'never', '2']]), [[1, 'b']]);
  assert.deepEqual(await counts('3', [['c', 'never', '2']]), [[2, 'b']]);
  assert.deepEqual(await counts('4', [['b', seconds(-1), '2']]), [[1, 'c']]);
  assert.deepEqual(await counts('5', [['c', null, null]]), []);
  await recorder.close();
});
