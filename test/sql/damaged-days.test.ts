import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_HERE } from '../../src/history/day-files.js';
import { DamagedDays } from '../../src/sql/damaged-days.js';

const FILE = { dataset: 'log', date: '2026-11-20', path: '/data/2026-11-20.parquet' };

test('all work that has read a damaged copy begins anew once the copy was removed', async () => {
  let copy: 'rotten' | 'away' | 'sound' = 'rotten';
  const days = { ...ALL_HERE, tryHold: () => (copy === 'away' ? null : { release() {} }) };
  const parquet = { damageOf: async () => (copy === 'rotten' ? 'No magic bytes' : null) };
  const damaged = new DamagedDays(
    parquet,
    async () => {
      copy = 'away';
    },
    days,
  );
  let begun = 0;
  let bothHaveRead = () => {};
  const read = new Promise<void>((resolve) => {
    bothHaveRead = resolve;
  });
  const work = async () => {
    begun += 1;
    if (begun <= 2) {
      if (begun === 2) bothHaveRead();
      await read;
      throw new Error(`Invalid Input Error: No magic bytes found at end of file '${FILE.path}'`);
    }
    // Whoever comes first fetches it.
    copy = 'sound';
    return 'rows';
  };
  const answers = [1, 2].map(() => damaged.around(() => [FILE], work));
  assert.deepEqual(await Promise.all(answers), ['rows', 'rows']);
  assert.equal(begun, 4);
  // What fails for another reason is not tried again for that.
  const other = damaged.around(
    () => [FILE],
    async () => {
      throw new Error(`IO Error: Could not read from file "${FILE.path}"`);
    },
  );
  await assert.rejects(other, /IO Error/);
});
