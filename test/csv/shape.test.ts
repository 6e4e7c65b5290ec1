import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRow, splitRows } from '../../src/csv/decode.js';
import { encodeHeader, encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { type Shape, shapeCsv } from '../../src/csv/shape.js';
import { numberColumn, stringColumn } from './cells.js';

const columns: Column[] = [
  stringColumn('name'),
  numberColumn('count'),
  { name: 'open', type: 'boolean', seen: true },
  { name: 'at', type: 'time', seen: true },
  { name: 'never', type: 'string', seen: false },
];

async function shaped(rows: Cell[][], shape: Shape, under: Column[] = columns): Promise<string> {
  const bytes = Buffer.concat([encodeHeader(under), encodeRows(under, rows).body]);
  return (await shapeCsv({ bytes, columns: under }, shape)).toString();
}

test('without options a CSV is honest: header only, empty cells, the same bytes', async () => {
  const bytes = Buffer.from('name,count,open,at,never\n,,,,\n');
  assert.equal(await shapeCsv({ bytes, columns }, {}), bytes);
});

test('pad gives a dataset without rows one row without values, and no other', async () => {
  assert.equal(await shaped([], { pad: true }), 'name,count,open,at,never\n,,,,\n');
  assert.equal(
    await shaped([], { pad: true, nullText: 'null' }),
    'name,count,open,at,never\n,null,null,null,\n',
  );
  assert.equal(await shaped([], { pad: true }, [numberColumn('n')]), 'n\n""\n');
  assert.equal(await shaped([['1']], { pad: true }, [numberColumn('n')]), 'n\n1\n');
});

test('the null text is used in number, boolean and time columns only', async () => {
  const rows: Cell[][] = [
    ['', null, 'true', null, null],
    [null, '1', null, '2025-01-01T00:00:00.000Z', null],
    ['a,"b"\n', '2', 'false', null, null],
  ];
  assert.equal(
    await shaped(rows, { nullText: 'null' }),
    'name,count,open,at,never\n"",null,true,null,\n,1,null,2025-01-01T00:00:00.000Z,\n"a,""b""\n",2,false,null,\n',
  );
  assert.equal(await shaped([[null], ['7']], { nullText: 'null' }, [numberColumn('n')]), 'n\nnull\n7\n');
});

test('a null text that needs quotes has them', async () => {
  const text = await shaped([['a', null, null, null, null]], { nullText: 'n,a' });
  assert.deepEqual(decodeRow(text.split('\n')[1]!), ['a', 'n,a', 'n,a', 'n,a', null]);
});

test('a large file is shaped and split without holding up the event loop', async () => {
  const rows = Array.from({ length: 300_000 }, (_, i) => [`zone "${i}"`, i % 3 === 0 ? null : String(i)]);
  const under = [stringColumn('zone'), numberColumn('count')];
  const bytes = Buffer.concat([encodeHeader(under), encodeRows(under, rows).body]);
  let turns = 0;
  let other = setImmediate(function turn() {
    turns++;
    other = setImmediate(turn);
  });
  const result = await shapeCsv({ bytes, columns: under }, { nullText: 'null' });
  const turnsWhileShaping = turns;
  const split = await splitRows(result);
  clearImmediate(other);
  assert.equal(split.ends.length, rows.length);
  assert.ok(turnsWhileShaping >= 3, `other work ran ${turnsWhileShaping} times while shaping`);
  assert.ok(
    turns - turnsWhileShaping >= 3,
    `other work ran ${turns - turnsWhileShaping} times while splitting`,
  );
});
