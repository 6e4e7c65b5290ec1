import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_HERE } from '../../src/history/day-files.js';
import { DaysAway, fetchingDays } from '../../src/sql/days-away.js';

/** Days whose holds are counted. */
function counted() {
  const asked: (readonly string[])[] = [];
  let held = 0;
  const hold = async (paths: readonly string[]) => {
    assert.equal(held, 0, 'what it needed before is held while it waits');
    asked.push(paths);
    held += 1;
    return {
      release: () => {
        held -= 1;
      },
    };
  };
  return { asked, days: { ...ALL_HERE, hold }, held: () => held };
}

test('work that needs more days when it has some gets all of them at once, and holds none while it waits', async () => {
  const { asked, days, held } = counted();
  const needed = [['a'], ['b', 'c']];
  const answer = await fetchingDays(days, async () => {
    const away = needed.shift();
    if (away !== undefined) throw new DaysAway(away);
    assert.equal(held(), 1);
    return 'rows';
  });
  assert.equal(answer, 'rows');
  assert.deepEqual(asked, [['a'], ['a', 'b', 'c']]);
  assert.equal(held(), 0);
});

test('days that are away again each time are an error that says so', async () => {
  const { days, held } = counted();
  const work = async () => {
    throw new DaysAway(['/data/2026-11-20.parquet']);
  };
  await assert.rejects(fetchingDays(days, work), {
    code: 'DAY_NOT_FETCHED',
    status: 503,
    message: /2026-11-20\.parquet among them, were others each time/,
  });
  assert.equal(held(), 0);
});
