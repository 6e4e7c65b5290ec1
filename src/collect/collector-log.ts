import { encodeRows } from '../csv/encode.js';
import type { Reading, Source } from '../sources/source.js';
import {
  type CollectorColumn,
  type CollectorDatasetOptions,
  collectorColumn,
  collectorRows,
} from './collector-dataset.js';

/** The published name of the log. */
export const COLLECTOR_LOG = 'collector-log';

/** Milliseconds between two entries. */
export const COLLECTOR_LOG_INTERVAL = 60_000;

/** Beside the dataset's name, what changes over time; the rest of the dataset `collector` follows from it, or is text. */
export const COLLECTOR_LOG_COLUMNS: readonly CollectorColumn[] = [
  'state',
  'rows',
  'age_seconds',
  'poll_seconds',
  'failures',
  'response_ms_p50',
  'response_ms_p99',
];

const FREE = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/**
 * The dataset `collector` as a source of its own: recorded as a log, it has a row per polled dataset and minute, so that
 * Grafana draws the age of the data, the polls and the answers over time. Its rows are about the other sources only.
 */
export function createCollectorLogSource(options: CollectorDatasetOptions): Source {
  const names = ['dataset', ...COLLECTOR_LOG_COLUMNS] as const;
  const columns = names.map(collectorColumn);
  const rows = collectorRows(options, names);
  return {
    title: 'this service',
    async read(): Promise<Reading> {
      const sorted = [...rows()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      return { rows: encodeRows(columns, sorted), keys: ['dataset'], cost: FREE };
    },
    async close() {},
  };
}
