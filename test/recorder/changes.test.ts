import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeRow, encodeRows } from '../../src/csv/encode.js';
import { rowKey } from '../../src/csv/row-blocks.js';
import type { Cell } from '../../src/csv/rows.js';
import { diffRows } from '../../src/recorder/changes.js';

const columns = ['partition', 'sort', 'value'].map((name) => ({ name, type: 'string' as const, seen: true }));

/** Items by key, some keys with characters that CSV has to quote. */
const items = fc
  .array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'a,b', '"', '', 'line\nbreak', '10', '9'),
      fc.integer({ min: 0, max: 40 }).map(String),
      fc.option(fc.constantFrom('x', 'y', '', 'z,"\n'), { nil: null }),
    ),
    { maxLength: 120 },
  )
  .map((rows) => [...new Map(rows.map((row) => [JSON.stringify(row.slice(0, 2)), row])).values()]);

const sorted = (rows: Cell[][]) => [...rows].sort((a, b) => (encodeRow(a) < encodeRow(b) ? -1 : 1));

/** The differences by key, found with plain maps. */
function expected(before: Cell[][], after: Cell[][]): string[] {
  const key = (row: Cell[]) => JSON.stringify(row.slice(0, 2));
  const old = new Map(before.map((row) => [key(row), encodeRow(row)]));
  const now = new Map(after.map((row) => [key(row), encodeRow(row)]));
  const keys = new Set([...old.keys(), ...now.keys()]);
  return [...keys]
    .filter((name) => old.get(name) !== now.get(name))
    .map((name) => JSON.stringify([old.get(name) ?? null, now.get(name) ?? null]))
    .sort();
}

async function found(before: Cell[][], after: Cell[][]): Promise<string[]> {
  const differences = await diffRows(encodeRows(columns, before), encodeRows(columns, after), 2);
  return differences
    .map((d) => JSON.stringify([d.before?.toString() ?? null, d.after?.toString() ?? null]))
    .sort();
}

describe('comparing two polls', () => {
  it('finds exactly the items that differ, by key', async () => {
    await fc.assert(
      fc.asyncProperty(items, items, async (before, after) => {
        assert.deepEqual(await found(sorted(before), sorted(after)), expected(before, after));
      }),
    );
  });

  it('finds them in rows of any order too', async () => {
    await fc.assert(
      fc.asyncProperty(items, items, async (before, after) => {
        assert.deepEqual(await found(before, after), expected(before, after));
      }),
    );
  });

  it('takes a quoted comma for a part of the key', () => {
    assert.equal(rowKey(Buffer.from('"a,b",1,2\n'), 1), '"a,b"');
    assert.equal(rowKey(Buffer.from('"a ""q"" b",1\n'), 2), '"a ""q"" b",1');
  });
});
