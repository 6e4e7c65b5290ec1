import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ChangeRow } from './differ.js';
import { FleetSql, type FleetState } from './fleet-sql.js';

/** What the tables hold now: zones by number or name, taxis with and without a next zone, and nothing at all. */

let fleet: FleetSql;
before(async () => {
  fleet = await FleetSql.start();
});
after(() => fleet.close());

const zone = 'America/New_York';
const now = Date.parse('2026-11-24T15:00:00Z');

async function view(name: string, state: Partial<FleetState>): Promise<Record<string, unknown>[]> {
  await fleet.load({ now, zone, ...state });
  return fleet.view(name);
}

test('destinations by number: each zone once, with name and place, the most taxis first', async () => {
  const rows = await view('destinations-per-zone', {
    heading: [
      ['4', '2'],
      ['161', '30'],
      ['57', '2'],
      ['56', '1'],
    ],
  });
  assert.deepEqual(
    rows.map((row) => [row.zone_id, row.zone, row.borough, row.taxis]),
    [
      ['161', 'Midtown Center', 'Manhattan', 30],
      ['4', 'Alphabet City', 'Manhattan', 2],
      ['57', 'Corona', 'Queens', 2],
      ['56', 'Corona', 'Queens', 1],
    ],
  );
  assert.deepEqual([rows[1]!.latitude, rows[1]!.longitude], [40.72375, -73.97697]);
});

test('destinations by name: a name that several zones share is the lowest number, and one row', async () => {
  const islands = "Governor's Island/Ellis Island/Liberty Island";
  const rows = await view('destinations-per-zone', {
    heading: [
      ['Corona', '3'],
      [islands, '2'],
      ['alphabet city', '1'],
      [' Alphabet City ', '0'],
    ],
  });
  assert.deepEqual(
    rows.map((row) => [row.zone_id, row.zone, row.latitude, row.taxis]),
    [
      ['Corona', 'Corona', 40.74141, 3],
      [islands, islands, 40.68986, 2],
      ['alphabet city', 'Alphabet City', 40.72375, 1],
      [' Alphabet City ', 'Alphabet City', 40.72375, 0],
    ],
  );
});

test('a zone that is on no list keeps its id, without a place; 264 and 265 have none either', async () => {
  const rows = await view('destinations-per-zone', {
    heading: [
      ['Depot 7', '9'],
      ['264', '2'],
      ['265', '1'],
      ['999', null],
    ],
  });
  assert.deepEqual(rows, [
    { zone_id: 'Depot 7', zone: 'Depot 7', borough: null, latitude: null, longitude: null, taxis: 9 },
    { zone_id: '264', zone: 'Unknown', borough: 'Unknown', latitude: null, longitude: null, taxis: 2 },
    { zone_id: '265', zone: 'Outside of NYC', borough: 'N/A', latitude: null, longitude: null, taxis: 1 },
    { zone_id: '999', zone: '999', borough: null, latitude: null, longitude: null, taxis: 0 },
  ]);
});

test('a taxi whose next zone is absent or empty is unassigned', async () => {
  const destinations = [
    ['7', '161'],
    ['8', null],
    ['9', ''],
    ['10', 'Corona'],
    ['11', ' '],
  ] as const;
  assert.deepEqual(
    (await view('unassigned-taxis', { destinations })).map((row) => String(row.taxi_id)).sort(),
    ['11', '8', '9'],
  );
  assert.deepEqual(await view('unassigned-taxis-count', { destinations }), [{ unassigned: 3 }]);
  assert.deepEqual(await view('taxis-now', { destinations }), [{ taxis: 5, assigned: 2, unassigned: 3 }]);
});

test('no taxi has ever had a next zone, or every taxi has one', async () => {
  assert.deepEqual(await view('taxis-now', { destinations: [['7', null]] }), [
    { taxis: 1, assigned: 0, unassigned: 1 },
  ]);
  const assigned = { destinations: [['7', '161']] as const };
  assert.deepEqual(await view('taxis-now', assigned), [{ taxis: 1, assigned: 1, unassigned: 0 }]);
  assert.deepEqual(await view('unassigned-taxis-count', assigned), [{ unassigned: 0 }]);
  assert.deepEqual(await view('unassigned-taxis', assigned), []);
});

test('without any data, what always has one row has one, and nothing else invents any', async () => {
  await fleet.load({ now, zone });
  assert.deepEqual(await fleet.view('rides-today'), [
    { date: '2026-11-24', pickups: 0, dispatches: 0, success_rate: null },
  ]);
  assert.deepEqual(await fleet.view('unassigned-taxis-count'), [{ unassigned: 0 }]);
  assert.deepEqual(await fleet.view('taxis-now'), [{ taxis: 0, assigned: 0, unassigned: 0 }]);
  const empty = [
    'rides-per-day',
    'rides-per-hour',
    'success-rate-per-week',
    'boardings-per-zone-today',
    'boardings-per-zone-per-day',
    'busiest-zones-per-day',
    'quietest-zones-per-day',
    'destinations-per-zone',
    'unassigned-taxis',
  ];
  for (const name of empty) assert.deepEqual(await fleet.view(name), [], name);
  const course = await fleet.view('rides-course');
  assert.equal(course.length, 288);
  assert.deepEqual(course[120], { timestamp: '2026-11-24T15:00:00.000Z', today: 0, last_week: null });
  assert.deepEqual(course[121], { timestamp: '2026-11-24T15:05:00.000Z', today: null, last_week: null });
});

const insert = (key: string, count: number, at: string): ChangeRow => ({
  change: 'insert',
  key,
  count,
  previousCount: null,
  since: null,
  timestamp: Date.parse(at),
});

test('a day without dispatches has no rate, and does not pull the week down', async () => {
  const flags = [
    insert('dispatch', 200, '2026-11-23T15:00:00Z'),
    insert('pickup', 150, '2026-11-23T15:00:00Z'),
    insert('pickup-by-hand', 3, '2026-11-24T14:00:00Z'),
  ];
  const perDay = await view('rides-per-day', { flags });
  assert.deepEqual(
    perDay.map((row) => [row.weekday, row.pickups, row.dispatches, row.success_rate]),
    [
      ['Monday', 150, 200, 75],
      ['Tuesday', 0, 0, null],
    ],
  );
  assert.deepEqual(await fleet.view('success-rate-per-week'), [
    {
      timestamp: '2026-11-23T05:00:00.000Z',
      week: '2026-W48',
      pickups: 150,
      dispatches: 200,
      average_success_rate: 75,
      change: null,
    },
  ]);
});

test('a step of the course counts everything up to and including its time', async () => {
  const flags = [
    insert('pickup', 5, '2026-11-17T14:00:00Z'),
    {
      ...insert('pickup', 8, '2026-11-17T14:05:00Z'),
      previousCount: 5,
      since: Date.parse('2026-11-17T14:00:00Z'),
    },
    {
      ...insert('pickup', 7, '2026-11-24T14:00:00Z'),
      previousCount: 8,
      since: Date.parse('2026-11-24T13:59:30Z'),
    },
  ];
  const course = await view('rides-course', { flags });
  assert.deepEqual(
    course.slice(107, 110).map((row) => [row.timestamp, row.today, row.last_week]),
    [
      ['2026-11-24T13:55:00.000Z', 0, 0],
      ['2026-11-24T14:00:00.000Z', 7, 5],
      ['2026-11-24T14:05:00.000Z', 7, 8],
    ],
  );
});

test('a zone where nobody boarded is the quietest and never the busiest', async () => {
  const zones = [insert('4', 5, '2026-11-23T15:00:00Z'), insert('161', 9, '2026-11-24T14:00:00Z')];
  const ranks = async (name: string) =>
    (await view(name, { zones })).map((row) => [row.date, row.rank, row.zone, row.boardings]);
  assert.deepEqual(await ranks('busiest-zones-per-day'), [
    ['2026-11-23', 1, 'Alphabet City', 5],
    ['2026-11-24', 1, 'Midtown Center', 9],
  ]);
  assert.deepEqual(await ranks('quietest-zones-per-day'), [
    ['2026-11-23', 1, 'Alphabet City', 5],
    ['2026-11-24', 1, 'Alphabet City', 0],
    ['2026-11-24', 2, 'Midtown Center', 9],
  ]);
});
