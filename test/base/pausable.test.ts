import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextIteration } from 'node:timers/promises';
import fc from 'fast-check';
import { atOnce, inSlices, mapped, type Pausable, sorted } from '../../src/base/pausable.js';

test('sorting that pauses has the order of toSorted, equal items included', () => {
  const items = fc.array(fc.record({ key: fc.integer({ min: 0, max: 20 }), place: fc.nat() }), {
    minLength: 0,
    maxLength: 3_000,
    size: 'max',
  });
  fc.assert(
    fc.property(items, (all) => {
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      assert.deepEqual(atOnce(sorted(all, compare)), all.toSorted(compare));
    }),
    { numRuns: 60 },
  );
});

test('what pauses is done in order, and to the end', async () => {
  const items = Array.from({ length: 5_000 }, (_, index) => index);
  const doubled = items.map((item) => item * 2);
  assert.deepEqual(atOnce(mapped(items, (item) => item * 2)), doubled);
  assert.deepEqual(await inSlices(mapped(items, (item) => item * 2)), doubled);
});

test('long work lets others run, and stops when nobody waits for it', async () => {
  const stopping = new AbortController();
  const reason = new Error('nobody waits');
  let steps = 0;
  function* endless(): Pausable<never> {
    for (;;) {
      steps += 1;
      yield;
    }
  }
  const work = inSlices(endless(), stopping.signal);
  await nextIteration();
  assert.ok(steps > 0);
  stopping.abort(reason);
  await assert.rejects(work, reason);
});
