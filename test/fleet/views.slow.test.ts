import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { projectRoot } from '../../src/base/project.js';
import { changesBetween } from './differ.js';
import { FleetSql } from './fleet-sql.js';
import { wallTime } from './local-time.js';
import * as reference from './reference.js';
import { type Poll, type Story, simulate } from './simulation.js';
import { stories, zoneIds } from './stories.js';

/** The views on simulated lives of the fleet, against a reference that reads the polls themselves. */

let fleet: FleetSql;
before(async () => {
  fleet = await FleetSql.start();
});
after(() => fleet.close());

const places: reference.Place[] = readFileSync(join(projectRoot, 'config/lookups/zones.csv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
  .map(([number, zone, borough, latitude, longitude]) => ({
    number: Number(number),
    zone: zone!,
    borough: borough!,
    latitude: latitude || null,
    longitude: longitude || null,
  }));

/** Ascending, so that of several zones with one name the lowest is found. */
const gazetteer: reference.Gazetteer = (id) =>
  places.find(({ number, zone }) => String(number) === id || zone.toLowerCase() === id.toLowerCase());

const flagsOf = (poll: Poll) => poll.flags;
const zonesOf = (poll: Poll) => poll.zones;

/** Every view equals the reference, asked at that time. */
async function checkViews(polls: readonly Poll[], zone: string, now: number): Promise<void> {
  const seen = polls.filter((poll) => poll.at <= now);
  const flags = reference.rises(seen, flagsOf, zone);
  const zones = reference.rises(seen, zonesOf, zone);
  const latest = seen.at(-1);
  await fleet.load({
    now,
    zone,
    latest,
    flags: changesBetween(seen, flagsOf),
    zones: changesBetween(seen, zonesOf),
  });
  const inTheTable = latest === undefined ? [] : latest.zones.keys();
  const perZonePerDay = reference.boardingsPerZonePerDay(zones, now, zone, gazetteer);
  const expected: Record<string, reference.Row[]> = {
    'rides-today': reference.ridesToday(flags, now, zone),
    'rides-per-day': reference.ridesPerDay(flags, now, zone),
    'rides-per-hour': reference.ridesPerHour(flags, now, zone),
    'rides-course': reference.ridesCourse(flags, now, zone),
    'success-rate-per-week': reference.successRatePerWeek(flags, now, zone),
    'boardings-per-zone-today': reference.boardingsPerZoneToday(zones, inTheTable, now, zone, gazetteer),
    'boardings-per-zone-per-day': perZonePerDay,
    'busiest-zones-per-day': reference.extremes(perZonePerDay, -1),
    'quietest-zones-per-day': reference.extremes(perZonePerDay, 1),
  };
  for (const [name, rows] of Object.entries(expected)) assertRows(await fleet.view(name), rows, name);
}

/** Equal cell by cell, in the same order; rates, which the views round to four decimals, up to that. */
function assertRows(actual: reference.Row[], expected: reference.Row[], name: string): void {
  const rounded = expected.map((row, index) =>
    Object.fromEntries(
      Object.entries(row).map(([column, value]) => {
        if (/itude$/.test(column) && value !== null) return [column, Number(value)];
        const found = actual[index]?.[column];
        const bothNumbers = typeof value === 'number' && typeof found === 'number';
        const close = /rate|change/.test(column) && bothNumbers && Math.abs(found - value) < 0.0001;
        return [column, close ? found : value];
      }),
    ),
  );
  assert.deepEqual(actual, rounded, name);
}

test('the views say what really happened, whatever went wrong with watching it', async () => {
  await fc.assert(
    fc.asyncProperty(stories, fc.double({ min: 0, max: 1.1, noNaN: true }), async (story, when) => {
      const polls = simulate(story);
      if (polls.length === 0) return;
      const [first, last] = [polls[0]!.at, polls.at(-1)!.at];
      await checkViews(polls, story.zone, Math.floor(first + when * (last - first)));
    }),
    { numRuns: 60, interruptAfterTimeLimit: 50_000, includeErrorInReport: true },
  );
});

const story: Story = {
  zone: 'America/New_York',
  firstDay: '2026-02-02',
  days: 140,
  interval: 30,
  seed: 7,
  demand: 40,
  resets: [
    { minute: 180, how: 'zero' },
    { minute: 95, how: 'delete' },
    { minute: -20, how: 'zero' },
    { minute: 330, how: 'delete' },
    { minute: 130, how: 'zero' },
  ],
  outages: [
    { start: 0.6, minutes: 9 * 24 * 60 },
    { start: 0.8, minutes: 400 },
  ],
  missedPolls: 0.02,
  flicker: 0.01,
  zones: zoneIds.map((id, index) => ({ id, from: index === 3 ? 0.9 : 0 })),
};

test('months of history: as many weeks and days as the views promise, a week without data among them', async () => {
  const polls = simulate(story);
  await checkViews(polls, story.zone, polls.at(-1)!.at);
  assert.equal((await fleet.view('rides-per-day')).length, 91);
  assert.equal((await fleet.view('success-rate-per-week')).length, 13);
  assert.equal(new Set((await fleet.view('boardings-per-zone-per-day')).map((row) => row.date)).size, 28);
});

test('a day when clocks go back has 25 hours, when they go forward 23, and last week is compared by wall clock time', async () => {
  const days = [
    { firstDay: '2026-10-24', today: '2026-11-01T23:59:00-05:00', hours: 25 },
    { firstDay: '2026-10-31', today: '2026-11-08T23:59:00-05:00', hours: 24 },
    { firstDay: '2026-02-28', today: '2026-03-08T23:59:00-04:00', hours: 23 },
    { firstDay: '2026-03-07', today: '2026-03-15T23:59:00-04:00', hours: 24 },
  ];
  for (const { firstDay, today, hours } of days) {
    const polls = simulate({ ...story, firstDay, days: 9, interval: 2, demand: 400, outages: [] });
    await checkViews(polls, story.zone, Date.parse(today));
    const perHour = await fleet.view('rides-per-hour');
    assert.equal(perHour.filter((row) => row.date === today.slice(0, 10)).length, hours);
    const course = await fleet.view('rides-course');
    assert.equal(course.length, hours * 12);
    const rising = (column: string) => {
      const line = course.map((row) => row[column] as number);
      return line.every((value, index) => index === 0 || value >= line[index - 1]!);
    };
    assert.ok(rising('today'), today);
    // In an hour that comes twice, last week's one hour stands beside both.
    assert.equal(rising('last_week'), hours !== 25, today);
  }
});

test('a counter that is watched without a break gives exactly the rides that there were', async () => {
  // The batch runs right after a poll, so that nothing rises unseen before it: only then is the true number known.
  const zone = 'America/New_York';
  const truth = new Map<string, number>();
  const polls: Poll[] = [];
  let count = 0;
  const end = Date.parse('2026-11-10T05:00:00Z');
  for (let at = Date.parse('2026-10-28T04:00:30Z'); at < end; at += 300_000) {
    const { day, clock } = wallTime(at, zone);
    if (clock > 3 * 3600 && clock <= 3 * 3600 + 300) count = 0;
    const rides = Math.floor(clock / 7200);
    count += rides;
    truth.set(day, (truth.get(day) ?? 0) + rides);
    polls.push({ at, flags: new Map([['pickup', count]]), zones: new Map() });
  }
  await fleet.load({ now: end - 1000, zone, flags: changesBetween(polls, flagsOf) });
  const perDay = await fleet.view('rides-per-day');
  assert.deepEqual(
    perDay.map((row) => [row.date, row.pickups]),
    [...truth],
  );
});
