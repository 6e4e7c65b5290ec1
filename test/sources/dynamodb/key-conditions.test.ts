/** The conditions of Queries: indexes with several partition and sort keys, which no emulator has yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyConditions, type QueryKey } from '../../../src/sources/dynamodb/query/conditions.js';

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html */
const SCHEMA = {
  partition: [
    { name: 'day', type: 'S' },
    { name: 'store', type: 'N' },
  ],
  sort: [
    { name: 'shelf', type: 'N' },
    { name: 'at', type: 'S' },
  ],
} as const;

const conditions = (key: QueryKey) =>
  keyConditions(key, SCHEMA, '2026-11-24', {
    at: 'tables.orders.query.key',
    what: 'index by-day of table orders',
  });

test('every combination of all partition keys, and a range of the sort key behind the given ones', () => {
  const found = conditions({ store: [1, 2], day: '{yesterday}', shelf: 7, at: { from: '{today}', to: 'x' } });
  assert.equal(found.length, 2);
  assert.deepEqual(found[1], {
    id: '[["day",{"S":"2026-11-23"}],["store",{"N":"2"}],["shelf",{"N":"7"}]]',
    expression: '#_k0 = :_k0 AND #_k1 = :_k1 AND #_k2 = :_k2 AND #_r BETWEEN :_f AND :_t',
    names: { '#_k0': 'day', '#_k1': 'store', '#_k2': 'shelf', '#_r': 'at' },
    values: {
      ':_k0': { S: '2026-11-23' },
      ':_k1': { N: '2' },
      ':_k2': { N: '7' },
      ':_f': { S: '2026-11-24' },
      ':_t': { S: 'x' },
    },
  });
});

test('one partition key is not enough, and sort keys are given from the first on', () => {
  assert.throws(() => conditions({ day: 'x' }), { remedy: 'add store to it' });
  assert.throws(() => conditions({ day: 'x', store: 1, at: 'y' }), {
    message: /at does not fit .*: it follows the sort key shelf, which has no single value$/,
    remedy: 'give shelf a value, or remove this',
  });
  assert.throws(() => conditions({ day: 'x', store: 1, shelf: { from: 1 }, at: 'y' }), {
    message: /it follows the sort key shelf/,
  });
  assert.throws(() => conditions({ day: 'x', store: 1, shelf: { beginsWith: '1' } }), {
    message: /a number does not begin with text$/,
  });
});

test('dates in every form that can be written', () => {
  const days = (day: string) => conditions({ day, store: 1 }).map(({ values }) => values[':_k0']?.S);
  assert.deepEqual(days('{today}'), ['2026-11-24']);
  assert.deepEqual(days('{tomorrow}'), ['2026-11-25']);
  assert.deepEqual(days('{today+8}'), ['2026-12-02']);
  assert.deepEqual(days('{yesterday:yyyyMMdd}'), ['20261123']);
  assert.deepEqual(days('{today:yyyy-MM}'), ['2026-11']);
  assert.deepEqual(days('{today-25..today:yyyy-MM}'), ['2026-10', '2026-11']);
  assert.deepEqual(days('orders#{today-1..today}#a'), ['orders#2026-11-23#a', 'orders#2026-11-24#a']);
});
