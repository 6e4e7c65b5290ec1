import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { recorderWorld } from '../support/recorder-world.js';
import { itemsOf } from '../support/true-polls.js';

const FIRST = Date.parse('2026-11-24T09:30:00.000Z');

type Attributes = Record<string, string>;

/** One item, polled in lives of the service that keep different things. */
async function world(t: TestContext) {
  const { record, file, lines } = await recorderWorld(t, {
    name: 'rides',
    first: FIRST + 1_000,
    step: 1_000,
  });
  return {
    record: (options: Partial<RecorderOptions>, ...polls: Attributes[]) =>
      record(options, ...polls.map((attributes) => itemsOf({ a: attributes }))),
    file: (name: string) => file(name).catch(() => ''),
    lines,
  };
}

test('an attribute with the name of another one’s previous value gets its own columns', async (t) => {
  const { record, file } = await world(t);
  const prices = [5, 6, 7].map((price) => ({ price: `${price}`, previous_price: `${price}000000` }));
  await record({ changes: true }, ...prices, { ...prices[2]!, note: 'x' });
  const [header, ...rows] = (await file('rides-changes.csv')).trimEnd().split('\n');
  assert.equal(
    header,
    'change,id,note,previous_price,price,previous_note,previous_previous_price,poll_previous_price,since,timestamp',
  );
  assert.deepEqual(
    rows.map((row) => row.split(',').slice(2, 8).join()),
    [',5000000,5,,,', ',6000000,6,,5000000,5', ',7000000,7,,6000000,6', 'x,7000000,7,,7000000,7'],
  );
});

test('an attribute that is called like a recorded value before comes later, and leaves it what it is', async (t) => {
  const { record, file, lines } = await world(t);
  await record({ changes: true }, { count: '5' }, { count: '6' }, { count: '7', previous_count: '777' });
  const rows = parse(await file('rides-changes.csv'), { columns: true }) as Attributes[];
  assert.deepEqual(
    rows.map((row) => [row.count, row.previous_count, row.previous_count_attribute]),
    [
      ['5', '', ''],
      ['6', '5', ''],
      ['7', '6', '777'],
    ],
  );
  assert.deepEqual(
    lines.map(({ dataset, attribute, column }) => [dataset, attribute, column]),
    [['rides', 'previous_count', 'previous_count_attribute']],
  );
});

test('an attribute "timestamp" that comes later does not meet one that is called as it is published', async (t) => {
  const { record, file } = await world(t);
  await record({ log: true }, { n: '1' }, { n: '2', timestamp: 'ts', timestamp_attribute: 'own' });
  await record({ log: true }, { n: '3', timestamp: 'ts' });
  assert.equal(
    await file('rides.csv'),
    'id,n,timestamp_attribute,timestamp_attribute_attribute,timestamp\n' +
      'a,1,,,2026-11-24T09:30:01.000Z\na,2,own,ts,2026-11-24T09:30:02.000Z\na,3,,ts,2026-11-24T09:30:03.000Z\n',
  );
});

test('a column that is configured under the name of an attribute as it is published waits for it', async (t) => {
  const { record, file } = await world(t);
  const options = { log: true, configured: ['timestamp_attribute'] };
  await record(options, { n: '1' }, { n: '2', timestamp: 'ts' });
  assert.match(await file('rides.csv'), /^id,timestamp_attribute,n,timestamp\na,,1,.*\na,ts,2,.*\n$/);
});

test('an added column never takes the name of a table’s column, and that is logged', async (t) => {
  for (const [options, attribute, column] of [
    [{ log: true, timestampColumn: 'n' }, 'n', 'poll_n'],
    [{ changes: true }, 'since', 'poll_since'],
    [{ changes: true, timestampColumn: 'change' }, 'change', 'poll_change'],
  ] as const) {
    const { record, lines } = await world(t);
    await record(options, { [attribute]: '1' });
    assert.equal(lines[0]?.column, column);
    assert.match(lines[0]!.msg, new RegExp(`"${attribute}" itself`));
  }
});

const NASTY = [
  'count',
  'previous_count',
  'previous_previous_count',
  'poll_previous_count',
  'previous_count_attribute',
  'previous_id',
  'timestamp',
  'timestamp_attribute',
  'poll_timestamp',
  'change',
  'since',
  '__proto__',
];

test('whatever the attributes’ names, whenever they appear: every value has its own column, and keeps it', async (t) => {
  const kept = fc.record({ log: fc.boolean(), changes: fc.boolean() }).map(({ log, changes }) => ({
    changes,
    ...(log ? { log, logName: 'rides-log' } : {}),
  }));
  const lives = fc.array(
    fc.record({ options: kept, polls: fc.array(fc.subarray(NASTY), { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(lives, async (lives) => {
      const { record, file } = await world(t);
      const files = ['rides.csv', 'rides-log.csv', 'rides-changes.csv'];
      let before: Attributes[][] = files.map(() => []);
      let value = 0;
      for (const { options, polls } of lives) {
        for (const names of polls) {
          const attributes = Object.fromEntries(names.map((name) => [name, `v${value++}`]));
          await record(options, attributes);
          const after = await Promise.all(files.map(async (name) => rowsOf(await file(name))));
          const [snapshot, log, changes] = after as [Attributes[], Attributes[], Attributes[]];
          assert.deepEqual(valuesIn(snapshot[0]), Object.values(attributes).sort());
          if ('log' in options) assert.deepEqual(valuesIn(log.at(-1)), Object.values(attributes).sort());
          if (options.changes && changes.length > before[2]!.length) {
            const told = valuesIn(changes.at(-1));
            assert.ok(Object.values(attributes).every((one) => told.includes(one)));
            assert.equal(new Set(told).size, told.length);
          }
          // What was recorded stays as it was, under the names that it had.
          for (const place of [1, 2]) {
            for (const [index, row] of before[place]!.entries()) {
              for (const [name, cell] of Object.entries(row)) assert.equal(after[place]![index]![name], cell);
            }
          }
          before = after;
        }
      }
    }),
    { numRuns: 60 },
  );
});

/** Rows by their header, which names no column twice. */
function rowsOf(text: string): Attributes[] {
  const [header = [], ...rows] = parse(text) as string[][];
  assert.equal(new Set(header).size, header.length, header.join());
  return rows.map((row) => Object.fromEntries(row.map((cell, place) => [header[place]!, cell])));
}

/** The values that the test made up. */
function valuesIn(row: Attributes | undefined): string[] {
  return Object.values(row ?? {})
    .filter((cell) => /^v\d+$/.test(cell))
    .sort();
}
