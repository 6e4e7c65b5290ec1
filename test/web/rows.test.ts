import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFile, encodeRows } from '../../src/csv/encode.js';
import { CsvRows } from '../../src/web/browser/data/rows.js';
import { resultColumns } from '../../src/web/browser/parts/result-columns.js';
import { column } from '../support/scripted-dataset.js';

const cell = fc.option(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', ',', '"', '\n', 'a"b,c\n', '"')),
);

test('the page reads what the service writes, in whatever portions it comes', () => {
  const table = fc
    .integer({ min: 2, max: 5 })
    .chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width })).map((rows) => ({ width, rows })),
    );
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 9 }), ({ width, rows }, portion) => {
      const names = Array.from({ length: width }, (_, index) => `column, ${index}`);
      const bytes = encodeFile(
        encodeRows(
          names.map((name) => column(name)),
          rows,
        ),
      );
      const read = new CsvRows();
      for (let at = 0; at < bytes.length; at += portion) read.push(bytes.subarray(at, at + portion));
      assert.deepEqual(read.header, names);
      assert.deepEqual(
        Array.from({ length: read.count }, (_, index) => read.row(index)),
        rows,
      );
    }),
  );
});

test('columns of unknown type get their type from their cells', () => {
  const rows = new CsvRows();
  rows.push(
    Buffer.from(
      'known,n,t,b,s,none\n1,-2.5,2026-11-24T00:00:00Z,true,1x,\n2,,2026-11-24T00:00:00.5Z,,true,\n',
    ),
  );
  assert.deepEqual(
    resultColumns(rows, [{ name: 'known', type: 'string' }]).map(({ type }) => type),
    ['string', 'number', 'time', 'boolean', 'string', 'number'],
  );
});
