import type { DashboardSpec } from '../src/dashboards/dashboard.js';
import { colours, thresholds, units } from '../src/dashboards/look.js';
import { seriesByName } from '../src/dashboards/panels/series.js';
import { stat } from '../src/dashboards/panels/stat.js';
import { table } from '../src/dashboards/panels/table.js';
import { everyInterval, pickedTime } from '../src/dashboards/reading.js';
import { freshness } from '../src/dashboards/words.js';
import { timeZone } from './fleet.js';
import { read } from './reading.js';
import { noneText } from './words.js';

/** Numbers of the panels that alerts link to. */
export const panelIds = { age: 1, datasets: 10 } as const;

const milliseconds = 'ms';

/** Columns eight wide, so that titles can be read on a laptop with Grafana's menu open. */
const now = [
  stat({
    id: panelIds.age,
    at: [0, 0, 8, 3],
    title: 'Data',
    description:
      'State and age of the dataset that is furthest behind: late from one and a half polling intervals, stale from three. Stale data raises an alert. Dataset `collector`.',
    reading: read('collector', ['state', 'age_seconds'], { sort: '-age_intervals', limit: '1' }),
    show: [{ column: 'state' }, { column: 'age_seconds' }],
    unit: units.seconds,
    decimals: 0,
    colour: colours.past,
    mappings: freshness,
    loud: true,
  }),
  stat({
    id: 2,
    at: [8, 0, 8, 3],
    title: 'Failed polls',
    description: 'Polls of all sources that failed since the service started. Dataset `collector`.',
    reading: read('collector', ['failures']),
    show: [{ column: 'failures' }],
    of: 'sum',
    unit: units.count,
    colour: thresholds([null, colours.quiet], [1, colours.look]),
    loud: true,
    mappings: [noneText],
  }),
  stat({
    id: 3,
    at: [16, 0, 8, 3],
    title: 'Slowest poll',
    description: 'How long the last poll of the slowest source took. Dataset `collector`.',
    reading: read('collector', ['poll_seconds']),
    show: [{ column: 'poll_seconds' }],
    of: 'max',
    unit: units.seconds,
    colour: colours.main,
  }),
  stat({
    id: 4,
    at: [0, 3, 8, 3],
    title: 'Read units per day',
    description: 'DynamoDB read capacity that a day of polls consumes at this rate. Dataset `collector`.',
    reading: read('collector', ['read_units_per_day']),
    show: [{ column: 'read_units_per_day' }],
    of: 'sum',
    unit: units.count,
    decimals: 0,
    colour: colours.main,
  }),
  stat({
    id: 5,
    at: [8, 3, 8, 3],
    title: 'Price per month',
    description:
      'Estimate of what AWS charges for reading at this rate: DynamoDB on demand and CloudWatch metrics. Dataset `collector`.',
    reading: read('collector', ['usd_per_month']),
    show: [{ column: 'usd_per_month' }],
    of: 'sum',
    unit: units.dollars,
    decimals: 2,
    colour: colours.main,
  }),
  stat({
    id: 6,
    at: [16, 3, 8, 3],
    title: 'Slowest answer (p99)',
    description:
      'The highest 99th percentile of the response times of any dataset, over the last five to ten minutes. Dataset `collector`.',
    noData: 'No request yet',
    reading: read('collector', ['response_ms_p99']),
    show: [{ column: 'response_ms_p99' }],
    of: 'max',
    unit: milliseconds,
    colour: colours.main,
  }),
];

const datasets = [
  table({
    id: panelIds.datasets,
    at: [0, 0, 24, 13],
    title: 'Datasets',
    description:
      'Each dataset that is polled: late from one and a half polling intervals, stale from three. Dataset `collector`.',
    reading: read('collector', ['dataset', 'kind', 'state', 'age_seconds', 'rows', 'last_error']),
    columns: [
      { column: 'dataset', title: 'Dataset', width: 260, wrap: true },
      { column: 'kind', title: 'Kind', width: 90 },
      { column: 'state', title: 'State', width: 80, mappings: freshness },
      { column: 'age_seconds', title: 'Age', unit: units.seconds, decimals: 0, width: 80 },
      { column: 'rows', title: 'Rows', unit: units.count, width: 90 },
      { column: 'last_error', title: 'Last error', wrap: true },
    ],
  }),
  table({
    id: 14,
    at: [0, 13, 24, 8],
    title: 'Polls and price',
    description:
      'Each source with its polling interval, its last poll, the 95th percentile of the latest 200, failures since the start, what a day of polls reads and a month costs at this rate, and what was spent since the first of the month (UTC). Dataset `collector`.',
    reading: read(
      'collector',
      [
        'dataset',
        'interval_seconds',
        'poll_seconds',
        'poll_seconds_p95',
        'failures',
        'read_units_per_day',
        'usd_per_month',
        'usd_this_month',
      ],
      // A log or changes has none of its own: its table is polled.
      { failures__isnull: 'false' },
    ),
    columns: [
      { column: 'dataset', title: 'Source', width: 150, wrap: true },
      { column: 'interval_seconds', title: 'Interval', unit: units.seconds, minWidth: 80 },
      { column: 'poll_seconds', title: 'Last poll', unit: units.seconds, minWidth: 92 },
      { column: 'poll_seconds_p95', title: 'Poll, p95', unit: units.seconds, minWidth: 92 },
      { column: 'failures', title: 'Failures', unit: units.count, minWidth: 80 },
      {
        column: 'read_units_per_day',
        title: 'Units per day',
        unit: units.count,
        decimals: 0,
        minWidth: 103,
      },
      {
        column: 'usd_per_month',
        title: 'Per month',
        unit: units.dollars,
        decimals: 2,
        minWidth: 92,
      },
      {
        column: 'usd_this_month',
        title: 'This month',
        unit: units.dollars,
        decimals: 2,
        minWidth: 92,
      },
    ],
  }),
];

/** One row a minute; a step of the picked time has the last one in it. */
const overPickedTime = { ...pickedTime, ...everyInterval };
const polledOnly = { ...overPickedTime, poll_seconds__isnull: 'false' };
const answeredOnly = { ...overPickedTime, response_ms_p99__isnull: 'false' };

const overTime = [
  seriesByName({
    id: 11,
    at: [0, 0, 24, 9],
    title: 'Age of the data',
    description:
      'Seconds since each dataset was last read, every minute. A line that rises is a source that cannot be read; a gap is a service that was not running. Dataset `collector-log`.',
    reading: read('collector-log', ['timestamp', 'dataset', 'age_seconds'], overPickedTime),
    nameColumn: 'dataset',
    valueColumn: 'age_seconds',
    colour: 'many',
    unit: units.seconds,
    min: 0,
    interval: '1m',
  }),
  seriesByName({
    id: 12,
    at: [0, 9, 12, 9],
    title: 'Poll duration',
    description: 'How long the last poll of each source took, every minute. Dataset `collector-log`.',
    reading: read('collector-log', ['timestamp', 'dataset', 'poll_seconds'], polledOnly),
    nameColumn: 'dataset',
    valueColumn: 'poll_seconds',
    colour: 'many',
    unit: units.seconds,
    min: 0,
    interval: '1m',
  }),
  seriesByName({
    id: 13,
    at: [12, 9, 12, 9],
    title: 'Response time (p99)',
    description:
      'The 99th percentile of the response times of each dataset that was asked for, over five to ten minutes. Dataset `collector-log`.',
    noData: 'No request yet',
    reading: read('collector-log', ['timestamp', 'dataset', 'response_ms_p99'], answeredOnly),
    nameColumn: 'dataset',
    valueColumn: 'response_ms_p99',
    colour: 'many',
    unit: milliseconds,
    min: 0,
    interval: '1m',
  }),
];

export const collector: DashboardSpec = {
  uid: 'collector',
  title: 'Collector',
  description:
    'The service itself: how fresh each dataset is, what polling it takes and costs, how fast it answers.',
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  timeZone,
  sections: [
    { title: 'Now', panels: now },
    { title: 'Over time', panels: overTime },
    { title: 'Datasets', panels: datasets },
  ],
};
