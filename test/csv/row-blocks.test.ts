import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRow, encodeRows } from '../../src/csv/encode.js';
import { RowBlocks } from '../../src/csv/row-blocks.js';
import type { Cell, Column } from '../../src/csv/rows.js';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'number', seen: true },
  { name: 'text', type: 'string', seen: true },
];
const compare = ([a]: readonly Cell[], [b]: readonly Cell[]) => Number(a) - Number(b);
const rowsOf = (items: ReadonlyMap<number, string>) =>
  encodeRows(
    COLUMNS,
    [...items].sort(([a], [b]) => a - b).map(([id, text]) => [String(id), text]),
  );

test('edited rows are those of a map with the same edits, in order, and each edit has what it found', async () => {
  const edit = fc.record({ id: fc.nat(900), text: fc.option(fc.string(), { nil: null }) });
  const property = fc.asyncProperty(
    fc.nat(800),
    fc.array(fc.array(edit, { maxLength: 400 }), { maxLength: 4 }),
    async (count, batches) => {
      const items = new Map(Array.from({ length: count }, (_, id): [number, string] => [id * 2, 'a,"b"']));
      let blocks = await RowBlocks.from(rowsOf(items), 1, compare);
      const first = blocks;
      const before = rowsOf(items);
      for (const batch of batches) {
        const expected: (string | null | undefined)[][] = [];
        for (const { id, text } of batch) {
          expected.push([items.get(id), text]);
          if (text === null) items.delete(id);
          else items.set(id, text);
        }
        const edits = batch.map(({ id, text }) => ({
          row: Buffer.from(encodeRow([String(id), text])),
          isRemoval: text === null,
        }));
        const { rows, edited } = await blocks.edit(edits);
        blocks = rows;
        const line = (id: number, text: string | null | undefined) =>
          text == null ? null : encodeRow([String(id), text]);
        assert.deepEqual(
          edited.map((one) => [one.before?.toString() ?? null, one.after?.toString() ?? null]),
          expected.map(([was, is], index) => [line(batch[index]!.id, was), line(batch[index]!.id, is)]),
        );
        const after = await blocks.toRows();
        assert.deepEqual([after.body, after.ends], [rowsOf(items).body, rowsOf(items).ends]);
        assert.deepEqual([blocks.count, blocks.size], [after.ends.length, after.body.length]);
      }
      assert.deepEqual((await first.toRows()).body, before.body, 'earlier rows stay as they were');
    },
  );
  await fc.assert(property, { numRuns: 60 });
});
