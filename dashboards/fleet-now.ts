import type { DashboardSpec } from '../src/dashboards/dashboard.js';
import { colours, thresholds, times, units } from '../src/dashboards/look.js';
import { alertList } from '../src/dashboards/panels/alert-list.js';
import { ranking } from '../src/dashboards/panels/ranking.js';
import { series, seriesByName } from '../src/dashboards/panels/series.js';
import { stat } from '../src/dashboards/panels/stat.js';
import { table } from '../src/dashboards/panels/table.js';
import { everyInterval, pickedTime } from '../src/dashboards/reading.js';
import { freshness } from '../src/dashboards/words.js';
import { timeZone } from './fleet.js';
import { limits } from './limits.js';
import { zoneMap } from './panels/map.js';
import { read } from './reading.js';
import { taxiVariable } from './variables.js';
import { noneText, serverStates } from './words.js';

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
  'A flat zero is a dead network and raises an alert; a gap is a missing measurement. Dataset `api-server-log`.';

/** What the small plots of the API server have in common: three hours, unless a time is picked from the calendar. */
const overTime = (title: string) => ({ title, min: 0, interval: '1m', always: '3h' });

/**
 * The page fills one wall display of 1920×1080 in kiosk mode: 27 rows of the grid, down to the last heading. Columns are six
 * wide or more, so that titles can be read on a laptop with Grafana's menu open.
 */
const now = [
  stat({
    id: 1,
    at: [0, 0, 6, 3],
    title: 'Rides today',
    description: 'Passengers picked up since local midnight, across nightly resets. View `rides-today`.',
    reading: read('rides-today', ['pickups']),
    show: [{ column: 'pickups' }],
    unit: units.count,
    colour: colours.main,
  }),
  stat({
    id: 2,
    at: [6, 0, 6, 3],
    title: 'Dispatches',
    description: 'Taxis sent to a zone since local midnight. View `rides-today`.',
    reading: read('rides-today', ['dispatches']),
    show: [{ column: 'dispatches' }],
    unit: units.count,
    colour: colours.second,
  }),
  stat({
    id: panelIds.state,
    at: [12, 0, 6, 3],
    title: 'API server',
    description:
      'The state of the dispatch API server as EC2 reports it. With several servers: one that is not running, if there is one. Dataset `api-server`.',
    noData: 'No server',
    reading: read('api-server', ['state'], { sort: 'running', limit: '1' }),
    show: [{ column: 'state' }],
    colour: thresholds([null, colours.act]),
    mappings: serverStates,
    loud: true,
  }),
  stat({
    id: panelIds.age,
    at: [18, 0, 6, 3],
    title: 'Data',
    description:
      'State and age of the dataset that is furthest behind: late from one and a half polling intervals, stale from three. Stale data raises an alert. Which dataset it is: dashboard “Collector”. Dataset `collector`.',
    reading: read('collector', ['state', 'age_seconds'], worst),
    show: [{ column: 'state' }, { column: 'age_seconds' }],
    unit: units.seconds,
    decimals: 0,
    colour: colours.past,
    mappings: freshness,
    loud: true,
  }),
  stat({
    id: 3,
    at: [0, 3, 6, 3],
    title: 'Success rate',
    description: "Pickups as a percentage of today's dispatches. View `rides-today`.",
    noData: 'No dispatch yet',
    reading: read('rides-today', ['success_rate']),
    show: [{ column: 'success_rate' }],
    unit: units.percent,
    decimals: 1,
    colour: colours.rate,
  }),
  stat({
    id: 4,
    at: [6, 3, 6, 3],
    title: 'Taxis assigned',
    description: 'Taxis with a next zone, out of all taxis in the table. View `taxis-now`.',
    reading: read('taxis-now', ['assigned', 'taxis']),
    show: [
      { column: 'assigned', title: 'assigned', colour: colours.main },
      { column: 'taxis', title: 'of', colour: colours.past },
    ],
    unit: units.count,
    colour: colours.main,
  }),
  stat({
    id: 9,
    at: [12, 3, 6, 3],
    title: 'CPU now',
    description:
      'The latest CPU utilization of the API server; with several servers, the highest. Red where the alert fires. View `api-server-cpu`.',
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
    at: [18, 3, 6, 3],
    title: 'Network now',
    description:
      'The latest traffic of the API server; with several servers, of the one that receives least. Zero raises an alert. Dataset `api-server`.',
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
  series({
    id: 7,
    at: [0, 6, 12, 5],
    title: 'Rides today and a week ago',
    description:
      'Pickups since midnight beside the same weekday last week, in steps of five minutes. View `rides-course`.',
    reading: read('rides-course', ['timestamp', 'today', 'last_week']),
    lines: [
      { column: 'today', title: 'Today', colour: colours.main, style: 'area' },
      { column: 'last_week', title: 'Same weekday last week', colour: colours.past, style: 'dashed' },
    ],
    unit: units.count,
    min: 0,
  }),
  seriesByName({
    ...overTime('CPU'),
    id: panelIds.cpu,
    at: [12, 6, 6, 5],
    description: `CPU utilization of each API server. The alert fires at ${limits.cpuAlert} %. Dataset \`api-server-log\`.`,
    reading: read('api-server-log', ['timestamp', 'name', 'cpu_utilization'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'cpu_utilization',
    unit: units.percent,
    max: 100,
    limit: thresholds([null, colours.quiet], [limits.cpuAlert, colours.act]),
  }),
  alertList({
    id: 24,
    at: [18, 6, 6, 5],
    title: 'Alerts',
    description: 'Alerts that are firing or about to. Empty is good.',
  }),
  seriesByName({
    ...overTime('Network in'),
    id: panelIds.networkIn,
    at: [12, 11, 6, 5],
    description: `Bytes per second that each API server receives. ${silence}`,
    reading: read('api-server-log', ['timestamp', 'name', 'network_in'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'network_in',
    unit: units.bytesPerSecond,
  }),
  seriesByName({
    ...overTime('Network out'),
    id: panelIds.networkOut,
    at: [18, 11, 6, 5],
    description: `Bytes per second that each API server sends. ${silence}`,
    reading: read('api-server-log', ['timestamp', 'name', 'network_out'], overPickedTime),
    nameColumn: 'name',
    valueColumn: 'network_out',
    unit: units.bytesPerSecond,
  }),
  stat({
    id: panelIds.unassigned,
    at: [0, 11, 6, 5],
    title: 'Unassigned',
    description:
      'Taxis without a next zone. Quiet while there are none; red otherwise, with an alert after a minute. Their numbers are in the panel beside this one. View `unassigned-taxis-count`.',
    reading: read('unassigned-taxis-count', ['unassigned']),
    show: [{ column: 'unassigned' }],
    unit: units.count,
    colour: thresholds([null, colours.quiet], [limits.unassignedTaxis, colours.act]),
    loud: true,
    mappings: [noneText],
  }),
  table({
    id: 25,
    at: [6, 11, 6, 5],
    headings: false,
    title: 'Which taxis',
    description: 'The numbers of the taxis without a next zone, 100 at most. View `unassigned-taxis`.',
    noData: 'Every taxi has a destination',
    reading: read('unassigned-taxis', ['taxi_id'], { sort: 'taxi_id', limit: '100' }),
    columns: [{ column: 'taxi_id', title: 'Unassigned taxi' }],
  }),
];

/** As many zones as the panel has room for. */
const TOP = 6;

const zones = [
  zoneMap({
    id: 20,
    at: [0, 0, 5, 9],
    title: 'Boardings',
    description:
      'Where passengers boarded since midnight: the larger the circle, the more. Hover for the name. View `boardings-per-zone-today`.',
    reading: read('boardings-per-zone-today', ['zone', 'latitude', 'longitude', 'boardings'], {
      borough: 'Manhattan',
    }),
    valueColumn: 'boardings',
    valueTitle: 'Boardings today',
    colour: colours.main,
    unit: units.count,
  }),
  ranking({
    id: 21,
    at: [5, 0, 7, 9],
    title: 'Most boardings today',
    description: `The ${TOP} zones where most passengers boarded since midnight. View \`boardings-per-zone-today\`.`,
    reading: read('boardings-per-zone-today', ['zone', 'boardings'], {
      sort: '-boardings,zone',
      limit: String(TOP),
    }),
    nameColumn: 'zone',
    nameTitle: 'Zone',
    valueColumn: 'boardings',
    valueTitle: 'Boardings',
    colour: colours.main,
    unit: units.count,
  }),
  zoneMap({
    id: 22,
    at: [12, 0, 5, 9],
    title: 'Heading to',
    description:
      'Where empty taxis are heading now: the larger the circle, the more taxis. Hover for the name. View `destinations-per-zone`.',
    reading: read('destinations-per-zone', ['zone', 'latitude', 'longitude', 'taxis'], {
      borough: 'Manhattan',
    }),
    valueColumn: 'taxis',
    valueTitle: 'Taxis on their way',
    colour: colours.second,
    unit: units.count,
  }),
  ranking({
    id: 23,
    at: [17, 0, 7, 9],
    title: 'Most taxis heading to',
    description: `The ${TOP} zones that most empty taxis are heading to now. View \`destinations-per-zone\`.`,
    reading: read('destinations-per-zone', ['zone', 'taxis'], { sort: '-taxis,zone', limit: String(TOP) }),
    nameColumn: 'zone',
    nameTitle: 'Zone',
    valueColumn: 'taxis',
    valueTitle: 'Taxis',
    colour: colours.second,
    unit: units.count,
  }),
];

const oneTaxi = [
  table({
    id: 30,
    at: [0, 0, 8, 12],
    title: 'Where it is going',
    description: 'The next zone of the taxi chosen at the top of the page. View `taxi-destinations`.',
    noData: 'There is no such taxi',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable
    reading: read('taxi-destinations', ['taxi_id', 'zone'], { taxi_id: '${taxi}' }),
    columns: [
      { column: 'taxi_id', title: 'Taxi', width: 70 },
      { column: 'zone', title: 'Next zone', wrap: true },
    ],
  }),
  table({
    id: 31,
    at: [8, 0, 16, 12],
    title: 'Where it was sent',
    description:
      'The last 50 changes of that taxi in the picked time, within the last seven days: from which zone to which. View `taxi-destination-changes`.',
    noData: 'No change in this time',
    reading: read(
      'taxi-destination-changes',
      ['timestamp', 'from_zone', 'to_zone'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable
      { ...pickedTime, taxi_id: '${taxi}', sort: '-timestamp', limit: '50' },
    ),
    columns: [
      { column: 'timestamp', title: 'Seen at', unit: times.moment, width: 170 },
      { column: 'from_zone', title: 'From', wrap: true },
      { column: 'to_zone', title: 'To', wrap: true },
    ],
  }),
];

export const fleetNow: DashboardSpec = {
  uid: 'fleet-now',
  title: 'Fleet now',
  description: 'The taxi fleet as it is this minute: rides today, the dispatch API server, and every zone.',
  refresh: '30s',
  time: { from: 'now/d', to: 'now/d' },
  timeZone,
  variables: [taxiVariable],
  sections: [
    { panels: now },
    { title: 'Zones', panels: zones },
    { title: 'One taxi', panels: oneTaxi, collapsed: true },
  ],
};
