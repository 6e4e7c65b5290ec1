import type { Clock } from '../base/clock.js';
import type { Cell, Column, ColumnType } from '../csv/rows.js';
import type { Dataset } from '../datasets/dataset.js';
import { type LostDay, missingDays } from '../datasets/missing-days.js';
import { StatusDataset } from '../datasets/status-dataset.js';
import { pollsPerMonth } from '../sources/billing.js';
import type { OpenedSource } from '../sources/kind.js';
import type { Collector } from './collector.js';

/** Response times of a dataset, in milliseconds. */
export interface ResponseTimes {
  readonly p50: number;
  readonly p99: number;
}

/** A source that is polled, with the price of its reads. */
export interface CollectedSource {
  readonly collector: Collector;
  readonly price: OpenedSource['price'];
}

/** A source that another process polls. */
export interface FollowedSource {
  readonly datasets: readonly Dataset[];
  /** Milliseconds between its polls; null: it is not polled any more, or not known. */
  readonly interval: number | null;
}

export interface CollectorDatasetOptions {
  /** In the order of the catalogue. Iterated each time: sources come and go. */
  readonly sources: Iterable<CollectedSource | FollowedSource>;
  /** US dollars that a source has spent this month, by its first dataset; absent: not counted. */
  readonly spentBy?: (dataset: string) => number;
  /** The archive of the data folder: when the last point was taken, and milliseconds between two. Null: there is none. */
  readonly archive?: () => { readonly archivedAt: number | null; readonly every: number } | null;
  /** Days that the archive has lost or damaged, as far as somebody needed them; absent: none. */
  readonly lostDays?: () => readonly LostDay[];
  /** Null for a dataset that was not requested yet. */
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
  interval_seconds: 'number',
  usd_per_month: 'number',
  usd_this_month: 'number',
  response_ms_p50: 'number',
  response_ms_p99: 'number',
  stream_lag_seconds: 'number',
  archive_age_intervals: 'number',
  missing_days: 'number',
} as const satisfies Readonly<Record<string, ColumnType>>;

export type CollectorColumn = keyof typeof COLUMNS;
type Row = Readonly<Record<CollectorColumn, string | number | null>>;

/**
 * The dataset `collector`: one row per polled dataset, so that Grafana can show the service itself and alert on it. A
 * source's duration and cost are only in the row of its first dataset, so that sums are right.
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

/** Returns a function that computes the current rows, with these columns or all. */
export function collectorRows(
  options: CollectorDatasetOptions,
  columns = Object.keys(COLUMNS) as readonly CollectorColumn[],
): () => readonly (readonly Cell[])[] {
  const startedAt = options.clock.now();
  return () => rowsOf(options, startedAt).map((row) => columns.map((name) => cellOf(row[name])));
}

export const collectorColumn = (name: CollectorColumn): Column => ({ name, type: COLUMNS[name], seen: true });

function rowsOf(options: CollectorDatasetOptions, startedAt: number): Row[] {
  const lost = options.lostDays?.() ?? [];
  const rows = [...options.sources].flatMap((source) =>
    'collector' in source
      ? rowsOfCollected(source, options, startedAt, lost)
      : source.datasets.map((dataset) => rowOfFollowed(dataset, source.interval, options, startedAt, lost)),
  );
  const archive_age_intervals = archiveAge(options, startedAt);
  return rows.map((row) => ({ ...row, archive_age_intervals }));
}

/** In intervals between two points; null: there is no archive. */
function archiveAge({ archive, clock }: CollectorDatasetOptions, startedAt: number): number | null {
  const state = archive?.() ?? null;
  return state === null ? null : (clock.now() - (state.archivedAt ?? startedAt)) / state.every;
}

type RowWithoutArchive = Omit<Row, 'archive_age_intervals'>;

function rowsOfCollected(
  { collector, price }: CollectedSource,
  { spentBy, responseTimes, clock }: CollectorDatasetOptions,
  startedAt: number,
  lost: readonly LostDay[],
): RowWithoutArchive[] {
  const { interval } = collector.pace;
  return collector.recorder.datasets.map((dataset, index) => ({
    ...standing(dataset, interval, startedAt, clock.now()),
    ...(index === 0 ? polling(collector, price) : NOT_ITSELF_POLLED),
    interval_seconds: index === 0 ? interval / 1_000 : null,
    usd_this_month: index === 0 ? (spentBy?.(collector.name) ?? null) : null,
    response_ms_p50: responseTimes(dataset.name)?.p50 ?? null,
    response_ms_p99: responseTimes(dataset.name)?.p99 ?? null,
    stream_lag_seconds: collector.streamLag,
    missing_days: missingDays(dataset, lost).length,
  }));
}

function rowOfFollowed(
  dataset: Dataset,
  interval: number | null,
  { responseTimes, clock }: CollectorDatasetOptions,
  startedAt: number,
  lost: readonly LostDay[],
): RowWithoutArchive {
  return {
    ...standing(dataset, interval, startedAt, clock.now()),
    ...NOT_ITSELF_POLLED,
    interval_seconds: null,
    usd_this_month: null,
    response_ms_p50: responseTimes(dataset.name)?.p50 ?? null,
    response_ms_p99: responseTimes(dataset.name)?.p99 ?? null,
    stream_lag_seconds: null,
    missing_days: missingDays(dataset, lost).length,
  };
}

/**
 * A dataset that was never read has no age; its staleness is counted from the start of the service, so that the alert on
 * data older than three intervals fires for a table that can never be read.
 */
function standing(dataset: Dataset, interval: number | null, startedAt: number, now: number) {
  const { rows, readAt, freshness, lastError } = dataset.status();
  return {
    dataset: dataset.name,
    kind: dataset.kind,
    state: freshness,
    rows,
    age_seconds: readAt === null ? null : (now - readAt) / 1_000,
    age_intervals: interval === null ? null : (now - (readAt ?? startedAt)) / interval,
    last_error: lastError?.message ?? null,
  };
}

function polling({ statistics }: Collector, price: OpenedSource['price']) {
  const { lastDuration, duration95, failures, unitsPerPoll, metricsPerPoll, spacing } = statistics;
  const streamReads = statistics.streamReadsPerPoll ?? 0;
  return {
    poll_seconds: lastDuration === null ? null : lastDuration / 1_000,
    poll_seconds_p95: duration95 === null ? null : duration95 / 1_000,
    failures,
    read_units_per_day: unitsPerPoll === null ? null : unitsPerPoll * (DAY / spacing),
    usd_per_month:
      unitsPerPoll === null || metricsPerPoll === null
        ? null
        : price({ readCapacityUnits: unitsPerPoll, metricsRequested: metricsPerPoll, streamReads }) *
          pollsPerMonth(spacing),
  };
}

/** A log or changes of a source whose polls are counted in the row of another dataset. */
const NOT_ITSELF_POLLED = {
  poll_seconds: null,
  poll_seconds_p95: null,
  failures: null,
  read_units_per_day: null,
  usd_per_month: null,
};

/** Plain decimal notation, rounded: millionths of a second or of a dollar mean nothing. */
function cellOf(value: Row[keyof Row]): Cell {
  return typeof value === 'number' ? String(Number(value.toFixed(6))) : value;
}
