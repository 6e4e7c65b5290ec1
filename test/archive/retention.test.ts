import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiredPoints } from '../../src/archive/retention.js';

test('all points of two hours are kept, one an hour for a week, one a day for 30 days, and the latest', () => {
  const now = Date.parse('2026-11-28T12:00:00Z');
  const minutes = 40 * 24 * 60;
  const points = Array.from({ length: minutes }, (_, index) => ({
    number: index + 1,
    at: now - (minutes - 1 - index) * 60_000,
  }));
  const gone = new Set(expiredPoints(points, now));
  const kept = points.filter(({ number }) => !gone.has(number));
  const within = (from: number, end: number) =>
    kept.filter(({ at }) => now - at >= from * 3_600_000 && now - at < end * 3_600_000).length;
  assert.equal(within(0, 2), 120);
  assert.equal(within(2, 26), 24);
  assert.equal(within(8 * 24, 28 * 24), 20);
  assert.equal(within(31 * 24, 41 * 24), 0);
  // What is kept stays kept when nothing new comes.
  assert.deepEqual(expiredPoints(kept, now), []);
});

test('the latest point is kept however old it is', () => {
  assert.deepEqual(
    expiredPoints(
      [
        { number: 1, at: 0 },
        { number: 2, at: 1 },
      ],
      Date.now(),
    ),
    [1],
  );
});
