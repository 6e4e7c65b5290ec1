import type { DashboardSpec } from './dashboard.js';
import { colours, thresholds, units } from './look.js';
import { bars } from './panels/bars.js';
import { stat } from './panels/stat.js';
import { table } from './panels/table.js';
import { read } from './reading.js';
import { freshness, noneText } from './words.js';

/** Numbers of the panels that alerts link to. */
export const panelIds = { age: 1, datasets: 10 } as const;

const milliseconds = 'ms';

const now = [
  stat({
    id: panelIds.age,
    at: [0, 0, 4, 4],
    title: 'Data',
    description:
      'The dataset that is furthest behind: fresh, late from one and a half intervals, stale from three. Stale is an alert. Dataset `collector`.',
    reading: read('collector', ['state', 'age_seconds'], { sort: '-age_intervals', limit: '1' }),
    show: [
      { column: 'state', title: 'state' },
      { column: 'age_seconds', title: 'age' },
    ],
    unit: units.seconds,
    decimals: 0,
    colour: colours.past,
    mappings: freshness,
  }),
  stat({
    id: 2,
    at: [4, 0, 4, 4],
    title: 'Failed polls',
    description: 'Polls that failed since the service started, over all sources. Dataset `collector`.',
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
    at: [8, 0, 4, 4],
    title: 'Slowest poll',
    description: 'How long the slowest source took the last time. Dataset `collector`.',
    reading: read('collector', ['poll_seconds']),
    show: [{ column: 'poll_seconds' }],
    of: 'max',
    unit: units.seconds,
    colour: colours.main,
  }),
  stat({
    id: 4,
    at: [12, 0, 4, 4],
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
    at: [16, 0, 4, 4],
    title: 'Price per month',
    description:
      'What AWS charges for reading at this rate: DynamoDB on demand and CloudWatch metrics, estimated. Dataset `collector`.',
    reading: read('collector', ['usd_per_month']),
    show: [{ column: 'usd_per_month' }],
    of: 'sum',
    unit: units.dollars,
    decimals: 2,
    colour: colours.main,
  }),
  stat({
    id: 6,
    at: [20, 0, 4, 4],
    title: 'Slowest answer (p99)',
    description: 'The dataset whose slowest hundredth of answers is slowest. Dataset `collector`.',
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
    at: [0, 0, 24, 10],
    title: 'Datasets',
    description:
      'One row for each dataset that is polled: fresh, late from one and a half intervals, stale from three. Dataset `collector`.',
    noData: '–',
    reading: read('collector', [
      'dataset',
      'kind',
      'state',
      'age_seconds',
      'rows',
      'poll_seconds',
      'poll_seconds_p95',
      'failures',
      'read_units_per_day',
      'usd_per_month',
      'last_error',
    ]),
    columns: [
      { column: 'dataset', title: 'Dataset' },
      { column: 'kind', title: 'Kind', width: 100 },
      { column: 'state', title: 'State', width: 90, mappings: freshness },
      { column: 'age_seconds', title: 'Age', unit: units.seconds, decimals: 0, width: 90 },
      { column: 'rows', title: 'Rows', unit: units.count, width: 100 },
      { column: 'poll_seconds', title: 'Last poll', unit: units.seconds, width: 100 },
      { column: 'poll_seconds_p95', title: 'Poll, p95', unit: units.seconds, width: 100 },
      { column: 'failures', title: 'Failures', unit: units.count, width: 90 },
      { column: 'read_units_per_day', title: 'Read units/day', unit: units.count, decimals: 0, width: 130 },
      { column: 'usd_per_month', title: 'Price/month', unit: units.dollars, decimals: 2, width: 110 },
      { column: 'last_error', title: 'Last error' },
    ],
  }),
  bars({
    id: 11,
    at: [0, 10, 8, 10],
    title: 'Age of the data',
    description: 'Seconds since each dataset was last read. View `dataset-age`.',
    reading: read('dataset-age', ['dataset', 'age_seconds'], { sort: '-age_seconds' }),
    nameColumn: 'dataset',
    bars: [{ column: 'age_seconds', title: 'Age', colour: colours.main }],
    unit: units.seconds,
    decimals: 0,
    direction: 'down',
  }),
  bars({
    id: 12,
    at: [8, 10, 8, 10],
    title: 'Poll duration',
    description:
      'The last poll of each source, and the 95th percentile of the latest 200. Dataset `collector`.',
    reading: read('collector', ['dataset', 'poll_seconds', 'poll_seconds_p95'], {
      sort: '-poll_seconds_p95',
    }),
    nameColumn: 'dataset',
    bars: [
      { column: 'poll_seconds', title: 'Last', colour: colours.main },
      { column: 'poll_seconds_p95', title: 'p95', colour: colours.past },
    ],
    unit: units.seconds,
    direction: 'down',
  }),
  bars({
    id: 13,
    at: [16, 10, 8, 10],
    title: 'Response time',
    description:
      'Half of the answers are faster than p50, all but a hundredth faster than p99. Dataset `collector`.',
    reading: read('collector', ['dataset', 'response_ms_p50', 'response_ms_p99'], {
      sort: '-response_ms_p99',
    }),
    nameColumn: 'dataset',
    bars: [
      { column: 'response_ms_p50', title: 'p50', colour: colours.main },
      { column: 'response_ms_p99', title: 'p99', colour: colours.past },
    ],
    unit: milliseconds,
    direction: 'down',
  }),
];

export const collector: DashboardSpec = {
  uid: 'collector',
  title: 'Collector',
  description:
    'The service itself: how fresh each dataset is, what polling it takes and costs, how fast it answers.',
  refresh: '30s',
  time: { from: 'now-1h', to: 'now' },
  sections: [{ panels: now }, { title: 'Datasets', panels: datasets }],
};
