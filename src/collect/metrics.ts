import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The metrics of polls in `/metrics`: outcomes and cost. All names begin with `dynamo_csv_`. */
export interface PollMetrics {
  readonly registry: Registry;
  /** Finished polls, by `dataset` (the source's first one) and `outcome`: `success`, `failure`, `skipped` (late). */
  readonly polls: Counter<'dataset' | 'outcome'>;
  /** Seconds that polls took, successful or not. */
  readonly pollDuration: Histogram<'dataset'>;
  /** Rows that the latest successful poll found. */
  readonly items: Gauge<'dataset'>;
  /** Bytes of response bodies read. */
  readonly bytes: Counter<'dataset'>;
  /** API requests sent, retried ones included. */
  readonly attempts: Counter<'dataset'>;
  /** DynamoDB read capacity units consumed. */
  readonly readUnits: Counter<'dataset'>;
  /** GetRecords requests to streams, which are billed. */
  readonly streamReads: Counter<'dataset'>;
  /** By dataset: seconds for which its stream has not been read to its end, now. */
  readonly streamLags: Map<string, () => number>;
  /** Metrics requested from CloudWatch, which bills each one. */
  readonly cloudWatchMetrics: Counter<'dataset'>;
}

/** Seconds. From an empty table to one of many gigabytes. */
const POLL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Registers the metrics of polls; call it once per registry. */
export function createPollMetrics(registry: Registry): PollMetrics {
  const registers = [registry];
  const byDataset = ['dataset'] as const;
  const streamLags = new Map<string, () => number>();
  new Gauge({
    name: 'dynamo_csv_stream_lag_seconds',
    help: 'How far the data is behind the stream of its table: everything older is in it.',
    labelNames: byDataset,
    registers,
    collect() {
      for (const [dataset, lag] of streamLags) this.set({ dataset }, lag());
    },
  });
  return {
    registry,
    polls: new Counter({
      name: 'dynamo_csv_polls_total',
      help: 'Polls that ended, by outcome: success, failure, skipped (it was late).',
      labelNames: ['dataset', 'outcome'],
      registers,
    }),
    pollDuration: new Histogram({
      name: 'dynamo_csv_poll_duration_seconds',
      help: 'How long polls took.',
      labelNames: byDataset,
      buckets: POLL_BUCKETS,
      registers,
    }),
    items: new Gauge({
      name: 'dynamo_csv_items',
      help: 'Rows that the latest successful poll found.',
      labelNames: byDataset,
      registers,
    }),
    bytes: new Counter({
      name: 'dynamo_csv_read_bytes_total',
      help: 'Bytes of response bodies read from the source.',
      labelNames: byDataset,
      registers,
    }),
    attempts: new Counter({
      name: 'dynamo_csv_attempts_total',
      help: 'API requests sent to the source, retried ones included.',
      labelNames: byDataset,
      registers,
    }),
    readUnits: new Counter({
      name: 'dynamo_csv_consumed_read_capacity_units_total',
      help: 'DynamoDB read capacity units consumed.',
      labelNames: byDataset,
      registers,
    }),
    streamLags,
    streamReads: new Counter({
      name: 'dynamo_csv_stream_reads_total',
      help: 'GetRecords requests to DynamoDB Streams, which bills each.',
      labelNames: byDataset,
      registers,
    }),
    cloudWatchMetrics: new Counter({
      name: 'dynamo_csv_cloudwatch_metrics_total',
      help: 'Metrics asked of CloudWatch, which bills each.',
      labelNames: byDataset,
      registers,
    }),
  };
}
