import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRow, splitRows } from '../../src/csv/decode.js';

test('an absent value and the empty string are different', () => {
  assert.deepEqual(decodeRow('a,,"",b'), ['a', null, '', 'b']);
  assert.deepEqual(decodeRow(','), [null, null]);
  assert.deepEqual(decodeRow(''), [null]);
  assert.deepEqual(decodeRow('"a ""b"", c\r\n",d\r\n'), ['a "b", c\r\n', 'd']);
});

test('quotes in other places are read as Python reads them', () => {
  assert.deepEqual(decodeRow('5" pipe,"a"b,x'), ['5" pipe', 'ab', 'x']);
});

test('BOM, CRLF, blank lines and a missing last line end are made good', async () => {
  const split = await splitRows(Buffer.from('\uFEFF\r\nid,name\r\n1,"a\r\nb"\r\n\r\n2,\r\r\n3,c'));
  assert.deepEqual(split.header, ['id', 'name']);
  assert.equal(split.body.toString(), '1,"a\r\nb"\n2,\n3,c\n');
  assert.deepEqual([...split.ends], [9, 12, 16]);
});

test('rows that are right already are not copied', async () => {
  const bytes = Buffer.from('id,name\n1,"a\nb"\n');
  assert.equal((await splitRows(bytes)).body.buffer, bytes.buffer);
  assert.deepEqual(await splitRows(Buffer.from('id\n')), {
    header: ['id'],
    body: Buffer.alloc(0),
    ends: new Uint32Array(0),
  });
});

test('mistakes are reported with their line', async () => {
  const failing = (text: string) => splitRows(Buffer.from(text), 'zones.csv');
  await assert.rejects(failing('id,name\n1,"a\n\nb"\n\n2\n'), {
    code: 'CSV_MALFORMED',
    message: 'Line 6 of zones.csv has 1 cells where the header has 2',
  });
  await assert.rejects(
    failing('id,name\n1,a\n2,"b\n3,c\n'),
    /Line 3 of zones.csv has a quote that is never closed/,
  );
  await assert.rejects(failing('\n\r\n'), /Line 1 of zones.csv has no header/);
});
