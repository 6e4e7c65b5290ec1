/** What a snapshot remembers of the deltas after which it is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.js';
import { encodeRow, encodeRows } from '../../src/csv/encode.js';
import { RowBlocks } from '../../src/csv/row-blocks.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { SnapshotDataset } from '../../src/recorder/snapshot-dataset.js';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'number', seen: true },
  { name: 'text', type: 'string', seen: true },
];
const compare = ([a]: readonly Cell[], [b]: readonly Cell[]) => Number(a) - Number(b);

type Edit = readonly [id: number, text: string | null];

class World {
  readonly dataset = new SnapshotDataset({
    name: 'orders',
    source: 'DynamoDB table orders',
    description: '',
    health: new PollHealth(1_000, systemClock),
  });
  #blocks: RowBlocks;

  private constructor(blocks: RowBlocks) {
    this.#blocks = blocks;
  }

  static async of(rows: readonly Edit[]): Promise<World> {
    const cells = rows.map(([id, text]) => [String(id), text]);
    const world = new World(await RowBlocks.from(encodeRows(COLUMNS, cells), 1, compare));
    world.dataset.showBlocks(world.#blocks, ['id'], 0, []);
    return world;
  }

  async edit(edits: readonly Edit[]): Promise<void> {
    const { rows, edited } = await this.#blocks.edit(
      edits.map(([id, text]) => ({
        row: Buffer.from(encodeRow([String(id), text])),
        isRemoval: text === null,
      })),
    );
    this.#blocks = rows;
    this.dataset.showBlocks(rows, ['id'], 0, edited);
  }

  /** Rows by id after what happened since a version, to somebody who had `before` then; null: it is not remembered. */
  follow(version: string, before: ReadonlyMap<string, string>): Map<string, string> | null {
    const edited = this.dataset.editedSince(version);
    if (edited === null) return null;
    const rows = new Map(before);
    const linesOf = (body: Buffer) => body.toString().split('\n').slice(0, -1);
    for (const line of linesOf(edited.removed.body)) rows.delete(line.split(',')[0]!);
    for (const line of linesOf(edited.put.body)) rows.set(line.split(',')[0]!, line);
    return rows;
  }

  async rows(): Promise<Map<string, string>> {
    const { bytes } = await this.dataset.content();
    const lines = bytes.toString().split('\n').slice(1, -1);
    return new Map(lines.map((line) => [line.split(',')[0]!, line]));
  }
}

test('who had any earlier version has the same rows after the edits since', async () => {
  const edit = fc.tuple(fc.nat(5), fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null }));
  const property = fc.asyncProperty(
    fc.array(fc.array(edit, { minLength: 1, maxLength: 6 }), { maxLength: 5 }),
    async (batches) => {
      const world = await World.of([
        [0, 'zero'],
        [3, 'three'],
      ]);
      const seen = [{ version: world.dataset.version!, rows: await world.rows() }];
      for (const batch of batches) {
        await world.edit(batch);
        const now = await world.rows();
        for (const { version, rows } of seen) assert.deepEqual(world.follow(version, rows), now);
        seen.push({ version: world.dataset.version!, rows: now });
      }
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test('edits with more bytes than all rows are forgotten: who needs them loads the rows', async () => {
  const world = await World.of([[0, 'zero']]);
  const first = world.dataset.version!;
  const text = 'x'.repeat(100_000);
  let last = first;
  for (let round = 0; round < 20; round += 1) {
    last = world.dataset.version!;
    await world.edit([[round % 2, `${text}${round}`]]);
  }
  assert.equal(world.dataset.editedSince(first), null);
  assert.equal(world.dataset.editedSince(last)?.put.ends.length, 1);
});
