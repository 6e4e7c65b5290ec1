/** Which type a column has when its values have several, and what is told of those that do not fit. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column, ColumnType } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { DeltaReading, FullReading } from '../../src/sources/source.js';
import { logLines } from '../support/log-lines.js';
import { Time } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openTestRecorder } from '../support/test-recorder.js';

const COST = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
const time = new Time(Date.parse('2026-11-20T12:00:00Z'));

/** A value as DynamoDB has it: numbers, booleans, text; null: the item has none. */
type Value = number | boolean | string | null;

function typeOf(value: Value): ColumnType | null {
  if (value === null) return null;
  return typeof value as ColumnType;
}

/** What a source reads of a table with the key `id` and the column `v`. */
function rowsOf(values: readonly Value[]) {
  const types = new Set(values.flatMap((value) => typeOf(value) ?? []));
  const type = types.size === 1 ? [...types][0]! : 'string';
  const columns: Column[] = [
    { name: 'id', type: 'number', seen: true },
    { name: 'v', type, seen: types.size > 0 },
  ];
  const rows = encodeRows(
    columns,
    values.map((value, id): Cell[] => [String(id), value === null ? null : String(value)]),
  );
  return { rows, keys: ['id'], mixed: types.size > 1 ? ['v'] : [], cost: COST };
}

function full(...values: Value[]): FullReading {
  return { kind: 'full', ...rowsOf(values), position: 'p' };
}

/** The item 0 gets that value. */
function delta(value: Value): DeltaReading {
  const compareKeys = ([a]: readonly Cell[], [b]: readonly Cell[]) => Number(a) - Number(b);
  return {
    kind: 'delta',
    ...rowsOf([value]),
    records: [{ at: time.at, change: 'put' }],
    compareKeys,
    position: 'p',
  };
}

async function dataFolder(t: TestContext): Promise<string> {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  return dataDir;
}

async function world(t: TestContext, options: Partial<RecorderOptions> = {}) {
  const { logger, lines } = logLines();
  const dataDir = await dataFolder(t);
  const open = () =>
    openTestRecorder({ name: 'orders', dataDir, health: new PollHealth(30_000, time), logger, ...options });
  let recorder = await open();
  t.after(() => recorder.close());
  const dataset = () => recorder.datasets[0]!;
  return {
    record: async (reading: Parameters<TableRecorder['record']>[0]) => {
      assert.deepEqual((await recorder.record(reading, time.at++)).problems, []);
      return dataset().columns!.find(({ name }) => name === 'v')!.type;
    },
    restart: async () => {
      await recorder.close();
      recorder = await open();
    },
    exceptions: () => dataset().exceptions,
    csv: async () => (await dataset().content()).bytes.toString(),
    lines,
  };
}

describe('without a declaration', () => {
  const RULE: readonly (readonly [values: readonly Value[], type: ColumnType])[] = [
    [[5, 10, 44, 'N/A'], 'number'],
    [['N/A', 5, 10, 44], 'number'],
    [[5, 'N/A'], 'number'],
    [[5, null, 'N/A', null], 'number'],
    [[5, 6, 'a', 'b'], 'number'],
    [[5, 'a', 'b'], 'string'],
    [['a', 'b'], 'string'],
    [['00123', '98101'], 'string'],
    [['00123', '00124', '00125', 98101], 'string'],
    [[true, false, 'maybe'], 'boolean'],
    [[true, 1, 2, 3], 'number'],
    [[true, true, 'x', 'y', 1], 'string'],
  ];
  for (const [values, type] of RULE) {
    test(`a column of ${JSON.stringify(values)} is a ${type}`, async (t) => {
      assert.equal(await (await world(t)).record(full(...values)), type);
    });
  }

  test('a deviating value is told once with its item, is kept, and leaves no trace when it is right again', async (t) => {
    const { record, exceptions, lines, csv } = await world(t);
    await record(full(5, 10, 44, 8));
    assert.deepEqual([lines, exceptions()], [[], []]);
    for (let poll = 1; poll <= 2; poll++) {
      assert.equal(await record(full(5, 10, 44, 'N/A')), 'number');
      assert.equal(await csv(), 'id,v\n0,5\n1,10\n2,44\n3,N/A\n');
      assert.deepEqual(exceptions(), [
        { column: 'v', problem: 'not a number', count: 1, key: { id: '3' }, value: 'N/A' },
      ]);
    }
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        [
          'warn',
          '1 of 4 values of v is not a number, the first in item id=3: the CSV keeps its text, but filters, sorts, aggregates and SQL treat it as absent; correct it, or set types: { v: string } to make the column text',
        ],
      ],
    );
    assert.equal(await record(full(5, 10, 44, 8)), 'number');
    assert.deepEqual(exceptions(), []);
    assert.deepEqual(
      lines.slice(1).map(({ level, msg }) => [level, msg]),
      [['info', 'all values of v are numbers again']],
    );
    await record(full(5, 10, 44, 'N/A'));
    assert.equal(lines.length, 3, 'told again');
  });

  test('the only value of a column of numbers may deviate, before a restart and after it', async (t) => {
    const { record, restart, exceptions } = await world(t);
    assert.equal(await record(full(5)), 'number');
    assert.equal(await record(full('N/A')), 'number');
    assert.equal(exceptions()?.[0]?.value, 'N/A');
    await restart();
    assert.equal(await record(full('N/A')), 'number');
    assert.equal(exceptions()?.[0]?.count, 1);
    assert.equal(await record(full(7)), 'number');
  });

  test('a column becomes text when most of its values are, is told, and is numbers again when they are', async (t) => {
    const { record, lines } = await world(t);
    await record(full(1, 2, 3));
    assert.equal(await record(full(1, 'a', 'b')), 'string');
    assert.equal(
      lines[0]?.msg,
      'the column v is text now: 2 of 3 values are not numbers, the first in item id=1; set types: { v: number } to keep it a number',
    );
    assert.equal(await record(full(1, 'a', 3)), 'number');
    assert.equal(await record(full('a', 'b', 'c')), 'string');
    assert.equal(await record(full(1, 2, 3)), 'number');
  });

  test('a column whose values all become text is text, whatever it looks like', async (t) => {
    const { record } = await world(t);
    assert.equal(await record(full(98101, 98102)), 'number');
    assert.equal(await record(full('98101', '00123')), 'string');
    assert.equal(await record(full(98101, 98102)), 'number');
  });

  test('deltas count all items, not only those that they bring', async (t) => {
    const { record, exceptions } = await world(t);
    assert.equal(await record(full(1, 2, 3)), 'number');
    assert.equal(await record(delta('N/A')), 'number');
    assert.equal(exceptions()?.[0]?.count, 1);
    assert.equal(await record(delta(9)), 'number');
    assert.deepEqual(exceptions(), []);
    await record(full('a', 'b', 'c'));
    assert.equal(await record(delta(1)), 'string');
  });

  test('a state of an earlier version, in which one value made the column text, heals with the next poll', async (t) => {
    const { record, restart } = await world(t, { log: true });
    // As an earlier version recorded it: text, with nothing else known about the column.
    await record({ ...full('1', '2', 'N/A') });
    await restart();
    assert.equal(await record(full(1, 2, 'N/A')), 'number');
  });
});

describe('declared', () => {
  test('a number is one, whatever DynamoDB has; text that is a number fits', async (t) => {
    const { record, exceptions, lines } = await world(t, { types: { v: 'number' } });
    assert.equal(await record(full('5', '12.50', '007', '1e3')), 'number');
    assert.deepEqual(exceptions(), []);
    assert.equal(await record(full('a', '$5', '.5', 'x')), 'number');
    assert.deepEqual(exceptions(), [
      { column: 'v', problem: 'not a number', count: 4, key: { id: '0' }, value: 'a' },
    ]);
    assert.match(String(lines[0]?.msg), /correct them, or declare another type$/);
    assert.equal(await record(full(null, null)), 'number');
  });

  test('text is text, also of numbers only; a boolean tells what is none', async (t) => {
    const text = await world(t, { types: { v: 'string' } });
    assert.equal(await text.record(full(5, 10)), 'string');
    assert.equal(await text.record(full(5, 'a', true)), 'string');
    assert.deepEqual([text.exceptions(), text.lines], [[], []]);
    const boolean = await world(t, { types: { v: 'boolean' } });
    assert.equal(await boolean.record(full('true', 'yes', false)), 'boolean');
    assert.equal(boolean.exceptions()?.[0]?.problem, 'not a boolean');
  });

  test('holds for what was recorded before it, and ends with the declaration', async (t) => {
    const dataDir = await dataFolder(t);
    const open = async (types: RecorderOptions['types']) => {
      const recorder = await openTestRecorder({
        name: 'orders',
        dataDir,
        health: new PollHealth(30_000, time),
        ...(types === undefined ? {} : { types }),
      });
      const typeNow = () => recorder.datasets[0]!.columns!.find(({ name }) => name === 'v')!.type;
      return { recorder, typeNow };
    };
    const first = await open(undefined);
    await first.recorder.record(full('5', '6'), time.at++);
    assert.equal(first.typeNow(), 'string');
    await first.recorder.close();
    const second = await open({ v: 'number' });
    assert.equal(second.typeNow(), 'number', 'before the first poll');
    await second.recorder.record(full('5', '6'), time.at++);
    await second.recorder.close();
    const third = await open(undefined);
    await third.recorder.record(full('x', 'y', 'z'), time.at++);
    assert.equal(third.typeNow(), 'string');
    await third.recorder.close();
  });

  test('a value is cut where it is long, and may be anything', async (t) => {
    const { record, exceptions, csv } = await world(t, { types: { v: 'number' } });
    const odd = 'a,"b"\n가'.repeat(30);
    await record(full(1, odd));
    assert.equal(exceptions()?.[0]?.value, `${odd.slice(0, 79)}…`);
    assert.ok((await csv()).includes(odd.replaceAll('"', '""')));
  });
});
