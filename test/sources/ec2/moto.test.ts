import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { EC2Client, RunInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { systemClock } from '../../../src/base/clock.js';
import { useLocalAws } from '../../../src/demo/local-aws.js';
import { createInstancesSource } from '../../../src/sources/ec2/source.js';

/*
 * A second opinion on the wire formats: moto's server, written by others in Python.
 *   python3 -m venv .moto && .moto/bin/pip install 'moto[ec2,cloudwatch]' flask flask-cors
 *   PATH=$PWD/.moto/bin:$PATH npm test
 */
const command = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'moto_server'))
  .find((path) => existsSync(path));
const skip =
  command === undefined &&
  'there is no moto_server on the PATH (test/sources/ec2/moto.test.ts says how to get it)';

describe('the API server’s source against moto', { skip }, () => {
  const environment = { ...process.env };
  let moto: ChildProcess;

  before(async () => {
    const started = await startMoto(command!);
    moto = started.process;
    useLocalAws({ AWS_ENDPOINT_URL_EC2: started.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: started.endpoint });
  });
  after(async () => {
    if (moto.exitCode === null) {
      moto.kill();
      await once(moto, 'exit');
    }
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

async function startMoto(command: string): Promise<{ process: ChildProcess; endpoint: string }> {
  const child = spawn(command, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of createInterface(child.stderr)) {
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (endpoint === undefined) continue;
    child.stderr.resume();
    return { process: child, endpoint };
  }
  throw new Error(`${command} ended before it listened`);
}

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
