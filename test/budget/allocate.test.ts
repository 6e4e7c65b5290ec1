import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allocate, type Demand, spending } from '../../src/budget/allocate.js';

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** US dollars per millisecond of an amount per day. */
const perDay = (usd: number) => usd / DAY;

describe('allocate', () => {
  it('polls everything at its shortest interval if the money suffices', () => {
    const demands = [
      { usdPerPoll: 0.000001, shortest: 30 * SECOND },
      { usdPerPoll: 0, shortest: 5 * SECOND },
    ];
    assert.deepEqual(allocate(demands, perDay(1)), [30 * SECOND, 5 * SECOND]);
  });

  it('keeps what is cheap at its interval, and stretches what is expensive', () => {
    const cheap = { usdPerPoll: 0.0000001, shortest: 30 * SECOND };
    const large = { usdPerPoll: 0.01, shortest: 30 * SECOND };
    assert.deepEqual(allocate([cheap, large, cheap], perDay(0.16)), [30 * SECOND, 2 * HOUR, 30 * SECOND]);
  });

  it('gives two equal sources the same', () => {
    const one = { usdPerPoll: 0.01, shortest: 30 * SECOND };
    assert.deepEqual(allocate([one, one], perDay(0.49)), [HOUR, HOUR]);
  });

  it('never polls a source more often than it may be polled, whatever it costs', () => {
    const slow = { usdPerPoll: 0, shortest: 47_123 };
    const large = { usdPerPoll: 1, shortest: 2 * HOUR };
    assert.deepEqual(allocate([slow, large], perDay(1)), [47_123, DAY]);
  });

  it('without money, polls what costs something as rarely as it ever does', () => {
    const demands = [
      { usdPerPoll: 0, shortest: 30 * SECOND },
      { usdPerPoll: 0.01, shortest: 30 * SECOND },
    ];
    assert.deepEqual(allocate(demands, 0), [30 * SECOND, 31 * DAY]);
  });

  const demands = fc.array(
    fc.record<Demand>({
      usdPerPoll: fc.oneof(fc.constant(0), fc.double({ min: 1e-8, max: 10, noNaN: true })),
      shortest: fc.constantFrom(100, 30 * SECOND, 47_123, HOUR, DAY),
    }),
    { minLength: 1, maxLength: 50 },
  );

  it('never spends more than it may, for any sources', () => {
    fc.assert(
      fc.property(demands, fc.double({ min: 1e-6, max: 100, noNaN: true }), (sources, usdPerDay) => {
        const intervals = allocate(sources, perDay(usdPerDay));
        for (const [index, { shortest }] of sources.entries()) assert.ok(intervals[index]! >= shortest);
        assert.ok(spending(sources, intervals) <= perDay(usdPerDay) * (1 + 1e-9));
      }),
    );
  });

  it('never polls a source more rarely than a more expensive one', () => {
    fc.assert(
      fc.property(demands, fc.double({ min: 1e-6, max: 100, noNaN: true }), (sources, usdPerDay) => {
        const same = sources.map(({ usdPerPoll }) => ({ usdPerPoll, shortest: 30 * SECOND }));
        const intervals = allocate(same, perDay(usdPerDay));
        const sorted = same.map((demand, index) => ({ ...demand, interval: intervals[index]! }));
        sorted.sort((a, b) => a.usdPerPoll - b.usdPerPoll);
        for (let index = 1; index < sorted.length; index++) {
          assert.ok(sorted[index - 1]!.interval <= sorted[index]!.interval);
        }
      }),
    );
  });
});
