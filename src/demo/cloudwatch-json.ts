import { type Answer, type AwsFailure, type Call, page, unknownAction } from './aws-world.js';

/*
 * CloudWatch's GetMetricData in the JSON 1.0 protocol, which is what this project's SDK client speaks: times are seconds
 * since the epoch, a metric without data is a result with empty lists.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */

interface GetMetricDataInput {
  readonly MetricDataQueries: readonly {
    readonly Id: string;
    readonly MetricStat: {
      readonly Metric: {
        readonly MetricName: string;
        readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
      };
      /** Seconds. */
      readonly Period: number;
      readonly Stat: string;
    };
  }[];
  readonly StartTime: number;
  readonly EndTime: number;
  readonly ScanBy?: 'TimestampDescending' | 'TimestampAscending';
  readonly NextToken?: string;
}

/** `body`: the JSON document. */
export function answerCloudWatch(body: string, call: Call, failure: AwsFailure | null): Answer {
  const refused = failure ?? (call.action === 'cloudwatch:GetMetricData' ? null : unknownAction(call));
  const answer =
    refused === null
      ? getMetricData(JSON.parse(body) as GetMetricDataInput, call)
      : { __type: `com.amazonaws.cloudwatch#${refused.code}`, message: refused.message };
  return {
    status: refused?.status ?? 200,
    contentType: 'application/x-amz-json-1.0',
    body: JSON.stringify(answer),
  };
}

/** One page of at most `pageSize` metrics. */
function getMetricData(input: GetMetricDataInput, { world, now, pageSize }: Call) {
  const { items, next } = page(input.MetricDataQueries, input.NextToken, pageSize);
  const range = { from: input.StartTime * 1_000, to: input.EndTime * 1_000, now };
  const direction = input.ScanBy === 'TimestampAscending' ? 1 : -1;
  const results = items.map(({ Id, MetricStat: { Metric, Period, Stat } }) => {
    const instanceId = Metric.Dimensions.find(({ Name }) => Name === 'InstanceId')?.Value ?? '';
    const metric = { instanceId, name: Metric.MetricName, stat: Stat, period: Period * 1_000 };
    const points = [...world.datapoints(metric, range)].sort(
      (a, b) => direction * (a.timestamp - b.timestamp),
    );
    return {
      Id,
      Label: Metric.MetricName,
      Timestamps: points.map(({ timestamp }) => timestamp / 1_000),
      Values: points.map(({ value }) => value),
      StatusCode: 'Complete',
    };
  });
  return { MetricDataResults: results, Messages: [], ...(next === null ? {} : { NextToken: next }) };
}
