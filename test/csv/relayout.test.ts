import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRow, rowAt } from '../../src/csv/decode.js';
import { encodeRows } from '../../src/csv/encode.js';
import { concatRows, inSlices, relayout, relayoutInSlices, withColumn } from '../../src/csv/relayout.js';
import type { Cell, Column, EncodedRows } from '../../src/csv/rows.js';
import { stringColumn, table } from './cells.js';

const columns = (...names: string[]): Column[] => names.map(stringColumn);
const cells = (rows: EncodedRows): Cell[][] =>
  Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index)));

test('an equal layout costs nothing', () => {
  const rows = encodeRows(columns('a', 'b'), [['1', '2']]);
  assert.equal(relayout(rows, columns('a', 'b')), rows);
});

test('new columns are absent, at the end, inside, in front, and in another order', () => {
  const rows = encodeRows(columns('a', 'b'), [
    ['1,5', null],
    ['', 'say "x"\ny'],
  ]);
  assert.equal(relayout(rows, columns('a', 'b', 'c')).body.toString(), '"1,5",,\n"","say ""x""\ny",\n');
  assert.equal(relayout(rows, columns('a', 'x', 'b')).body.toString(), '"1,5",,\n"",,"say ""x""\ny"\n');
  assert.equal(relayout(rows, columns('x', 'b', 'a')).body.toString(), ',,"1,5"\n,"say ""x""\ny",""\n');
});

test('a column is never dropped', () => {
  assert.throws(
    () => relayout(encodeRows(columns('a', 'b'), [['1', '2']]), columns('a')),
    /drop the column b/,
  );
});

test('a duplicate column, and rows that do not fit, are errors', () => {
  const rows = encodeRows(columns('a', 'b'), [['1', '2']]);
  assert.throws(() => relayout(rows, columns('a', 'x', 'x', 'b')), /a column twice: a,x,x,b/);
  assert.throws(() => relayout({ ...rows, columns: columns('a', 'a') }, columns('a', 'b')), /twice: a,a/);
  const wider = encodeRows(columns('a', 'b', 'c'), [['1', '2', '3']]);
  assert.throws(
    () => relayout({ ...wider, columns: columns('a', 'b') }, columns('x', 'a', 'b')),
    /do not fit/,
  );
});

test('any table under any wider layout has the same cells under the same names', () => {
  const layout = table.chain(({ columns: old, rows }) =>
    fc
      .uniqueArray(fc.constantFrom('new 1', 'new 2', 'new 3'), { maxLength: 3 })
      .map((names) => [...old, ...columns(...names.map((name) => `${name}\t${old.length}`))])
      .chain((wider) => fc.shuffledSubarray(wider, { minLength: wider.length }))
      .map((target) => ({ old, rows, target })),
  );
  fc.assert(
    fc.property(layout, ({ old, rows, target }) => {
      const moved = relayout(encodeRows(old, rows), target);
      const direct = encodeRows(
        target,
        rows.map((row) =>
          target.map(({ name }) => {
            const source = old.findIndex((column) => column.name === name);
            // A lone absent cell is written, and stays, as the empty string.
            return source < 0 ? null : old.length === 1 ? (row[0] ?? '') : row[source]!;
          }),
        ),
      );
      assert.equal(moved.body.toString(), direct.body.toString());
      assert.deepEqual(moved.ends, direct.ends);
      assert.deepEqual(moved.columns, target);
    }),
    { numRuns: 500 },
  );
});

test('many rows are handled in parts, and the event loop runs between them', async () => {
  const rows = encodeRows(
    columns('a', 'b'),
    Array.from({ length: 60_000 }, (_, index) => [String(index), 'x'.repeat(60)]),
  );
  const target = columns('b', 'new', 'a');
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const moved = await relayoutInSlices(rows, target);
  isDone = true;
  assert.ok(turns >= 3, `${turns} turns for ${rows.body.length} bytes`);
  const atOnce = relayout(rows, target);
  assert.ok(moved.body.equals(atOnce.body));
  assert.deepEqual(moved.ends, atOnce.ends);
  assert.equal(await relayoutInSlices(moved, target), moved);
  const parts = await inSlices(rows, (part) => part);
  assert.ok(parts.length >= 4);
  assert.ok(concatRows(parts).body.equals(rows.body));
  assert.deepEqual(concatRows(parts).ends, rows.ends);
});

test('one more cell in every row, and several parts as one', () => {
  const time = stringColumn('timestamp');
  const first = withColumn(encodeRows(columns('a'), [['1'], ['x\ny']]), time, '2025-01-01T00:00:00.000Z');
  const second = withColumn(encodeRows(columns('a'), [['a long cell '.repeat(20)]]), time, null);
  const both = concatRows([first, second]);
  assert.deepEqual(cells(both), [
    ['1', '2025-01-01T00:00:00.000Z'],
    ['x\ny', '2025-01-01T00:00:00.000Z'],
    ['a long cell '.repeat(20), null],
  ]);
  assert.throws(() => concatRows([first, encodeRows(columns('a'), [])]), /two layouts/);
});
