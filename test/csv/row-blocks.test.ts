import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { freeBuffers } from '../../src/base/garbage.js';
import { encodeRow, encodeRows } from '../../src/csv/encode.js';
import { RowBlocks } from '../../src/csv/row-blocks.js';
import type { Cell, Column, EncodedRows } from '../../src/csv/rows.js';

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

async function assertRows(blocks: RowBlocks, { body, ends }: EncodedRows): Promise<void> {
  const rows = await blocks.toRows();
  assert.deepEqual([rows.body, rows.ends], [body, ends]);
}

test('edited rows are those of a map with the same edits, in order, and each edit has what it found', async () => {
  const edit = fc.record({ id: fc.nat(900), text: fc.option(fc.string(), { nil: null }) });
  const property = fc.asyncProperty(
    fc.nat(800),
    fc.array(fc.array(edit, { maxLength: 400 }), { maxLength: 4 }),
    fc.boolean(),
    async (count, batches, isRead) => {
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
        // Somebody may ask for all rows meanwhile, or never.
        const [{ rows, edited }] = await Promise.all([blocks.edit(edits), isRead ? blocks.toRows() : null]);
        blocks = rows;
        const line = (id: number, text: string | null | undefined) =>
          text == null ? null : encodeRow([String(id), text]);
        assert.deepEqual(
          edited.map((one) => [one.before?.toString() ?? null, one.after?.toString() ?? null]),
          expected.map(([was, is], index) => [line(batch[index]!.id, was), line(batch[index]!.id, is)]),
        );
        const expectedRows = rowsOf(items);
        assert.deepEqual([blocks.count, blocks.size], [items.size, expectedRows.body.length]);
        if (isRead) await assertRows(blocks, expectedRows);
      }
      await assertRows(blocks, rowsOf(items));
      assert.deepEqual((await first.toRows()).body, before.body, 'earlier rows stay as they were');
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

const put = (id: number, text: string) => ({
  row: Buffer.from(encodeRow([String(id), text])),
  isRemoval: false,
});

/** Bytes of buffers in use. */
async function buffers(): Promise<number> {
  freeBuffers(Number.POSITIVE_INFINITY);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return process.memoryUsage().arrayBuffers;
}

describe('rows that edits replaced are not kept in memory', () => {
  const large = 'x'.repeat(400_000);
  // Of each batch a small row stays beside the large one, each in another block.
  const replaced = {
    'by the next batch': (id: number) => [put(id, 'other'), put(0, `${large}${id}`)],
    'by the same batch': (id: number) => [put(id, 'other'), put(0, `${large}${id}`), put(0, 'small')],
  };
  for (const [when, batchOf] of Object.entries(replaced))
    test(when, async () => {
      const items = new Map(Array.from({ length: 20_000 }, (_, id) => [id, 'a row of some bytes']));
      let blocks = await RowBlocks.from(rowsOf(items), 1, compare);
      const before = await buffers();
      for (let id = 64; id < items.size; id += 64) blocks = (await blocks.edit(batchOf(id))).rows;
      const added = (await buffers()) - before;
      assert.ok(added < 20e6, `${added} bytes for ${blocks.size} bytes of rows`);
      assert.equal(blocks.count, items.size);
    });
});
