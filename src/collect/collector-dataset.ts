import type { Clock } from '../base/clock.js';
import type { Cell, Column, ColumnType } from '../csv/rows.js';
import type { Dataset } from '../datasets/dataset.js';
import { StatusDataset } from '../datasets/status-dataset.js';
import { pollsPerMonth } from '../sources/billing.js';
import type { OpenedSource } from '../sources/kind.js';
import type { Collector } from './collector.js';

/** How long answers for a dataset took, in milliseconds. */
export interface ResponseTimes {
  readonly p50: number;
  readonly p99: number;
}

export interface CollectorDatasetOptions {
  /** In the order of the catalogue, each with what its polls are billed. */
  readonly sources: readonly { readonly collector: Collector; readonly price: OpenedSource['price'] }[];
  /** Null for a dataset that nobody has asked for yet. */
  readonly responseTimes: (dataset: string) => ResponseTimes | null;
  readonly clock: Clock;
}

const DAY = 86_400_000;

const COLUMNS = {
  dataset: 'string',
  kind: 'string',
  state: 'string',
  rows: 'number',
  age_seconds: 'number',
  age_intervals: 'number',
  last_error: 'string',
  poll_seconds: 'number',
  poll_seconds_p95: 'number',
  failures: 'number',
  read_units_per_day: 'number',
  usd_per_month: 'number',
  response_ms_p50: 'number',
  response_ms_p99: 'number',
} as const satisfies Readonly<Record<string, ColumnType>>;

export type CollectorColumn = keyof typeof COLUMNS;
type Row = Readonly<Record<CollectorColumn, string | number | null>>;

/**
 * The dataset `collector`: one row per polled dataset, so that Grafana shows and alerts on the service itself. What a
 * poll took and cost stands once per source, in the row of its first dataset, so that sums are right.
 */
export function createCollectorDataset(options: CollectorDatasetOptions): StatusDataset {
  const rows = collectorRows(options);
  return new StatusDataset({
    name: 'collector',
    description:
      'The service itself: of each polled dataset its age, its last error, how long polls take and what they cost, and how long answers take.',
    clock: options.clock,
    columns: Object.entries(COLUMNS).map(([name, type]) => ({ name, type })),
    keys: ['dataset'],
    rows: () => rows(),
  });
}

/** Returns what gives the rows as they are at that time: these columns, or all of them. */
export function collectorRows(
  options: CollectorDatasetOptions,
  columns = Object.keys(COLUMNS) as readonly CollectorColumn[],
): () => readonly (readonly Cell[])[] {
  const startedAt = options.clock.now();
  return () => rowsOf(options, startedAt).map((row) => columns.map((name) => cellOf(row[name])));
}

export const collectorColumn = (name: CollectorColumn): Column => ({ name, type: COLUMNS[name], seen: true });

function rowsOf({ sources, responseTimes, clock }: CollectorDatasetOptions, startedAt: number): Row[] {
  return sources.flatMap(({ collector, price }) =>
    collector.recorder.datasets.map((dataset, index) => ({
      ...standing(dataset, collector.health.interval, startedAt, clock.now()),
      ...(index === 0 ? polling(collector, price) : NOT_ITSELF_POLLED),
      response_ms_p50: responseTimes(dataset.name)?.p50 ?? null,
      response_ms_p99: responseTimes(dataset.name)?.p99 ?? null,
    })),
  );
}

/**
 * The age of what was never read is not known, but it counts as old as the service is young: the alert on data older
 * than three intervals must fire for a table that can never be read.
 */
function standing(dataset: Dataset, interval: number, startedAt: number, now: number) {
  const { rows, readAt, freshness, lastError } = dataset.status();
  return {
    dataset: dataset.name,
    kind: dataset.kind,
    state: freshness,
    rows,
    age_seconds: readAt === null ? null : (now - readAt) / 1_000,
    age_intervals: (now - (readAt ?? startedAt)) / interval,
    last_error: lastError?.message ?? null,
  };
}

function polling({ statistics }: Collector, price: OpenedSource['price']) {
  const { lastDuration, duration95, failures, unitsPerPoll, metricsPerPoll, spacing } = statistics;
  return {
    poll_seconds: lastDuration === null ? null : lastDuration / 1_000,
    poll_seconds_p95: duration95 === null ? null : duration95 / 1_000,
    failures,
    read_units_per_day: unitsPerPoll === null ? null : unitsPerPoll * (DAY / spacing),
    usd_per_month:
      unitsPerPoll === null || metricsPerPoll === null
        ? null
        : price({ readCapacityUnits: unitsPerPoll, metricsRequested: metricsPerPoll }) *
          pollsPerMonth(spacing),
  };
}

/** A log or changes beside the dataset of the same polls. */
const NOT_ITSELF_POLLED = {
  poll_seconds: null,
  poll_seconds_p95: null,
  failures: null,
  read_units_per_day: null,
  usd_per_month: null,
};

/** Plain decimal notation; a millionth of a second or of a dollar says nothing. */
function cellOf(value: Row[keyof Row]): Cell {
  return typeof value === 'number' ? String(Number(value.toFixed(6))) : value;
}
