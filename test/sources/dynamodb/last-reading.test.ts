/** Polls that keep rows of the one before, held against a reading that never read before, for keys of all kinds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowAt } from '../../../src/csv/decode.js';
import { keyCells } from '../../../src/csv/row-blocks.js';
import type { Column, EncodedRows } from '../../../src/csv/rows.js';
import type { AttributeValue, Item } from '../../../src/sources/dynamodb/attributes.js';
import type { KeyAttribute } from '../../../src/sources/dynamodb/keys.js';
import { joinReads, type LastReading } from '../../../src/sources/dynamodb/last-reading.js';
import { openPage } from '../../../src/sources/dynamodb/page.js';
import { type EncodedRun, RunEncoder } from '../../../src/sources/dynamodb/run-encoder.js';
import { encodeRecords } from '../../../src/sources/dynamodb/streams/delta.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';

const SEGMENTS = 3;
const OPTIONS = { columns: [], only: null, rename: {} };
/** Never started: so few rows are merged in this thread. */
const threads = new ScanThreads({ size: 1 });

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '"', ',', '\n', '\0', '\u0001', 'é', '😀', '\ue000', '\uffff'),
  minLength: 1,
  maxLength: 5,
});
const largest = `9.${'9'.repeat(37)}E+125`;
const number = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.constantFrom(
    ...['1E+20', '-1E+20', '100000000000000000001', '1E-130', '-1E-130', largest, `-${largest}`],
    ...['12345678901234567890123456789012345678', '12345678901234567890123456789012345679'],
    ...['0.1', '0.10000000000000000000000000000000000001', '-0.5', '999999999999999', '9999999999999999'],
  ),
);
const binary = fc.uint8Array({ minLength: 1, maxLength: 4 });
const VALUES: Readonly<Record<KeyAttribute['type'], fc.Arbitrary<AttributeValue>>> = {
  S: text.map((S) => ({ S })),
  N: number.map((N) => ({ N })),
  B: binary.map((bytes) => ({ B: Buffer.from(bytes).toString('base64') })),
};

/** An item that is there before the first poll, of which others are neighbours. */
function usual(keys: readonly KeyAttribute[], index: number): Item {
  const value = (type: KeyAttribute['type']): AttributeValue => {
    if (type === 'N') return { N: String(index * 5) };
    return type === 'S' ? { S: `b${index}` } : { B: Buffer.from(`b${index}`).toString('base64') };
  };
  const key = Object.fromEntries(keys.map(({ name, type }) => [name, value(type)]));
  return { ...key, v: { S: 'usual '.repeat(20) } };
}

const keyOf = (item: Item, keys: readonly KeyAttribute[]) =>
  JSON.stringify(keys.map(({ name }) => item[name]));

const type = fc.constantFrom<KeyAttribute['type']>('S', 'N', 'B');
const table = fc.array(type, { minLength: 1, maxLength: 2 }).chain((types) => {
  const keys = types.map((type, index): KeyAttribute => ({ name: `key${index}`, type }));
  const key = fc.record(Object.fromEntries(keys.map(({ name, type }) => [name, VALUES[type]])));
  const rest = fc.dictionary(fc.constantFrom('v', 'w'), fc.oneof(VALUES.S, VALUES.N), { maxKeys: 2 });
  const edit = fc.record({ key, rest: fc.option(rest, { nil: null }) });
  const poll = fc.record({
    edits: fc.array(edit, { maxLength: 30 }),
    pageItems: fc.integer({ min: 1, max: 40 }),
  });
  return fc.record({ keys: fc.constant(keys), polls: fc.array(poll, { minLength: 1, maxLength: 4 }) });
});

/** Reads as the service does, by two threads that have some segments each. The bytes of a page are gone after it. */
function readAll(
  items: ReadonlyMap<string, Item>,
  pageItems: number,
  shape: ConstructorParameters<typeof RunEncoder>[0],
  before: LastReading | null,
): EncodedRun[] {
  const ofSegment = (segment: number) =>
    [...items].filter(([key]) => key.length % SEGMENTS === segment).map(([, item]) => item);
  return [[0], [1, 2]].map((segments) => {
    const earlier = before?.segments.filter(({ segment }) => segments.includes(segment)) ?? [];
    const encoder = new RunEncoder(shape, earlier);
    for (const segment of segments) {
      const all = ofSegment(segment);
      for (let from = 0; from === 0 || from < all.length; from += pageItems) {
        const body = Buffer.from(JSON.stringify({ Items: all.slice(from, from + pageItems) }));
        encoder.add(segment, openPage(body));
        body.fill(0);
      }
    }
    return encoder.finish();
  });
}

function assertInOrderOfStreams(rows: EncodedRows, keys: readonly KeyAttribute[]): void {
  const { compareKeys } = encodeRecords([], { table: 't', keys }, OPTIONS, []);
  const cells = Array.from(rows.ends, (_, row) => keyCells(Buffer.from(rowAt(rows, row)), keys.length));
  for (let row = 1; row < cells.length; row += 1)
    assert.ok(compareKeys(cells[row - 1]!, cells[row]!) < 0, `${cells[row - 1]} before ${cells[row]}`);
}

test('rows are those of a first reading, in the order of streams, and rows that were read stay as they are', async () => {
  const property = fc.asyncProperty(table, async ({ keys, polls }) => {
    const items = new Map<string, Item>();
    for (let index = 0; index < 100; index += 1) {
      const item = usual(keys, index);
      items.set(keyOf(item, keys), item);
    }
    let last: LastReading | null = null;
    let known: readonly Column[] = [];
    const read: (readonly [rows: EncodedRows, text: string])[] = [];
    for (const { edits, pageItems } of polls) {
      for (const { key, rest } of edits) {
        if (rest === null) items.delete(keyOf(key, keys));
        else items.set(keyOf(key, keys), { ...key, ...rest });
      }
      const shape = { table: 't', keys, options: OPTIONS, known };
      const before: LastReading | null = last?.fits(shape, SEGMENTS) === true ? last : null;
      const joined = await joinReads(shape, readAll(items, pageItems, shape, before), before, threads);
      const { rows } = joined.reading;
      const first = await joinReads(shape, readAll(items, 1_000, shape, null), null, threads);
      assert.equal(rows.body.toString('latin1'), first.reading.rows.body.toString('latin1'));
      assert.deepEqual(rows.ends, first.reading.rows.ends);
      assertInOrderOfStreams(rows, keys);
      read.push([rows, rows.body.toString('latin1')]);
      for (const [earlier, body] of read) assert.equal(earlier.body.toString('latin1'), body);
      assert.notEqual(joined.last, null);
      last = joined.last;
      known = rows.columns;
    }
  });
  await fc.assert(property, { numRuns: 100 });
});
