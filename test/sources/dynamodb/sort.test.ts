import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRows } from '../../../src/csv/encode.js';
import type { Column } from '../../../src/csv/rows.js';
import { type AttributeValue, attributeToCell, type Item } from '../../../src/sources/dynamodb/attributes.js';
import {
  haveSameKey,
  type KeyAttribute,
  RowKeys,
  type SortKeys,
  SortKeyWriter,
} from '../../../src/sources/dynamodb/keys.js';
import {
  mergeRuns,
  type Run,
  sortedKeys,
  sortedOrder,
  sortedRows,
} from '../../../src/sources/dynamodb/sort.js';

const COLUMNS = [{ name: 'row', type: 'string', seen: true }] as const;

function addKey(writer: SortKeyWriter, keys: readonly KeyAttribute[], item: Item): void {
  for (const [part, { name }] of keys.entries()) writer.addValue(part, item[name]);
  writer.endKey();
}

function orderOf(keys: readonly KeyAttribute[], items: readonly Item[]): number[] {
  const writer = new SortKeyWriter('t', keys);
  for (const item of items) addKey(writer, keys, item);
  return [...sortedOrder(writer.finish())];
}

/** The order by its definition, with nothing of the code under test. */
function expectedOrder(keys: readonly KeyAttribute[], items: readonly Item[]): number[] {
  const compare = (a: AttributeValue, b: AttributeValue) => {
    if (a.N !== undefined) return Number(a.N) - Number(b.N);
    const bytes = ({ S, B }: AttributeValue) =>
      S === undefined ? Buffer.from(B as Uint8Array) : Buffer.from(S);
    return Buffer.compare(bytes(a), bytes(b));
  };
  return items
    .map((_, index) => index)
    .sort((a, b) => {
      for (const { name } of keys) {
        const difference = compare(items[a]![name]!, items[b]![name]!);
        if (difference !== 0) return difference;
      }
      return 0;
    });
}

/** Few different bytes, zeros and beginnings of each other among them. */
const text = fc.string({
  unit: fc.constantFrom('\0', '\u0001', 'a', 'b', 'é', '\uffee', '😀'),
  maxLength: 12,
});
const values = {
  S: text.map((S) => ({ S })),
  N: fc.integer({ min: -1000, max: 1000 }).map((N) => ({ N: String(N) })),
  B: fc.uint8Array({ maxLength: 6, max: 2 }).map((B) => ({ B })),
};

for (const partition of ['S', 'N', 'B'] as const) {
  for (const sort of ['S', 'N', 'B'] as const) {
    test(`property: partition ${partition}, then sort key ${sort}`, () => {
      const keys = [
        { name: 'p', type: partition },
        { name: 's', type: sort },
      ] as const;
      const items = fc.array(fc.record({ p: values[partition], s: values[sort] }) as fc.Arbitrary<Item>, {
        maxLength: 60,
      });
      fc.assert(
        fc.property(items, (items) => {
          const keyOf = (index: number) => JSON.stringify(items[index]);
          assert.deepEqual(orderOf(keys, items).map(keyOf), expectedOrder(keys, items).map(keyOf));
        }),
      );
    });
  }
}

test('property: the key made from a row is that of its item, and only rows with the same key have the same', () => {
  const hostile = fc
    .string({ unit: fc.constantFrom('\0', 'a', '"', ',', '\n', '\r', 'é', '😀'), minLength: 1, maxLength: 8 })
    .map((S) => ({ S }));
  const decimal = fc.constantFrom(
    '0',
    '-1',
    '1.5',
    '-0.001',
    '100',
    '99999999999999999999999999999999999999',
  );
  const parts: Record<KeyAttribute['type'], fc.Arbitrary<AttributeValue>> = {
    S: hostile,
    N: decimal.map((N) => ({ N })),
    B: fc.uint8Array({ minLength: 1, maxLength: 4, max: 2 }).map((B) => ({ B })),
  };
  const types = fc.array(fc.constantFrom('S', 'N', 'B'), { minLength: 1, maxLength: 3 });
  const tables = types.chain((types) =>
    fc.record({
      keys: fc.constant(types.map((type, part): KeyAttribute => ({ name: `k${part}`, type }))),
      items: fc.array(fc.tuple(...types.map((type) => parts[type])), { minLength: 1, maxLength: 20 }),
    }),
  );
  fc.assert(
    fc.property(tables, ({ keys, items }) => {
      const columns = [...keys.map(({ name }) => name), 'rest'].map(
        (name): Column => ({ name, type: 'string', seen: true }),
      );
      const rows = encodeRows(
        columns,
        items.map((item) => [...item.map(attributeToCell), 'x,"y"']),
      );
      const fromRows = new RowKeys('t', keys, rows);
      const keyOf = ({ bytes, ends }: SortKeys, index: number) =>
        Buffer.from(bytes.subarray(index === 0 ? 0 : ends[index - 1], ends[index])).toString('hex');
      const writer = new SortKeyWriter('t', keys);
      for (const item of items) {
        for (const [part, value] of item.entries()) writer.addValue(part, value);
        writer.endKey();
      }
      const fromItems = writer.finish();
      const expected = items.map((_, row) => keyOf(fromItems, row));
      // Some row after a later one.
      for (const row of [...items.keys(), 0]) assert.equal(keyOf(fromRows.of(row), 0), expected[row]);
      for (const row of items.keys())
        assert.equal(haveSameKey(rows, 0, row, keys.length), expected[row] === expected[0]);
    }),
  );
});

/** Enough for the sort that large tables get. */
const MANY = 20_000;

test('many keys with a common beginning, many of them equal in their first bytes', () => {
  const keys = [
    { name: 'p', type: 'S' },
    { name: 's', type: 'N' },
  ] as const;
  const items = Array.from({ length: MANY }, (_, index) => ({
    p: { S: `taxi/${(index * 7) % 5 === 0 ? 'a-long-common-part/' : ''}${(index * 31) % 17}` },
    s: { N: String(((index * 7919) % MANY) - MANY / 2) },
  }));
  assert.deepEqual(orderOf(keys, items), expectedOrder(keys, items));
});

test('many keys that are prefixes of each other', () => {
  const keys = [{ name: 'p', type: 'B' }] as const;
  const items = Array.from({ length: MANY }, (_, index) => ({
    p: { B: new Uint8Array(((index * 37) % MANY) % 300) },
  }));
  const lengths = orderOf(keys, items).map((index) => items[index]!.p.B.length);
  assert.deepEqual(
    lengths,
    [...lengths].sort((a, b) => a - b),
  );
});

function runOf(numbers: readonly number[]): Run {
  const idKey = [{ name: 'id', type: 'N' }] as const;
  const writer = new SortKeyWriter('t', idKey);
  for (const N of numbers) addKey(writer, idKey, { id: { N: String(N) } });
  const rows = encodeRows(
    COLUMNS,
    numbers.map((number) => [`row ${number}`]),
  );
  const keys = writer.finish();
  const order = sortedOrder(keys);
  return {
    rows: sortedRows(rows, order),
    keys: sortedKeys(keys, order),
    origins: new Map(),
    mixed: [],
    beyond: [],
  };
}

test('property: runs merge into one in key order, whatever their number and length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.integer({ min: -500, max: 500 })), { minLength: 1, maxLength: 5 }),
      (runs) => {
        const { body, ends } = mergeRuns(runs.map(runOf), COLUMNS).rows;
        const expected = runs.flat().sort((a, b) => a - b);
        assert.equal(body.toString(), expected.map((number) => `row ${number}\n`).join(''));
        assert.equal(ends.at(-1) ?? 0, body.length);
        assert.equal(ends.length, expected.length);
      },
    ),
  );
});
