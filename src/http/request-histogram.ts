import type { Metric, MetricValueWithName, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string | number>>;

/** The durations of requests with the same labels. */
export class RequestSeries {
  readonly labels: Labels;
  readonly #bounds: readonly number[];
  /** Requests per bucket, not cumulative; the last bucket: longer than all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a request that took this many seconds. */
  observe(seconds: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += seconds;
  }

  /** The samples for Prometheus, with cumulative buckets. */
  values(name: string): MetricValueWithName<string>[] {
    let count = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, bucket) => {
      count += this.#counts[bucket]!;
      return { metricName: `${name}_bucket`, labels: { le, ...this.labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.labels, value: count },
    ];
  }
}

/**
 * A histogram in prom-client's registry whose series are looked up once. prom-client's own histogram joins and hashes the
 * labels of every value, which costs as much as routing the request.
 */
export class RequestHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #series: RequestSeries[] = [];

  /** `buckets`: upper bounds in seconds, in ascending order. */
  constructor(options: {
    readonly name: string;
    readonly help: string;
    readonly buckets: readonly number[];
    readonly registry: Registry;
  }) {
    this.name = options.name;
    this.help = options.help;
    this.#bounds = options.buckets;
    // The registry only uses `name` and `get()`; its types require prom-client's own classes.
    options.registry.registerMetric(this as unknown as Metric);
  }

  /** Creates a series. Call it once for each set of labels, and keep the result. */
  series(labels: Labels): RequestSeries {
    const series = new RequestSeries(labels, this.#bounds);
    this.#series.push(series);
    return series;
  }

  async get() {
    const { name, help, type } = this;
    const values = this.#series.flatMap((series) => series.values(name));
    return { name, help, type, values, aggregator: 'sum' };
  }
}
