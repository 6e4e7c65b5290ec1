import type { DashboardSpec } from '../src/dashboards/dashboard.js';
import { colours, units } from '../src/dashboards/look.js';
import { bars } from '../src/dashboards/panels/bars.js';
import { ranking } from '../src/dashboards/panels/ranking.js';
import { series } from '../src/dashboards/panels/series.js';
import { table } from '../src/dashboards/panels/table.js';
import { pickedTime } from '../src/dashboards/reading.js';
import { timeZone } from './fleet.js';
import { read } from './reading.js';

/** The latest days that the views about taxis know. */
const overPickedTime = { ...pickedTime, sort: 'timestamp' };

const hours = [
  bars({
    id: 1,
    at: [0, 0, 12, 9],
    title: 'Boardings per hour',
    description:
      'Passengers picked up in each hour of today, beside the same weekday last week. View `rides-per-hour-today`.',
    reading: read('rides-per-hour-today', ['hour', 'pickups', 'pickups_last_week']),
    nameColumn: 'hour',
    bars: [
      { column: 'pickups', title: 'Today', colour: colours.main },
      { column: 'pickups_last_week', title: 'Last week', colour: colours.past },
    ],
    unit: units.count,
  }),
  bars({
    id: 2,
    at: [12, 0, 12, 9],
    title: 'Dispatches per hour',
    description:
      'Taxis sent to a zone in each hour of today, beside the same weekday last week. View `rides-per-hour-today`.',
    reading: read('rides-per-hour-today', ['hour', 'dispatches', 'dispatches_last_week']),
    nameColumn: 'hour',
    bars: [
      { column: 'dispatches', title: 'Today', colour: colours.second },
      { column: 'dispatches_last_week', title: 'Last week', colour: colours.past },
    ],
    unit: units.count,
  }),
];

const zones = [
  table({
    id: 10,
    at: [0, 0, 12, 12],
    title: 'Zones short of taxis',
    description:
      "Zones with fewer taxis on their way than their share of the last hour's boardings, the largest lack first: passengers who boarded in the last hour, taxis on their way, and how many it would be by share. View `zones-short-of-taxis`.",
    noData: 'No zone is short',
    reading: read('zones-short-of-taxis', [
      'zone',
      'boardings_last_hour',
      'taxis',
      'expected_taxis',
      'short_by',
    ]),
    columns: [
      { column: 'zone', title: 'Zone', minWidth: 120, wrap: true },
      { column: 'boardings_last_hour', title: 'Last hour', unit: units.count, width: 84 },
      { column: 'taxis', title: 'Taxis', unit: units.count, width: 56 },
      { column: 'expected_taxis', title: 'Share', unit: units.count, decimals: 0, width: 56 },
      {
        column: 'short_by',
        title: 'Short by',
        unit: units.count,
        decimals: 0,
        width: 100,
        bar: colours.look,
      },
    ],
  }),
  table({
    id: 11,
    at: [12, 0, 12, 12],
    title: 'Boardings per taxi sent',
    description:
      'Boardings of the last seven days as a percentage of the taxis sent to the zone, the lowest first. Taxis that bring a passenger to the zone count as sent if their destination is in the table: compare zones with each other, not with the success rate of the day. View `success-rate-per-zone`.',
    reading: read('success-rate-per-zone', ['zone', 'taxis_sent', 'boardings', 'success_rate'], {
      sort: 'success_rate,zone',
      success_rate__isnull: 'false',
    }),
    columns: [
      { column: 'zone', title: 'Zone', minWidth: 120, wrap: true },
      { column: 'taxis_sent', title: 'Taxis sent', unit: units.count, width: 90 },
      { column: 'boardings', title: 'Boardings', unit: units.count, width: 90 },
      {
        column: 'success_rate',
        title: 'Rate',
        unit: units.percent,
        decimals: 0,
        minWidth: 90,
        bar: colours.rate,
      },
    ],
  }),
  ranking({
    id: 12,
    at: [0, 12, 12, 12],
    title: 'Boardings today',
    description:
      'Every zone with the passengers who boarded since midnight. View `boardings-per-zone-today`.',
    reading: read('boardings-per-zone-today', ['zone', 'boardings'], { sort: '-boardings,zone' }),
    nameColumn: 'zone',
    nameTitle: 'Zone',
    valueColumn: 'boardings',
    valueTitle: 'Boardings',
    colour: colours.main,
    unit: units.count,
  }),
  ranking({
    id: 13,
    at: [12, 12, 12, 12],
    title: 'Taxis heading to',
    description: 'Every zone with the empty taxis that are heading to it now. View `destinations-per-zone`.',
    reading: read('destinations-per-zone', ['zone', 'taxis'], { sort: '-taxis,zone' }),
    nameColumn: 'zone',
    nameTitle: 'Zone',
    valueColumn: 'taxis',
    valueTitle: 'Taxis',
    colour: colours.second,
    unit: units.count,
  }),
];

const waiting = [
  series({
    id: 20,
    at: [0, 0, 24, 9],
    title: 'Time from unassigned to assigned',
    description:
      'How long taxis were without a next zone before they got one, by the hour in which they got it, as exact as the polling interval; the last seven days at most. Half of them waited no longer than the median, nine of ten no longer than the 90th percentile. View `assignment-times-per-hour`.',
    noData: 'No taxi was unassigned in this time',
    reading: read(
      'assignment-times-per-hour',
      ['timestamp', 'median_seconds', 'p90_seconds'],
      overPickedTime,
    ),
    lines: [
      { column: 'median_seconds', title: 'Median', colour: colours.main },
      { column: 'p90_seconds', title: '90th percentile', colour: colours.past, style: 'dashed' },
    ],
    unit: units.seconds,
    min: 0,
    interval: '1h',
  }),
];

export const fleetToday: DashboardSpec = {
  uid: 'fleet-today',
  title: 'Fleet today',
  description:
    'Today hour by hour beside last week, zones that are short of taxis, and how long taxis wait to be assigned.',
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  timeZone,
  sections: [
    { title: 'Hours', panels: hours },
    { title: 'Zones', panels: zones },
    { title: 'Assignment', panels: waiting },
  ],
};
