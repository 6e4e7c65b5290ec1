/** Columns of numbers with values that are none, in SQL and in windows over sealed and unsealed days. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Cell, Column, ColumnType } from '../../src/csv/rows.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const DAY = 86_400_000;
const FIRST = Date.parse('2026-11-10T17:00:00Z');

/** A log `orders` with one poll a day: the price of one or more items, as DynamoDB's type and text. */
async function logOf(
  t: TestContext,
  polls: readonly (readonly [type: ColumnType, prices: readonly Cell[], mixed?: 'mixed'])[],
  options: Partial<RecorderOptions> = {},
) {
  const world = await SqlWorld.start(t, { now: FIRST });
  const orders = await world.table('orders', { log: true, ...options });
  t.after(() => orders.close());
  const record = async ([type, prices, mixed]: (typeof polls)[number]) => {
    const reading = readingOf(
      { id: 'number', price: type },
      prices.map((price, id) => [String(id), price]),
    );
    await orders.record({ ...reading, mixed: mixed === undefined ? [] : ['price'] }, world.time.at);
    world.time.at += DAY;
  };
  for (const poll of polls) await record(poll);
  const seal = async (days: number) => {
    world.time.at = FIRST + (days + 1) * DAY;
    assert.equal(await world.sealer.seal(orders.log!, { keep: 2, retention: null }), true);
  };
  const type = () => orders.log!.columns!.find((column: Column) => column.name === 'price')!.type;
  return { world, orders, record, seal, type };
}

const TOTAL =
  'SELECT sum(price) AS total, count(price) AS numbers, count(*) AS n, any_value(typeof(price)) AS type FROM orders';

describe('a value that is no number among numbers', () => {
  const MIXED = ['number', ['5', '10', '44', 'N/A'], 'mixed'] as const;

  test('is NULL in SQL, absent in filters, sorts and aggregates, and text in the answer', async (t) => {
    const { world } = await logOf(t, [MIXED]);
    assert.equal(await world.ask(TOTAL), 'total,numbers,n,type\n59,3,4,BIGINT\n');
    const window = (search: string) => world.window('orders', `columns=id,price&${search}`);
    assert.equal(await window('price__gt=9'), 'id,price\n1,10\n2,44\n');
    assert.equal(await window('sort=price'), 'id,price\n0,5\n1,10\n2,44\n3,N/A\n');
    assert.equal(await window('sort=-price'), 'id,price\n2,44\n1,10\n0,5\n3,N/A\n');
    assert.equal(await window('price__isnull=true'), 'id,price\n3,N/A\n');
    assert.equal(await window('price__ne=5'), 'id,price\n1,10\n2,44\n3,N/A\n');
    assert.equal(await window('price__contains=N'), 'id,price\n3,N/A\n');
    assert.equal(
      await world.window('orders', 'agg=sum:price,count:price,count'),
      'price_sum,price_count,count\n59,3,4\n',
    );
  });

  test('is sealed as it is, and the days read as one: sealed as numbers, with a deviation, and healed', async (t) => {
    const { world, seal, record, type } = await logOf(t, [
      ['number', ['1', '2']],
      ['number', ['3', 'N/A'], 'mixed'],
      ['number', ['5.5', '6']],
      ['number', ['7', '8']],
      ['number', ['9', '10']],
    ]);
    await seal(5);
    assert.equal(world.dataset('orders').version === null, false);
    assert.equal(await world.ask(TOTAL), 'total,numbers,n,type\n51.5,9,10,DOUBLE\n');
    const from = new Date(FIRST - DAY).toISOString();
    const all = (search: string) => world.window('orders', `from=${from}&columns=price&${search}`);
    assert.equal(await all('price__gt=5&sort=-price&limit=3'), 'price\n10\n9\n8\n');
    assert.equal(await all('sort=price'), 'price\n1\n2\n3\n5.5\n6\n7\n8\n9\n10\nN/A\n');
    assert.equal(
      await world.window('orders', `from=${from}&agg=sum:price,count:price`),
      'price_sum,price_count\n51.5,9\n',
    );
    // The newest poll deviates as well.
    await record(['number', ['x', '2'], 'mixed']);
    assert.equal(await world.ask(TOTAL), 'total,numbers,n,type\n53.5,10,12,DOUBLE\n');
    assert.equal(type(), 'number');
  });

  test('a day of text only between days of numbers is NULL in SQL; the column is text while most of it is', async (t) => {
    const { world, seal, record, type } = await logOf(t, [
      ['number', ['1', '2', '3']],
      ['string', ['a', 'b', 'c']],
      ['number', ['4', '5', '6']],
      ['number', ['7', '8', '9']],
    ]);
    await seal(4);
    assert.equal(type(), 'number');
    assert.equal(await world.ask(TOTAL), 'total,numbers,n,type\n45,9,12,BIGINT\n');
    await record(['string', ['p', 'q', 'r']]);
    assert.equal(type(), 'string');
    assert.equal(
      await world.ask('SELECT string_agg(price, \' \' ORDER BY "timestamp", id) AS all FROM orders'),
      'all\n1 2 3 a b c 4 5 6 7 8 9 p q r\n',
    );
    await record(['number', ['1', '1', '1']]);
    assert.equal(await world.ask(TOTAL), 'total,numbers,n,type\n48,12,18,BIGINT\n');
  });

  test('a view that computes with the column works through all of it', async (t) => {
    const { world, seal, record } = await logOf(t, [
      ['number', ['1', '2']],
      ['number', ['3', 'N/A'], 'mixed'],
      ['number', ['5', '6']],
    ]);
    await world.sql.addView({
      name: 'total',
      file: 'total.sql',
      sql: 'SELECT sum(price) AS total FROM orders',
    });
    assert.equal(await world.window('total'), 'total\n17\n');
    await seal(3);
    assert.equal(await world.window('total'), 'total\n17\n');
    await record(['number', ['no', '100'], 'mixed']);
    assert.equal(await world.window('total'), 'total\n117\n');
  });
});

describe('a declared number', () => {
  test('is one in SQL before it has a value, and with more digits than any type of DuckDB has', async (t) => {
    const digits = '12345678901234567890123456789.5';
    const { world, record } = await logOf(t, [['string', [null, null]]], { types: { price: 'number' } });
    const typed = 'SELECT sum(price) AS total, typeof(min(price)) AS type FROM orders';
    assert.equal(await world.ask(typed), 'total,type\n,BIGINT\n');
    await record(['string', [digits, '007']]);
    assert.equal(await world.ask(typed), 'total,type\n12345678901234568000000000000,DOUBLE\n');
    assert.equal(
      await world.window('orders', 'columns=price&sort=-price&limit=2'),
      `price\n${digits}\n007\n`,
    );
  });
});
