import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { EC2Client, RunInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { systemClock } from '../../../src/base/clock.js';
import { useLocalAws } from '../../../src/demo/local-aws.js';
import { createInstancesSource } from '../../../src/sources/ec2/source.js';
import { type Moto, startMoto, withoutMoto } from '../../support/moto.js';

/** A second opinion on the wire formats: moto's server, written by others in Python. */
describe('the API server’s source against moto', { skip: withoutMoto }, () => {
  const environment = { ...process.env };
  let moto: Moto;

  before(async () => {
    moto = await startMoto();
    useLocalAws({ AWS_ENDPOINT_URL_EC2: moto.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: moto.endpoint });
  });
  after(async () => {
    await moto.close();
    process.env = environment;
  });

  it('reads states, tags and measurements as moto tells them', async () => {
    const now = Date.now();
    const [running, stopped] = await runTwo();
    await measure(running, now - 120_000, { CPUUtilization: 42.5, NetworkIn: 6_000, NetworkOut: 0 });
    const missing = 'i-0123456789abcdef0';
    const source = createInstancesSource({
      ids: [running, missing],
      tags: { Role: ['disp*'] },
      regions: ['us-east-1', 'eu-west-1'],
      clock: { ...systemClock, now: () => now },
    });
    const { rows, cost, problem } = await source.read({ known: [], signal: new AbortController().signal });
    await source.close();
    const start = new Date(now - 120_000 - ((now - 120_000) % 60_000)).toISOString();
    const expected = [
      `${missing},,missing,0,,,,,`,
      `${running},"dispatch, & <api>",running,1,ok,42.5,100,0,${start}`,
      `${stopped},"dispatch, & <api>",stopped,0,,,,,`,
    ];
    assert.deepEqual(rows.body.toString().trimEnd().split('\n').sort(), expected.sort());
    assert.equal(problem, null);
    assert.equal(cost.metricsRequested, 3);
  });
});

/** Two instances with detailed monitoring; the second is stopped. */
async function runTwo(): Promise<readonly [string, string]> {
  const client = new EC2Client({});
  const Tags = [
    { Key: 'Name', Value: 'dispatch, & <api>' },
    { Key: 'Role', Value: 'dispatch' },
  ];
  const { Instances = [] } = await client.send(
    new RunInstancesCommand({
      ImageId: 'ami-12c6146b', // one that moto has
      MinCount: 2,
      MaxCount: 2,
      Monitoring: { Enabled: true },
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    }),
  );
  const [first, second] = Instances.map(({ InstanceId }) => InstanceId ?? '') as [string, string];
  await client.send(new StopInstancesCommand({ InstanceIds: [second] }));
  client.destroy();
  return [first, second];
}

async function measure(id: string, at: number, values: Readonly<Record<string, number>>): Promise<void> {
  const client = new CloudWatchClient({});
  const MetricData = Object.entries(values).map(([MetricName, Value]) => ({
    MetricName,
    Value,
    Timestamp: new Date(at),
    Dimensions: [{ Name: 'InstanceId', Value: id }],
  }));
  await client.send(new PutMetricDataCommand({ Namespace: 'AWS/EC2', MetricData }));
  client.destroy();
}
