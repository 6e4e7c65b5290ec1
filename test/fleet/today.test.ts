import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ChangeRow } from './differ.js';
import { FleetSql, type FleetState, type TaxiChange } from './fleet-sql.js';
import type { Row } from './reference.js';

/** What a manager asks during the day: hours beside last week, zones that are short, taxis that wait. */

let fleet: FleetSql;
before(async () => {
  fleet = await FleetSql.start();
});
after(() => fleet.close());

const zone = 'America/New_York';
/** A Tuesday, half past ten in the fleet's morning. */
const now = Date.parse('2026-11-24T15:30:00Z');

async function view(name: string, state: Partial<FleetState>): Promise<Row[]> {
  await fleet.load({ now, zone, ...state });
  return fleet.view(name);
}

/** A counter that is seen for the first time: its whole value counts. */
const counted = (key: string, count: number, at: string): ChangeRow => ({
  change: 'insert',
  key,
  count,
  previousCount: null,
  since: null,
  timestamp: Date.parse(at),
});

test('hours of today compared with the same weekday last week: future hours are empty, not 0', async () => {
  const rows = await view('rides-per-hour-today', {
    flags: [
      counted('pickup', 9, '2026-11-16T15:10:00Z'), // Monday last week
      counted('pickup', 5, '2026-11-17T15:10:00Z'), // the same hour last week
      counted('dispatch', 8, '2026-11-17T22:00:00Z'),
      counted('pickup', 3, '2026-11-24T14:59:00Z'),
      counted('dispatch', 4, '2026-11-24T15:20:00Z'),
    ],
  });
  assert.deepEqual(
    rows.map(({ hour }) => hour),
    Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')),
  );
  const cells = ({ hour, ...row }: Row) => [hour, ...Object.values(row)];
  assert.deepEqual(rows.slice(9, 12).map(cells), [
    ['09', 3, 0, 0, 0],
    ['10', 0, 5, 4, 0],
    ['11', null, 0, null, 0],
  ]);
  assert.deepEqual(cells(rows[17]!), ['17', null, 0, null, 8]);
});

test('hours: without last week and without any data there are still 24 of them', async () => {
  const rows = await view('rides-per-hour-today', { flags: [counted('pickup', 3, '2026-11-24T14:59:00Z')] });
  assert.deepEqual(rows[9], {
    hour: '09',
    pickups: 3,
    pickups_last_week: null,
    dispatches: 0,
    dispatches_last_week: null,
  });
  assert.equal((await view('rides-per-hour-today', {})).length, 24);
});

test('hours: the hour that comes twice in the night the clocks go back is one row with both', async () => {
  const rows = await view('rides-per-hour-today', {
    now: Date.parse('2026-11-01T20:00:00Z'),
    flags: [counted('pickup', 2, '2026-11-01T05:30:00Z'), counted('dispatch', 3, '2026-11-01T06:30:00Z')],
  });
  assert.equal(rows.length, 24);
  assert.deepEqual([rows[1]!.pickups, rows[1]!.dispatches], [2, 3]);
});

test('a zone is short by what it has less than its share of the last hour', async () => {
  const rows = await view('zones-short-of-taxis', {
    heading: [
      ['161', '10'],
      ['4', '70'],
      ['237', '20'],
    ],
    zones: [
      counted('161', 60, '2026-11-24T15:00:00Z'),
      counted('4', 20, '2026-11-24T15:10:00Z'),
      counted('237', 20, '2026-11-24T15:29:00Z'),
      counted('230', 500, '2026-11-24T14:30:00Z'), // an hour ago: no longer in the last hour
    ],
  });
  // 100 taxis, 100 boardings: 60 of them belong to Midtown Center.
  assert.deepEqual(rows, [
    {
      zone_id: '161',
      zone: 'Midtown Center',
      boardings_last_hour: 60,
      taxis: 10,
      expected_taxis: 60,
      short_by: 50,
    },
  ]);
});

test('zones of two tables meet, whether a table writes their number or their name', async () => {
  const rows = await view('zones-short-of-taxis', {
    heading: [
      ['Midtown Center', '1'],
      ['Alphabet City', '9'],
      ['Depot 7', '2'],
    ],
    zones: [counted('161', 9, '2026-11-24T15:00:00Z'), counted('Depot 7', 3, '2026-11-24T15:00:00Z')],
  });
  assert.deepEqual(
    rows.map((row) => [row.zone, row.boardings_last_hour, row.taxis, row.expected_taxis, row.short_by]),
    [
      ['Midtown Center', 9, 1, 9, 8],
      ['Depot 7', 3, 2, 3, 1],
    ],
  );
});

test('without boardings, and without taxis, no zone is short', async () => {
  assert.deepEqual(await view('zones-short-of-taxis', { heading: [['161', '10']] }), []);
  assert.deepEqual(
    await view('zones-short-of-taxis', { zones: [counted('161', 9, '2026-11-24T15:00:00Z')] }),
    [],
  );
});

const start = '2026-11-24T10:00:00Z';
/** The first poll of all. */
const firstSeen = (taxi: string, to: string | null): TaxiChange => ({
  at: start,
  taxi,
  change: 'insert',
  from: null,
  to,
});

test('boardings per taxi sent: both are counted from the first poll on, which sends none', async () => {
  const rows = await view('success-rate-per-zone', {
    taxiChanges: [
      firstSeen('1', '161'),
      firstSeen('2', '4'),
      { at: '2026-11-24T11:00:00Z', taxi: '1', from: '161', to: '4' },
      { at: '2026-11-24T12:00:00Z', taxi: '1', from: '4', to: '161' },
      { at: '2026-11-24T12:00:00Z', taxi: '2', from: '4', to: 'Midtown Center' },
      { at: '2026-11-24T13:00:00Z', taxi: '2', from: 'Midtown Center', to: null },
      { at: '2026-11-24T14:00:00Z', taxi: '1', change: 'delete', from: '161', to: null },
    ],
    zones: [
      counted('4', 100, '2026-11-24T09:00:00Z'),
      counted('161', 1, '2026-11-24T12:30:00Z'),
      counted('237', 3, '2026-11-24T12:30:00Z'),
    ],
  });
  assert.deepEqual(
    rows.map((row) => [row.zone_id, row.zone, row.taxis_sent, row.boardings, row.success_rate]),
    [
      ['161', 'Midtown Center', 2, 1, 50],
      ['4', 'Alphabet City', 1, 0, 0],
      ['237', 'Upper East Side South', 0, 3, null],
    ],
  );
});

test('a wait begins when a taxi loses its zone and ends when it has one; both may be written as nothing', async () => {
  const rows = await view('assignment-times-per-hour', {
    taxiChanges: [
      firstSeen('1', '161'),
      firstSeen('2', null), // waits from the first poll on, as far as anybody knows
      firstSeen('3', '4'),
      { at: '2026-11-24T12:00:00Z', taxi: '1', from: '161', to: null },
      { at: '2026-11-24T12:01:00Z', taxi: '1', from: null, to: '4' },
      { at: '2026-11-24T12:00:00Z', taxi: '3', from: '4', to: ' ' },
      { at: '2026-11-24T12:03:00Z', taxi: '3', from: ' ', to: '4' },
      { at: '2026-11-24T12:10:00Z', taxi: '3', from: '4', to: '161' }, // sent on, never waited
      { at: '2026-11-24T13:00:00Z', taxi: '2', from: null, to: '161' },
      // Gone and new again: nobody knows what it did.
      { at: '2026-11-24T13:00:00Z', taxi: '1', change: 'delete', from: '4', to: null },
      { at: '2026-11-24T13:30:00Z', taxi: '1', change: 'insert', from: null, to: '4' },
    ],
  });
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      ['2026-11-24T10:00:00.000Z', 0, null, null, null],
      ['2026-11-24T11:00:00.000Z', 0, null, null, null],
      ['2026-11-24T12:00:00.000Z', 2, 120, 168, 180],
      ['2026-11-24T13:00:00.000Z', 1, 10_800, 10_800, 10_800],
      ['2026-11-24T14:00:00.000Z', 0, null, null, null],
      ['2026-11-24T15:00:00.000Z', 0, null, null, null],
    ],
  );
});

test('taxis by name: each next zone and each change, empty for unassigned taxis', async () => {
  const destinations = [
    ['7', '161'],
    ['8', null],
    ['9', ' '],
    ['10', 'Depot 7'],
  ] as const;
  assert.deepEqual(await view('taxi-destinations', { destinations }), [
    { taxi_id: '10', zone_id: 'Depot 7', zone: 'Depot 7' },
    { taxi_id: '7', zone_id: '161', zone: 'Midtown Center' },
    { taxi_id: '8', zone_id: null, zone: null },
    { taxi_id: '9', zone_id: null, zone: null },
  ]);
  const changes = await view('taxi-destination-changes', {
    taxiChanges: [
      { at: '2026-11-17T15:00:00Z', taxi: '7', from: '4', to: '161' }, // more than seven days ago
      { at: '2026-11-24T12:00:00Z', taxi: '7', from: '161', to: null },
      { at: '2026-11-24T12:01:00Z', taxi: '7', from: '', to: 'alphabet city' },
    ],
  });
  assert.deepEqual(
    changes.map((row) => [row.timestamp, row.taxi_id, row.change, row.from_zone, row.to_zone]),
    [
      ['2026-11-24T12:00:00.000Z', '7', 'update', 'Midtown Center', null],
      ['2026-11-24T12:01:00.000Z', '7', 'update', null, 'Alphabet City'],
    ],
  );
});

test('on a new service the views about taxis and zones have no row, and invent none', async () => {
  await fleet.load({ now, zone });
  for (const name of [
    'zones-short-of-taxis',
    'success-rate-per-zone',
    'assignment-times-per-hour',
    'taxi-destinations',
    'taxi-destination-changes',
  ]) {
    assert.deepEqual(await fleet.view(name), [], name);
  }
});
