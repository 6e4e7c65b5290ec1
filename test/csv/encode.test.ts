import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { decodeRow, rowAt, splitRows } from '../../src/csv/decode.js';
import {
  bodyBehindHeader,
  encodeCell,
  encodeFile,
  encodeHeader,
  encodeRow,
  encodeRows,
} from '../../src/csv/encode.js';
import { asReadBack, numberColumn, stringColumn, table } from './cells.js';

test('an absent cell is nothing, an empty string is two quotes, quotes only where needed', () => {
  assert.equal(encodeRow(['a', null, '', ' b ', '12']), 'a,,"", b ,12\n');
  assert.equal(encodeRow(['say "hi"', 'a,b', 'x\ny', 'x\ry']), '"say ""hi""","a,b","x\ny","x\ry"\n');
  assert.equal(encodeRow(['\u2028', '\0', '🚕', "'"]), "\u2028,\0,🚕,'\n");
});

test('a row of one absent cell is not an empty line, which readers drop', () => {
  assert.equal(encodeRow([null]), '""\n');
  assert.equal(encodeRow(['']), '""\n');
});

test('another delimiter quotes what contains it', () => {
  assert.equal(encodeCell('a;b', ';'), '"a;b"');
  assert.equal(encodeHeader([stringColumn('a;b'), stringColumn('c')], ';').toString(), '"a;b";c\n');
});

test('a first column whose name begins with U+FEFF keeps it', async () => {
  const header = encodeHeader([stringColumn('\uFEFFid'), stringColumn('b')]);
  assert.deepEqual((await splitRows(header)).header, ['\uFEFFid', 'b']);
});

test('a file is its header and its rows, without a copy if the header precedes the rows in memory', () => {
  const columns = [stringColumn('id'), numberColumn('count')];
  const { body, ends } = encodeRows(columns, [
    ['a', '1'],
    ['b', '2'],
  ]);
  const behind = bodyBehindHeader(columns, body.length);
  body.copy(behind);
  const file = encodeFile({ columns, body: behind, ends });
  assert.equal(file.toString(), 'id,count\na,1\nb,2\n');
  assert.equal(file.buffer, behind.buffer);
  assert.equal(encodeFile({ columns, body, ends }).toString(), file.toString());
  const renamed = [stringColumn('no'), numberColumn('count')];
  assert.equal(encodeFile({ columns: renamed, body: behind, ends }).toString(), 'no,count\na,1\nb,2\n');
});

test('the bytes are those of csv-stringify', () => {
  fc.assert(
    fc.property(table, ({ columns, rows }) => {
      const names = columns.map(({ name }) => name);
      // csv-stringify quotes an empty string only when told so, and writes a lone absent cell as an empty line.
      const records = rows.map((row) => (row.length === 1 ? [row[0] ?? ''] : row));
      const cast = { string: (value: string) => (value === '' ? { value, quoted_empty: true } : value) };
      const expected = stringify(records, { cast });
      assert.equal(encodeRows(columns, rows).body.toString(), expected);
      assert.equal(
        encodeHeader(columns)
          .toString()
          .replace(/^"(\uFEFF[^"]*)"/, '$1'),
        stringify([names]).replace(/^"(\uFEFF[^"]*)"/, '$1'),
      );
    }),
    { numRuns: 500 },
  );
});

test('rows read back as they were, row by row and as a whole', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, rows }) => {
      const encoded = encodeRows(columns, rows);
      assert.deepEqual(
        rows.map((_, index) => decodeRow(rowAt(encoded, index))),
        rows.map(asReadBack),
      );
      const split = await splitRows(Buffer.concat([encodeHeader(columns), encoded.body]));
      assert.deepEqual(
        split.header,
        columns.map(({ name }) => name),
      );
      assert.ok(split.body.equals(encoded.body));
      assert.deepEqual(split.ends, encoded.ends);
    }),
    { numRuns: 500 },
  );
});

test('row ends are right when only some rows are ASCII', () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => [
    String(i),
    i % 1000 === 7 ? 'Überfahrt 🚕' : 'Fahrt',
  ]);
  const encoded = encodeRows([numberColumn('n'), stringColumn('s')], rows);
  assert.equal(encoded.ends.at(-1), encoded.body.length);
  for (const index of [0, 6, 7, 8, 1007, 12_345, 19_999]) {
    assert.deepEqual(decodeRow(rowAt(encoded, index)), rows[index]);
  }
});
