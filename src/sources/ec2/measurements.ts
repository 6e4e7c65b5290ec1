import type { CloudWatchClient, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { instancesNotRead } from './errors.js';
import { chunks, type Instance } from './instances.js';
import type { Meter } from './meter.js';
import { paginateGetMetricData } from './sdk.js';

/** The latest values of one instance; null: CloudWatch has none that is recent enough. */
export interface Measurement {
  /** Percent. */
  readonly cpuUtilization: number | null;
  /** Bytes per second. */
  readonly networkIn: number | null;
  readonly networkOut: number | null;
  /** Start of the latest period of them, milliseconds since the epoch. */
  readonly measuredAt: number | null;
}

export interface CloudWatchCall {
  readonly client: CloudWatchClient;
  readonly region: string | null;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** EC2's own metrics. Bytes come as sums over the period: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html */
const METRICS = [
  { field: 'cpuUtilization', name: 'CPUUtilization', stat: 'Average' },
  { field: 'networkIn', name: 'NetworkIn', stat: 'Sum' },
  { field: 'networkOut', name: 'NetworkOut', stat: 'Sum' },
] as const;

/** CloudWatch publishes minutes late and leaves gaps: a value counts until this many periods after the end of its own. */
const FRESH_PERIODS = 3;

/** Queries in one GetMetricData call: CloudWatch's limit. */
const QUERIES = 500;

/** What CloudWatch bills for one poll of that many running instances. */
export function metricsPerPoll(runningInstances: number): number {
  return runningInstances * METRICS.length;
}

/** One value with its period. */
interface Value {
  readonly timestamp: number;
  readonly value: number;
}

/** The latest measurement of each instance, by id. Rejects with a `DynamoCsvError`. */
export async function readMeasurements(
  call: CloudWatchCall,
  instances: readonly Instance[],
): Promise<Map<string, Measurement>> {
  const measurements = new Map<string, Measurement>();
  for (const some of chunks(instances, Math.floor(QUERIES / METRICS.length))) {
    const latest = await latestValues(call, some);
    for (const [index, { id, period }] of some.entries()) {
      measurements.set(
        id,
        toMeasurement(
          METRICS.map((_, metric) => latest.get(queryId(index, metric)) ?? null),
          period,
        ),
      );
    }
  }
  return measurements;
}

/** By query id. */
async function latestValues(
  call: CloudWatchCall,
  instances: readonly Instance[],
): Promise<Map<string, Value>> {
  const { client, region, meter, signal, now } = call;
  const queries = instances.flatMap(({ id, period }, index) =>
    METRICS.map((metric, n) => query(queryId(index, n), id, metric, period)),
  );
  const periods = new Map(queries.map(({ Id, MetricStat }) => [Id, (MetricStat?.Period ?? 0) * 1_000]));
  const input = {
    MetricDataQueries: queries,
    ...timeRange(instances, now),
    ScanBy: 'TimestampDescending' as const,
  };
  const latest = new Map<string, Value>();
  let metrics = queries.length;
  try {
    for await (const page of paginateGetMetricData({ client }, input, { abortSignal: signal })) {
      meter.answered(page, metrics);
      metrics = 0;
      for (const { Id = '', Timestamps = [], Values = [], StatusCode } of page.MetricDataResults ?? []) {
        if (StatusCode === 'InternalError' || StatusCode === 'Forbidden')
          throw new Error(`${Id}: ${StatusCode}`);
        for (const [n, at] of Timestamps.entries()) {
          const value = { timestamp: at.getTime(), value: Values[n] ?? Number.NaN };
          const isNewer = value.timestamp > (latest.get(Id)?.timestamp ?? 0);
          if (isNewer && isFresh(value.timestamp, periods.get(Id) ?? 0, now)) latest.set(Id, value);
        }
      }
    }
  } catch (error) {
    throw instancesNotRead(region, 'cloudwatch:GetMetricData', error);
  }
  return latest;
}

/** Whether a period is over, and not too long ago: the sum of an unfinished one would be too small. */
function isFresh(start: number, period: number, now: number): boolean {
  const end = start + period;
  return end <= now && now - end <= FRESH_PERIODS * period;
}

/** Whole periods that reach back as far as a value can be fresh. */
function timeRange(instances: readonly Instance[], now: number): { StartTime: Date; EndTime: Date } {
  const longest = Math.max(...instances.map(({ period }) => period));
  const start = now - (FRESH_PERIODS + 1) * longest;
  return { StartTime: new Date(start - (start % longest)), EndTime: new Date(now - (now % 1_000)) };
}

function query(
  Id: string,
  instanceId: string,
  metric: (typeof METRICS)[number],
  period: number,
): MetricDataQuery {
  return {
    Id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/EC2',
        MetricName: metric.name,
        Dimensions: [{ Name: 'InstanceId', Value: instanceId }],
      },
      Period: period / 1_000,
      Stat: metric.stat,
    },
  };
}

/** CloudWatch requires a lower-case letter first. */
function queryId(instance: number, metric: number): string {
  return `i${instance}_${METRICS[metric]?.field}`;
}

function toMeasurement([cpu, received, sent]: readonly (Value | null)[], period: number): Measurement {
  const perSecond = (sum: Value | null | undefined) => (sum ? sum.value / (period / 1_000) : null);
  const times = [cpu, received, sent].flatMap((value) => value?.timestamp ?? []);
  return {
    cpuUtilization: cpu?.value ?? null,
    networkIn: perSecond(received),
    networkOut: perSecond(sent),
    measuredAt: times.length === 0 ? null : Math.max(...times),
  };
}
