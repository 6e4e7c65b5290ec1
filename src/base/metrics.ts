import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { RequestHistogram } from './request-histogram.js';

/** Everything that `/metrics` tells, in one place; the rooms count into it. All names begin with `dynamo_csv_`. */
export interface Metrics {
  readonly registry: Registry;
  /** Polls that ended, by `dataset` (the source's first one) and `outcome`: `success`, `failure`, `skipped` (late). */
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
  /** Metrics asked of CloudWatch, which bills each. */
  readonly cloudWatchMetrics: Counter<'dataset'>;
  /** Seconds since the data was read, set when `/metrics` is asked. */
  readonly age: Gauge<'dataset'>;
  /** Requests for a dataset or a window that the response cache answered (`hit`) or not (`miss`). */
  readonly cache: CacheCount;
  /** Seconds from request to answer, by `method`, `route` (the pattern, such as `/csv/:name`) and `status`. */
  readonly requests: RequestHistogram;
}

/** Counted in plain numbers, told as `hit` and `miss`: prom-client hashes the labels at each count, here at each request. */
export interface CacheCount {
  hits: number;
  misses: number;
}

/** Seconds. From an empty table to one of many gigabytes. */
const POLL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Seconds. From an answer out of the cache to a window of millions of rows. */
const REQUEST_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A set of metrics of its own, with those of the process beside them; one for each service in a process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const byDataset = ['dataset'] as const;
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
    cloudWatchMetrics: new Counter({
      name: 'dynamo_csv_cloudwatch_metrics_total',
      help: 'Metrics asked of CloudWatch, which bills each.',
      labelNames: byDataset,
      registers,
    }),
    age: new Gauge({
      name: 'dynamo_csv_age_seconds',
      help: 'Seconds since the data of the dataset was read.',
      labelNames: byDataset,
      registers,
    }),
    cache: countCache(registry),
    requests: new RequestHistogram({
      name: 'dynamo_csv_http_request_duration_seconds',
      help: 'How long HTTP requests took.',
      buckets: REQUEST_BUCKETS,
      registry,
    }),
  };
}

function countCache(registry: Registry): CacheCount {
  const count: CacheCount = { hits: 0, misses: 0 };
  new Counter({
    name: 'dynamo_csv_response_cache_total',
    help: 'Requests for a dataset or a window that the response cache answered (hit) or not (miss).',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      this.reset();
      this.inc({ result: 'hit' }, count.hits);
      this.inc({ result: 'miss' }, count.misses);
    },
  });
  return count;
}
