import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRow, rowAt } from '../../src/csv/decode.js';
import { encodeFile, encodeHeader, encodeRows } from '../../src/csv/encode.js';
import { instantOfItem, withItemTimes } from '../../src/csv/item-time.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { text } from './cells.js';

const COLUMNS: readonly Column[] = ['id', 'at', 'note'].map((name) => ({ name, type: 'string', seen: true }));
const AT = { column: 'at', unit: null } as const;

const iso = (instant: number) => new Date(instant).toISOString();

/** Both nights in which New York's clocks change, a leap day, the last moments of a year and of a day. */
const MOMENTS = [
  '2026-11-01T05:59:59.999Z',
  '2026-11-01T06:00:00.000Z',
  '2026-03-08T06:59:59.999Z',
  '2026-03-08T07:00:00.000Z',
  '2024-02-29T23:59:59.999Z',
  '2026-12-31T23:59:59.999Z',
  '2001-09-09T01:46:40.000Z',
].map(Date.parse);

const instant = fc.oneof(
  fc.constantFrom(...MOMENTS),
  fc.integer({ min: Date.parse('1973-03-04'), max: Date.parse('2099-12-31') }),
);

/** An instant, and ways to write it. */
const written = instant.chain((ms) => {
  const s = Math.floor(ms / 1000);
  const local = (hours: number) => iso(ms + hours * 3_600_000).slice(0, -1);
  return fc
    .constantFrom(
      [iso(ms), ms],
      [iso(ms).replace('Z', '123Z'), ms],
      [iso(ms).replace('Z', '999999+00:00'), ms],
      [`${local(-5)}-05:00`, ms],
      [`${local(9)}+0900`, ms],
      [local(0), ms],
      [local(0).replace('T', ' '), ms],
      [iso(ms).replace(/\.\d+Z$/, 'Z'), s * 1000],
      [iso(ms).slice(0, 10), Math.floor(ms / 86_400_000) * 86_400_000],
      [String(s), s * 1000],
      [`${s}.${String(ms % 1000).padStart(3, '0')}`, ms],
      [`${s}.${String(ms % 1000).padStart(3, '0')}999`, ms],
      [String(ms), ms],
      [`${ms}.75`, ms],
      [`${ms}000`, ms],
      [`${ms}999`, ms],
    )
    .map(([cell, expected]) => ({ cell: String(cell), expected: Number(expected) }));
});

test('a time is the same instant in whatever form and unit it is written', () => {
  fc.assert(
    fc.property(written, ({ cell, expected }) => assert.equal(instantOfItem(cell, null), expected, cell)),
    { numRuns: 2_000 },
  );
});

test('the magnitude decides on the unit, unless it is given', () => {
  const cases: [string, 's' | 'ms' | 'us' | null, string | null][] = [
    ['100000000', null, '1973-03-03T09:46:40.000Z'],
    ['99999999999', null, '5138-11-16T09:46:39.000Z'],
    ['100000000000', null, '1973-03-03T09:46:40.000Z'],
    ['99999999999999', null, '5138-11-16T09:46:39.999Z'],
    ['100000000000000', null, '1973-03-03T09:46:40.000Z'],
    ['99999999999999990', null, '5138-11-16T09:46:39.999Z'],
    ['0', null, null],
    ['42', null, null],
    ['99999999', null, null],
    ['-1764000000', null, null],
    ['1764000000000000000', null, null],
    ['0', 's', '1970-01-01T00:00:00.000Z'],
    ['-1', 's', '1969-12-31T23:59:59.000Z'],
    ['42', 'ms', '1970-01-01T00:00:00.042Z'],
    ['1764000000', 'ms', '1970-01-21T10:00:00.000Z'],
    ['-1', 'us', '1969-12-31T23:59:59.999Z'],
    ['1764000000', 'us', '1970-01-01T00:29:24.000Z'],
    ['2026-11-24', 'ms', '2026-11-24T00:00:00.000Z'],
    ['99999999999999999', 's', null],
  ];
  for (const [cell, unit, expected] of cases) {
    const found = instantOfItem(cell, unit);
    assert.equal(found === null ? null : iso(found), expected, `${cell} in ${unit}`);
  }
});

test('what is not a time is none', () => {
  const none = [
    '',
    'yesterday',
    'true',
    '2026-02-30',
    '2026-13-01T00:00:00Z',
    '2026-11-24T25:00:00Z',
    '1e12',
  ];
  for (const cell of [...none, '24/11/2026', '2026-11-24T09:30:00+25:00', '17640000x0', 'NaN', '{"S":"1"}'])
    assert.equal(instantOfItem(cell, null), null, cell);
});

const anyCell: fc.Arbitrary<Cell> = fc.oneof(
  { weight: 6, arbitrary: written.map(({ cell }): Cell => cell) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: text },
);

test('rows get the times of one column, and are otherwise the rows they were', async () => {
  const row = fc.tuple(fc.option(text), anyCell, fc.option(text));
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (cells) => {
      const before = encodeRows(COLUMNS, cells);
      const { rows, wrong } = await withItemTimes(before, AT);
      const isWrong = ([, cell]: readonly Cell[]) => cell != null && instantOfItem(cell, null) === null;
      const expected = cells.map(([id, cell, note]) => {
        const time = cell === null ? null : instantOfItem(cell, null);
        return [id, time === null ? null : iso(time), note];
      });
      assert.deepEqual(
        Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index))),
        expected,
      );
      assert.equal(wrong.count, cells.filter(isWrong).length);
      assert.deepEqual(
        wrong.listed.map(({ row, text }) => [row, text]),
        cells.flatMap((line, index) => (isWrong(line) ? [[index, line[1]]] : [])),
      );
      const again = await withItemTimes(rows, AT);
      assert.equal(again.rows.body, rows.body, 'times are not written again');
      assert.deepEqual(encodeFile(rows), Buffer.concat([encodeHeader(COLUMNS), rows.body]));
    }),
    { numRuns: 500 },
  );
});

test('rewritten rows share their memory with their file', async () => {
  const { rows } = await withItemTimes(encodeRows(COLUMNS, [['a', '1764000000', null]]), AT);
  assert.equal(encodeFile(rows).buffer, rows.body.buffer);
});

test('a single column without a time is not an empty line', async () => {
  const columns: readonly Column[] = [{ name: 'at', type: 'string', seen: true }];
  const { rows } = await withItemTimes(encodeRows(columns, [['never'], ['1764000000']]), AT);
  assert.equal(rows.body.toString(), '""\n2025-11-24T16:00:00.000Z\n');
});

test('times before 1970, and later than a bound, are told and kept', async () => {
  const latest = Date.parse('2026-11-25T00:00:00Z');
  const cells = ['1969-12-31T23:59:59Z', '2026-11-25', '2026-11-25T00:00:00.001Z', 'never'];
  const { rows, unbelievable } = await withItemTimes(
    encodeRows(
      COLUMNS,
      cells.map((cell, index) => [String(index), cell, null]),
    ),
    AT,
    latest,
  );
  assert.deepEqual(unbelievable.listed, [
    { row: 0, text: '1969-12-31T23:59:59.000Z' },
    { row: 2, text: '2026-11-25T00:00:00.001Z' },
  ]);
  assert.equal(rows.body.toString().split('\n')[2], '2,2026-11-25T00:00:00.001Z,');
});

test('rows that were rewritten before are taken over, whatever changed around them', async () => {
  const line = fc.tuple(fc.constantFrom('a', 'b', 'c'), anyCell, fc.option(text));
  const edit = fc.record({ at: fc.nat(60), removed: fc.nat(8), added: fc.array(line, { maxLength: 9 }) });
  const latest = Date.parse('2030-01-01');
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 60 }),
      fc.array(edit, { maxLength: 4 }),
      async (lines, edits) => {
        const read = encodeRows(COLUMNS, lines);
        const timed = await withItemTimes(read, AT, latest - 5e11);
        const now = [...lines];
        for (const { at, removed, added } of edits) now.splice(at, removed, ...added);
        const rows = encodeRows(COLUMNS, now);
        const anew = await withItemTimes(rows, AT, latest);
        const taken = await withItemTimes(rows, AT, latest, { read, timed });
        assert.equal(taken.rows.body.toString(), anew.rows.body.toString());
        assert.deepEqual([...taken.rows.ends], [...anew.rows.ends]);
        for (const what of ['wrong', 'unbelievable'] as const)
          assert.deepEqual({ ...taken[what] }, { ...anew[what] });
      },
    ),
    { numRuns: 1_500 },
  );
});

test('many rows are taken over where a few were added, in one place or in many', async () => {
  const at = (index: number) => String(1_764_000_000_000 + index * 1_000);
  const lines = Array.from({ length: 20_000 }, (_, index): Cell[] => [`d${index}`, at(index), null]);
  const read = encodeRows(COLUMNS, lines);
  const before = { read, timed: await withItemTimes(read, AT) };
  const fresh = Array.from({ length: 500 }, (_, index): Cell[] => [`n${index}`, at(index), 'new']);
  const inOnePlace = lines.toSpliced(7_000, 0, ...fresh);
  const inMany = lines.flatMap((one, index) => (index % 40 === 0 ? [fresh[index / 40]!, one] : [one]));
  for (const now of [inOnePlace, inMany]) {
    const rows = encodeRows(COLUMNS, now);
    const taken = await withItemTimes(rows, AT, Number.POSITIVE_INFINITY, before);
    assert.equal(taken.rows.body.toString(), (await withItemTimes(rows, AT)).rows.body.toString());
  }
});
