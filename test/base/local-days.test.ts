import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalDays } from '../../src/base/local-days.js';

test('a local day begins at its first instant, also where midnight comes twice or not at all', () => {
  const cases = [
    ['UTC', '2026-11-24', '2026-11-24T00:00:00.000Z'],
    ['Asia/Seoul', '2026-11-24', '2026-11-23T15:00:00.000Z'],
    // The clock goes back from 01:00 to 00:00.
    ['America/Havana', '2025-11-02', '2025-11-02T04:00:00.000Z'],
    ['Asia/Amman', '2021-10-29', '2021-10-28T21:00:00.000Z'],
    // The clock goes from 00:00 to 01:00.
    ['America/Santiago', '2024-09-08', '2024-09-08T04:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-11-24', '2026-11-23T10:00:00.000Z'],
  ] as const;
  for (const [timeZone, date, start] of cases) {
    const days = new LocalDays(timeZone);
    const instant = Date.parse(start);
    assert.equal(new Date(days.startOf(date)).toISOString(), start, timeZone);
    assert.equal(days.dateOf(instant), date);
    assert.notEqual(days.dateOf(instant - 1), date);
  }
});

test('the next local day begins after 23, 24 or 25 hours', () => {
  const days = new LocalDays('America/New_York');
  const hours = (date: string) => (days.endOf(days.startOf(date)) - days.startOf(date)) / 3_600_000;
  assert.deepEqual(['2026-03-08', '2026-11-24', '2026-11-01'].map(hours), [23, 24, 25]);
});
