import type { DashboardSpec } from './dashboard.js';
import { limits } from './limits.js';
import { colours, thresholds, units } from './look.js';
import { alertList } from './panels/alert-list.js';
import { bars } from './panels/bars.js';
import { zoneMap } from './panels/map.js';
import { series, seriesByName } from './panels/series.js';
import { stat } from './panels/stat.js';
import { table } from './panels/table.js';
import { everyInterval, pickedTime, read } from './reading.js';
import { freshness, noneText, serverStates } from './words.js';

/** Numbers of the panels that alerts link to. */
export const panelIds = {
  unassigned: 5,
  age: 6,
  state: 8,
  cpu: 11,
  networkIn: 12,
  networkOut: 13,
} as const;

/** The dataset that is most intervals old. */
const worst = { sort: '-age_intervals', limit: '1' };
const overPickedTime = { ...pickedTime, ...everyInterval };
const silence =
  'A flat zero is a dead network and an alert; a gap is a missing measurement. Dataset `api-server-log`.';

/** What the small plots of the API server have in common: three hours, unless a time is picked from the calendar. */
const overTime = (title: string) => ({ title, min: 0, interval: '1m', always: '3h' });

const today = [
  stat({
    id: 1,
    at: [0, 0, 4, 4],
    title: 'Rides today',
    description: 'Passengers picked up since local midnight, over nightly resets. View `rides-today`.',
    reading: read('rides-today', ['pickups']),
    show: [{ column: 'pickups' }],
    unit: units.count,
    colour: colours.main,
  }),
  stat({
    id: 2,
    at: [4, 0, 4, 4],
    title: 'Dispatches today',
    description: 'Taxis sent towards a passenger since local midnight. View `rides-today`.',
    reading: read('rides-today', ['dispatches']),
    show: [{ column: 'dispatches' }],
    unit: units.count,
    colour: colours.second,
  }),
  stat({
    id: 3,
    at: [8, 0, 4, 4],
    title: 'Success rate today',
    description: 'Pickups per dispatch of today. No value before the first dispatch. View `rides-today`.',
    noData: 'No dispatch yet',
    reading: read('rides-today', ['success_rate']),
    show: [{ column: 'success_rate' }],
    unit: units.percent,
    decimals: 1,
    colour: colours.rate,
    link: ['Per day and week', '/d/fleet-week'],
  }),
  stat({
    id: 4,
    at: [12, 0, 4, 4],
    title: 'Taxis assigned',
    description: 'Taxis that know their next zone, of all taxis in the table. View `taxis-now`.',
    reading: read('taxis-now', ['assigned', 'taxis']),
    show: [
      { column: 'assigned', title: 'assigned', colour: colours.main },
      { column: 'taxis', title: 'of', colour: colours.past },
    ],
    unit: units.count,
    colour: colours.main,
  }),
  stat({
    id: panelIds.unassigned,
    at: [16, 0, 4, 4],
    title: 'Unassigned taxis',
    description:
      'Taxis without a next zone. Quiet while there are none; red otherwise, and an alert after a minute. Which ones: below, in "Which taxis are unassigned". View `unassigned-taxis-count`.',
    reading: read('unassigned-taxis-count', ['unassigned']),
    show: [{ column: 'unassigned' }],
    unit: units.count,
    colour: thresholds([null, colours.quiet], [limits.unassignedTaxis, colours.act]),
    loud: true,
    mappings: [noneText],
  }),
  stat({
    id: panelIds.age,
    at: [20, 0, 4, 4],
    title: 'Data',
    description:
      'The dataset that is furthest behind: fresh, late from one and a half intervals, stale from three. Stale is an alert. Dataset `collector`.',
    reading: read('collector', ['state', 'age_seconds'], worst),
    show: [
      { column: 'state', title: 'state' },
      { column: 'age_seconds', title: 'age' },
    ],
    unit: units.seconds,
    decimals: 0,
    colour: colours.past,
    mappings: freshness,
    link: ['Which one', '/d/collector'],
  }),
  series({
    id: 7,
    at: [0, 4, 12, 10],
    title: 'Rides today and a week ago',
    description:
      'Pickups since midnight, beside the same weekday last week, in steps of five minutes. View `rides-course`.',
    reading: read('rides-course', ['timestamp', 'today', 'last_week']),
    lines: [
      { column: 'today', title: 'Today', colour: colours.main, style: 'area' },
      { column: 'last_week', title: 'Same weekday last week', colour: colours.past, style: 'dashed' },
    ],
    unit: units.count,
    min: 0,
    link: ['Per day and week', '/d/fleet-week'],
  }),
];

const apiServer = [
  stat({
    id: panelIds.state,
    at: [12, 4, 4, 4],
    title: 'API server',
    description:
      "EC2's word for the state of the dispatch API server. With several servers: of one that does not run, if there is one. Dataset `api-server`.",
    reading: read('api-server', ['state'], { sort: 'running', limit: '1' }),
    show: [{ column: 'state' }],
    colour: thresholds([null, colours.act]),
    mappings: serverStates,
    loud: true,
  }),
  stat({
    id: 9,
    at: [16, 4, 4, 4],
    title: 'API server CPU',
    description:
      'The last measured CPU utilization; with several servers, the highest. Red where the alert fires. View `api-server-cpu`.',
    noData: 'Not measured',
    reading: read('api-server-cpu', ['cpu_utilization']),
    show: [{ column: 'cpu_utilization' }],
    of: 'max',
    unit: units.percent,
    decimals: 0,
    colour: thresholds([null, colours.good], [limits.cpuHigh, colours.look], [limits.cpuAlert, colours.act]),
  }),
  stat({
    id: 10,
    at: [20, 4, 4, 4],
    title: 'API server network',
    description:
      'The last measured traffic; with several servers, of the one that receives least. Zero is an alert. Dataset `api-server`.',
    noData: 'Not measured',
    reading: read('api-server', ['network_in', 'network_out'], { sort: 'network_in', limit: '1' }),
    show: [
      { column: 'network_in', title: 'in' },
      { column: 'network_out', title: 'out' },
    ],
    unit: units.bytesPerSecond,
    decimals: 1,
    colour: thresholds([null, colours.act], [limits.networkSilent, colours.good]),
  }),
  seriesByName({
    ...overTime('CPU'),
    id: panelIds.cpu,
    at: [12, 8, 4, 6],
    description: `CPU utilization of each API server. The alert fires at ${limits.cpuAlert} %. Dataset \`api-server-log\`.`,
    reading: read('api-server-log', ['timestamp', 'name', 'cpu_utilization'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'cpu_utilization',
    unit: units.percent,
    max: 100,
    limit: thresholds([null, colours.quiet], [limits.cpuAlert, colours.act]),
  }),
  seriesByName({
    ...overTime('Network in'),
    id: panelIds.networkIn,
    at: [16, 8, 4, 6],
    description: `Bytes per second that each API server receives. ${silence}`,
    reading: read('api-server-log', ['timestamp', 'name', 'network_in'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'network_in',
    unit: units.bytesPerSecond,
  }),
  seriesByName({
    ...overTime('Network out'),
    id: panelIds.networkOut,
    at: [20, 8, 4, 6],
    description: `Bytes per second that each API server sends. ${silence}`,
    reading: read('api-server-log', ['timestamp', 'name', 'network_out'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'network_out',
    unit: units.bytesPerSecond,
  }),
];

const zones = [
  zoneMap({
    id: 20,
    at: [0, 0, 5, 13],
    title: 'Boardings today, on the map',
    description:
      'Where passengers boarded since midnight: the larger the circle, the more. Names on hover. View `boardings-per-zone-today`.',
    reading: read('boardings-per-zone-today', ['zone', 'latitude', 'longitude', 'boardings'], {
      borough: 'Manhattan',
    }),
    valueColumn: 'boardings',
    valueTitle: 'Boardings today',
    colour: colours.main,
    unit: units.count,
  }),
  bars({
    id: 21,
    at: [5, 0, 5, 13],
    title: 'Boardings today, top 15 zones',
    description: 'The zones where most passengers boarded since midnight. View `boardings-per-zone-today`.',
    reading: read('boardings-per-zone-today', ['zone', 'boardings'], {
      sort: '-boardings,zone',
      limit: '15',
    }),
    nameColumn: 'zone',
    bars: [{ column: 'boardings', title: 'Boardings', colour: colours.main }],
    unit: units.count,
    direction: 'down',
  }),
  zoneMap({
    id: 22,
    at: [10, 0, 5, 13],
    title: 'Taxis heading to, on the map',
    description:
      'Where empty taxis are heading now: the larger the circle, the more taxis. Names on hover. View `destinations-per-zone`.',
    reading: read('destinations-per-zone', ['zone', 'latitude', 'longitude', 'taxis'], {
      borough: 'Manhattan',
    }),
    valueColumn: 'taxis',
    valueTitle: 'Taxis on their way',
    colour: colours.second,
    unit: units.count,
  }),
  bars({
    id: 23,
    at: [15, 0, 5, 13],
    title: 'Taxis heading to, top 15 zones',
    description: 'The zones that most empty taxis are heading to now. View `destinations-per-zone`.',
    reading: read('destinations-per-zone', ['zone', 'taxis'], { sort: '-taxis,zone', limit: '15' }),
    nameColumn: 'zone',
    bars: [{ column: 'taxis', title: 'Taxis', colour: colours.second }],
    unit: units.count,
    direction: 'down',
  }),
  alertList({
    id: 24,
    at: [20, 0, 4, 7],
    title: 'Alerts',
    description: 'Alerts that fire or are about to. Empty is good.',
  }),
  table({
    id: 25,
    at: [20, 7, 4, 6],
    title: 'Which taxis are unassigned',
    description: 'The taxis without a next zone, by number; at most 100. View `unassigned-taxis`.',
    noData: 'Every taxi has a destination',
    reading: read('unassigned-taxis', ['taxi_id'], { sort: 'taxi_id', limit: '100' }),
    columns: [{ column: 'taxi_id', title: 'Taxi' }],
  }),
];

const oneTaxi = [
  table({
    id: 30,
    at: [0, 0, 6, 6],
    title: 'Where it is going',
    description: 'Next zone of the taxi chosen at the top of the page. Dataset `taxi-destination-dynamodb`.',
    noData: 'There is no such taxi',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable
    reading: read('taxi-destination-dynamodb', ['taxi_id', 'next_zone_id'], { taxi_id: '${taxi}' }),
    columns: [
      { column: 'taxi_id', title: 'Taxi' },
      { column: 'next_zone_id', title: 'Next zone' },
    ],
  }),
  table({
    id: 31,
    at: [6, 0, 18, 6],
    title: 'Where it was sent',
    description:
      'The last 50 changes of that taxi in the picked time: from which zone to which. Dataset `taxi-destination-dynamodb-changes`.',
    noData: 'No change in this time',
    reading: read(
      'taxi-destination-dynamodb-changes',
      ['timestamp', 'change', 'previous_next_zone_id', 'next_zone_id', 'taxi_id'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable
      { ...pickedTime, taxi_id: '${taxi}', sort: '-timestamp', limit: '50' },
    ),
    columns: [
      { column: 'timestamp', title: 'Seen at' },
      { column: 'change', title: 'Change' },
      { column: 'previous_next_zone_id', title: 'From' },
      { column: 'next_zone_id', title: 'To' },
      { column: 'taxi_id', title: 'Taxi' },
    ],
  }),
];

export const fleetNow: DashboardSpec = {
  uid: 'fleet-now',
  title: 'Fleet now',
  description: 'The taxi fleet as it is this minute: rides today, the dispatch API server, and every zone.',
  refresh: '30s',
  time: { from: 'now/d', to: 'now/d' },
  taxiVariable: true,
  sections: [
    { panels: [...today, ...apiServer] },
    { title: 'Zones', panels: zones },
    { title: 'One taxi', panels: oneTaxi, collapsed: true },
  ],
};
