import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Baseline } from '../../src/recorder/baseline.js';
import { nodeFiles } from '../../src/volume/files.js';

test('remembering the items of a table that was emptied does not block the event loop', async () => {
  const baseline = new Baseline({ rows: '/nowhere.csv', deleted: '/nowhere.deleted.csv' }, nodeFiles);
  const columns = ['id', 'name'].map((name) => ({ name, type: 'string', seen: true }) as const);
  await baseline.layOut(columns);
  const differences = Array.from({ length: 150_000 }, (_, index) => ({
    before: Buffer.from(`${index},zone ${index}\n`),
    after: null,
  }));
  const turns = await turnsDuring(baseline.track(differences, 1));
  assert.ok(turns > 1, `${turns} turns of the event loop`);
  assert.equal(baseline.deleted.size, 100_000);
  assert.deepEqual(baseline.deleted.get('149999'), ['149999', 'zone 149999']);
});

/** How often the event loop comes round before the work is done. */
async function turnsDuring(work: Promise<void>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await work;
  isDone = true;
  return turns;
}
