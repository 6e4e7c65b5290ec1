import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { RequestHistogram } from './request-histogram.js';

/** The metrics of the HTTP side, as shown by `/metrics`. All names begin with `dynamo_csv_`. */
export interface HttpMetrics {
  readonly registry: Registry;
  /** Seconds since the data was read; set when `/metrics` is requested. */
  readonly age: Gauge<'dataset'>;
  /** Requests for a dataset or a window that the response cache answered (`hit`) or not (`miss`). */
  readonly cache: CacheCount;
  /** Seconds from request to answer, by `method`, `route` (the pattern, such as `/csv/:name`) and `status`. */
  readonly requests: RequestHistogram;
}

/** Plain counters behind the labels `hit` and `miss`: prom-client would hash the labels at every request. */
export interface CacheCount {
  hits: number;
  misses: number;
}

/** Seconds: from a cached response to a window of millions of rows. */
const REQUEST_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Registers the metrics of HTTP and of the process. Call it once per registry. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    age: new Gauge({
      name: 'dynamo_csv_age_seconds',
      help: 'Seconds since the data of the dataset was read.',
      labelNames: ['dataset'],
      registers: [registry],
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
