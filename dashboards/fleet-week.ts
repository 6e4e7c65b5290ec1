import type { DashboardSpec } from '../src/dashboards/dashboard.js';
import { colours, thresholds, times, units } from '../src/dashboards/look.js';
import { bars } from '../src/dashboards/panels/bars.js';
import { heatTable } from '../src/dashboards/panels/heat-table.js';
import { series, seriesByName } from '../src/dashboards/panels/series.js';
import { stat } from '../src/dashboards/panels/stat.js';
import { table } from '../src/dashboards/panels/table.js';
import { pickedTime } from '../src/dashboards/reading.js';
import { timeZone } from './fleet.js';
import { read } from './reading.js';
import { zoneVariable } from './variables.js';

/** The row of the week that is running. */
const thisWeek = { sort: '-timestamp', limit: '1' };
/** The weeks of a quarter, oldest first. */
const quarter = { last: '13w', sort: 'timestamp' };

const week = [
  stat({
    id: 1,
    at: [0, 0, 6, 4],
    title: 'Success rate',
    description: "Mean of this week's daily success rates, since Monday. View `success-rate-per-week`.",
    noData: 'No dispatch yet',
    reading: read('success-rate-per-week', ['average_success_rate'], thisWeek),
    show: [{ column: 'average_success_rate' }],
    unit: units.percent,
    decimals: 1,
    colour: colours.rate,
  }),
  stat({
    id: 2,
    at: [6, 0, 6, 4],
    title: 'Change',
    description:
      'By how many percentage points the average success rate is above or below the week before. View `success-rate-per-week`.',
    noData: 'No week before',
    reading: read('success-rate-per-week', ['change'], thisWeek),
    show: [{ column: 'change' }],
    unit: 'suffix:points',
    decimals: 1,
    colour: thresholds([null, colours.look], [0, colours.good]),
  }),
  stat({
    id: 3,
    at: [12, 0, 6, 4],
    title: 'Rides',
    description: 'Pickups since Monday. View `success-rate-per-week`.',
    reading: read('success-rate-per-week', ['pickups'], thisWeek),
    show: [{ column: 'pickups' }],
    unit: units.count,
    colour: colours.main,
  }),
  stat({
    id: 4,
    at: [18, 0, 6, 4],
    title: 'Dispatches',
    description: 'Taxis sent to a zone since Monday. View `success-rate-per-week`.',
    reading: read('success-rate-per-week', ['dispatches'], thisWeek),
    show: [{ column: 'dispatches' }],
    unit: units.count,
    colour: colours.second,
  }),
];

const days = [
  series({
    id: 10,
    at: [0, 0, 24, 9],
    title: 'Rides and success rate per day',
    description:
      'Pickups as bars, their share of the dispatches as a line on the right-hand axis; the last day is still running. View `rides-per-day`.',
    reading: read('rides-per-day', ['timestamp', 'pickups', 'success_rate'], {
      ...pickedTime,
      sort: 'timestamp',
    }),
    lines: [
      { column: 'pickups', title: 'Rides', colour: colours.main, style: 'bars' },
      { column: 'success_rate', title: 'Success rate', colour: colours.rate, rightUnit: units.percent },
    ],
    unit: units.count,
    min: 0,
    interval: '1d',
  }),
];

const zoneColumns = [
  { column: 'timestamp', title: 'Day', unit: times.day, width: 100 },
  { column: 'rank', title: 'Rank', width: 60 },
  { column: 'zone', title: 'Zone', minWidth: 120, wrap: true },
] as const;
const latestFirst = { ...pickedTime, sort: '-timestamp,rank', limit: '70' };

/** Names in the data, with headings that leave room for seven of them. */
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'].map(
  (name) => [name, name.slice(0, 3)] as const,
);

const patterns = [
  heatTable({
    id: 11,
    at: [0, 0, 12, 26],
    title: 'Rides by hour and weekday',
    description:
      'Mean pickups in each hour of each weekday over the last four weeks, local time: the stronger the colour, the more. The running hour counts as far as it has come. View `rides-per-hour`.',
    reading: read('rides-per-hour', ['hour', 'weekday', 'pickups'], { last: '4w', sort: 'hour' }),
    down: 'hour',
    across: ['weekday', weekdays],
    valueColumn: 'pickups',
    unit: units.count,
    decimals: 0,
  }),
  table({
    id: 20,
    at: [12, 0, 12, 13],
    title: 'Zones with the most boardings',
    description:
      'The five busiest zones of each day, latest day first; two weeks at most. View `busiest-zones-per-day`.',
    reading: read('busiest-zones-per-day', ['timestamp', 'rank', 'zone', 'boardings'], latestFirst),
    columns: [
      ...zoneColumns,
      { column: 'boardings', title: 'Boardings', bar: colours.main, unit: units.count, minWidth: 90 },
    ],
  }),
  table({
    id: 21,
    at: [12, 13, 12, 13],
    title: 'Zones with the fewest boardings',
    description:
      'The five quietest zones of each day, latest day first; two weeks at most. A zone seen before counts with 0. View `quietest-zones-per-day`.',
    reading: read('quietest-zones-per-day', ['timestamp', 'rank', 'zone', 'boardings'], latestFirst),
    columns: [
      ...zoneColumns,
      { column: 'boardings', title: 'Boardings', bar: colours.past, unit: units.count, minWidth: 90 },
    ],
  }),
];

const zones = [
  seriesByName({
    id: 22,
    at: [0, 0, 24, 9],
    title: 'Boardings per day in chosen zones',
    description: 'The zones chosen at the top of the page. View `boardings-per-zone-per-day`.',
    noData: 'No zone is chosen',
    reading: read('boardings-per-zone-per-day', ['timestamp', 'zone', 'boardings'], {
      ...pickedTime,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable
      zone__in: '${zone:csv}',
      sort: 'timestamp,zone',
    }),
    nameColumn: 'zone',
    valueColumn: 'boardings',
    colour: 'many',
    unit: units.count,
    min: 0,
    interval: '1d',
  }),
];

const weeks = [
  bars({
    id: 30,
    at: [0, 0, 12, 9],
    title: 'Average success rate per week',
    description:
      "Mean of the days' success rates, by ISO week, over a quarter at most. View `success-rate-per-week`.",
    reading: read('success-rate-per-week', ['week', 'average_success_rate'], quarter),
    nameColumn: 'week',
    bars: [{ column: 'average_success_rate', title: 'Average success rate', colour: colours.rate }],
    unit: units.percent,
    decimals: 1,
    max: 100,
  }),
  bars({
    id: 31,
    at: [12, 0, 12, 9],
    title: 'Rides and dispatches per week',
    description:
      'By ISO week, over a quarter at most; the last week is still running. View `success-rate-per-week`.',
    reading: read('success-rate-per-week', ['week', 'dispatches', 'pickups'], quarter),
    nameColumn: 'week',
    bars: [
      { column: 'dispatches', title: 'Dispatches', colour: colours.second },
      { column: 'pickups', title: 'Rides', colour: colours.main },
    ],
    unit: units.count,
  }),
];

export const fleetWeek: DashboardSpec = {
  uid: 'fleet-week',
  title: 'Fleet week',
  description: 'Days and weeks of the taxi fleet: rides, success rates, and the busiest and quietest zones.',
  refresh: '5m',
  time: { from: 'now-27d/d', to: 'now' },
  timeZone,
  variables: [zoneVariable],
  sections: [
    { title: 'This week', panels: week },
    { title: 'Days', panels: days },
    { title: 'Weeks', panels: weeks },
    { title: 'Hours and zones', panels: patterns },
    { title: 'Chosen zones', panels: zones },
  ],
};
