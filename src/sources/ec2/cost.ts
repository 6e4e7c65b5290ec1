/** Per metric that GetMetricData is asked for: USD 0.01 per thousand, https://aws.amazon.com/cloudwatch/pricing/ */
const METRIC = 0.01 / 1_000;

/** Price of so many metrics asked for. */
export function metricPrice(metrics: number): number {
  return metrics * METRIC;
}
