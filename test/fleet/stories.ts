import fc from 'fast-check';
import type { Story } from './simulation.js';

/** Zones by number and by name, one of them with a name that several share, and two that are on no list. */
export const zoneIds = [
  '132',
  '4',
  '161',
  '237',
  'Central Park',
  'corona',
  "Governor's Island/Ellis Island/Liberty Island",
];
const unlisted = ['999', 'Depot 7'];

/** Lives of the fleet with everything that the rules of counters are for, around the days on which clocks change. */
export const stories: fc.Arbitrary<Story> = fc.record({
  // New York's clocks go forward on 2026-03-08 and back on 2026-11-01; the others change elsewhere or never.
  zone: fc.oneof(
    { weight: 6, arbitrary: fc.constant('America/New_York') },
    { weight: 1, arbitrary: fc.constantFrom('UTC', 'Asia/Seoul', 'Asia/Kolkata', 'Australia/Lord_Howe') },
  ),
  firstDay: fc.constantFrom(
    '2026-02-20',
    '2026-03-01',
    '2026-03-07',
    '2026-10-20',
    '2026-10-25',
    '2026-10-31',
    '2026-12-20',
  ),
  days: fc.integer({ min: 1, max: 18 }),
  interval: fc.constantFrom(10, 15, 30, 60),
  seed: fc.nat(),
  demand: fc.constantFrom(2, 20, 200),
  resets: fc.array(
    fc.record({
      minute: fc.integer({ min: -90, max: 7 * 60 }),
      how: fc.constantFrom(
        'zero' as const,
        'zero' as const,
        'delete' as const,
        'delete' as const,
        'forgotten' as const,
      ),
    }),
    { minLength: 0, maxLength: 5 },
  ),
  outages: fc.array(
    fc.record({
      start: fc.double({ min: 0, max: 1, noNaN: true }),
      minutes: fc.constantFrom(30, 59, 61, 100, 600, 1500, 4000),
    }),
    { maxLength: 4 },
  ),
  missedPolls: fc.constantFrom(0, 0.02, 0.3),
  flicker: fc.constantFrom(0, 0.02, 0.2),
  zones: fc
    .subarray([...zoneIds, ...unlisted], { minLength: 1 })
    .chain((ids) =>
      fc.tuple(...ids.map((id) => fc.record({ id: fc.constant(id), from: fc.constantFrom(0, 0, 0.3, 0.9) }))),
    ),
});
