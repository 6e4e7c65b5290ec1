import { encodeRows } from '../csv/encode.js';
import { THIS_SERVICE } from '../datasets/dataset.js';
import type { Keeping } from '../sources/keeping.js';
import type { Recording } from '../sources/kind.js';
import type { Reading, Source } from '../sources/source.js';
import {
  type CollectorColumn,
  type CollectorDatasetOptions,
  collectorColumn,
  collectorRows,
} from './collector-dataset.js';

/** The dataset's name and what changes over time; the other columns of `collector` follow from these, or are text. */
const COLUMNS: readonly CollectorColumn[] = [
  'state',
  'rows',
  'age_seconds',
  'poll_seconds',
  'failures',
  'interval_seconds',
  'usd_per_month',
  'usd_this_month',
  'response_ms_p50',
  'response_ms_p99',
];

const FREE = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/** How the log of `collector` is kept: like the log of any source. */
export const COLLECTOR_LOG: {
  readonly title: string;
  /** Milliseconds between two entries. */
  readonly interval: number;
  readonly recording: Recording;
  readonly keeping: Keeping;
} = {
  title: THIS_SERVICE,
  interval: 60_000,
  recording: {
    name: 'collector-log',
    log: true,
    changes: false,
    configured: COLUMNS,
    timestampColumn: null,
  },
  keeping: { keep: 7, retention: 90 },
};

/**
 * The dataset `collector` as a source: recorded as a log, with a row per polled dataset and minute, so that Grafana can
 * plot the age of the data, polls and response times. Its rows are about the other sources only.
 */
export function createCollectorLogSource(options: CollectorDatasetOptions): Source {
  const names = ['dataset', ...COLUMNS] as const;
  const columns = names.map(collectorColumn);
  const rows = collectorRows(options, names);
  return {
    title: COLLECTOR_LOG.title,
    async read(): Promise<Reading> {
      const sorted = [...rows()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      return {
        kind: 'full',
        rows: encodeRows(columns, sorted),
        keys: ['dataset'],
        position: null,
        cost: FREE,
      };
    },
    async close() {},
  };
}
