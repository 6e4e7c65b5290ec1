import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { thin } from '../../src/web/browser/dataset/thin.js';

test('few points stay, in the order of time', () => {
  assert.deepEqual(thin({ times: [3, 1, 2], values: [30, Number.NaN, 20] }), {
    times: [1, 2, 3],
    values: [Number.NaN, 20, 30],
  });
});

test('of very many points the extremes stay, and a time without values stays a gap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4_001, max: 20_000 }),
      fc.integer({ min: 0, max: 9_999 }),
      (count, seed) => {
        const order = Array.from({ length: count }, (_, index) => (index * 7_919 + seed) % count);
        const times = order.map((place) => place * 1_000);
        // A gap in the middle, a tenth of the time wide.
        const isGap = (place: number) => Math.abs(place - count / 2) < count / 20;
        const values = order.map((place) => (isGap(place) ? Number.NaN : Math.sin(place) * place));
        const thinned = thin({ times, values });
        assert.ok(thinned.times.length <= 4_000);
        assert.ok(thinned.times.every((time, index) => index === 0 || thinned.times[index - 1]! <= time));
        const known = (list: readonly number[]) => list.filter((value) => !Number.isNaN(value));
        assert.equal(Math.max(...known(thinned.values)), Math.max(...known(values)));
        assert.equal(Math.min(...known(thinned.values)), Math.min(...known(values)));
        assert.ok(thinned.values.some((value) => Number.isNaN(value)));
      },
    ),
    { numRuns: 20 },
  );
});
