import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../src/base/durations.js';

test('a duration is a whole number and its unit', () => {
  const read = ['500ms', '30s', '5m', '2h', '7d', '4w', '0s', '007s'].map(parseDuration);
  assert.deepEqual(read, [500, 30_000, 300_000, 7_200_000, 604_800_000, 2_419_200_000, 0, 7_000]);
});

test('nothing else is one', () => {
  for (const text of [
    '',
    '30',
    's',
    '30 s',
    '30S',
    '1.5m',
    '-5s',
    '1m30s',
    ' 5s',
    '5s\n',
    '9999999999999ms',
    '999999999999w',
  ]) {
    assert.equal(parseDuration(text), null, JSON.stringify(text));
  }
});

test('what is written reads back as the same duration, in the largest unit that fits', () => {
  assert.deepEqual([90_000, 86_400_000, 604_800_000, 1, 0].map(formatDuration), [
    '90s',
    '1d',
    '1w',
    '1ms',
    '0ms',
  ]);
  fc.assert(
    fc.property(fc.nat(), (duration) => assert.equal(parseDuration(formatDuration(duration)), duration)),
  );
});
