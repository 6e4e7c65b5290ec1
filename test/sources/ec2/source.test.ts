import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { DynamoCsvError } from '../../../src/base/errors.js';
import { encodeHeader } from '../../../src/csv/encode.js';
import { type StandIn, type StandInOptions, startAwsStandIn } from '../../../src/demo/aws-stand-in.js';
import type { StandInInstance } from '../../../src/demo/aws-world.js';
import { useLocalAws } from '../../../src/demo/local-aws.js';
import { createInstancesSource, type InstancesSourceOptions } from '../../../src/sources/ec2/source.js';
import type { Reading, Source } from '../../../src/sources/source.js';
import { HANGING, reported, SHORT_DEADLINES, startHangingServer } from '../../support/hanging-server.js';
import { instance, MINUTE, NOON, TestClock, TestWorld } from './world.js';

const ID = 'i-0123456789abcdef0';
const OTHER = 'i-0fedcba9876543210';
const never = new AbortController().signal;

describe('the API server’s source', () => {
  const environment = { ...process.env };
  let clock: TestClock;
  let standIn: StandIn;
  let source: Source | undefined;

  beforeEach(() => {
    clock = new TestClock();
  });
  afterEach(async () => {
    await source?.close();
    await standIn.close();
    process.env = { ...environment };
  });

  const open = async (
    world: TestWorld,
    selection: Partial<InstancesSourceOptions>,
    options: Partial<StandInOptions> = {},
  ): Promise<Source> => {
    standIn = await startAwsStandIn({ world, clock, ...options });
    useLocalAws({
      AWS_ENDPOINT_URL_EC2: standIn.endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
    });
    process.env.AWS_MAX_ATTEMPTS = '1';
    source = createInstancesSource({ ids: [], tags: {}, regions: [], clock, ...selection });
    return source;
  };
  it('tells state, checks and the latest measurement of a running instance', async () => {
    const world = new TestWorld({ 'us-east-1': [instance(ID)] })
      .measure(ID, 'CPUUtilization', 3, 91.5)
      .measure(ID, 'CPUUtilization', 2, 12.25)
      .measure(ID, 'NetworkIn', 2, 120_000)
      .measure(ID, 'NetworkOut', 2, 90);
    const reading = await read(await open(world, { ids: [ID] }));
    assert.deepEqual(rows(reading), [
      {
        instance_id: ID,
        name: `server ${ID}`,
        state: 'running',
        running: '1',
        status_checks: 'ok',
        cpu_utilization: '12.25',
        network_in: '2000',
        network_out: '1.5',
        measured_at: '2026-02-03T11:58:00.000Z',
      },
    ]);
    assert.equal(reading.problem, null);
    assert.deepEqual(reading.keys, ['instance_id']);
  });

  it('leaves out what was terminated while another instance of the same tags runs, and not what is named by its id', async () => {
    const states = async (ids: readonly string[], state: StandInInstance['state']) => {
      const servers = [instance(ID, { state: 'terminated' }), instance(OTHER, { state })];
      const selection = { ids, tags: { Role: ['dispatch'] } };
      const found = rows(await read(await open(new TestWorld({ 'us-east-1': servers }), selection)));
      await source?.close();
      await standIn.close();
      return found.map(({ instance_id, state }) => [instance_id, state]);
    };
    assert.deepEqual(await states([], 'pending'), [[OTHER, 'pending']]);
    assert.deepEqual(await states([ID], 'running'), [
      [ID, 'terminated'],
      [OTHER, 'running'],
    ]);
    assert.deepEqual(await states([], 'stopped'), [
      [ID, 'terminated'],
      [OTHER, 'stopped'],
    ]);
  });

  it('keeps what was terminated when what runs was named by its id and has other tags', async () => {
    const servers = [
      instance(ID, { state: 'terminated' }),
      instance(OTHER, { tags: { Name: 'bastion', Role: 'bastion' } }),
    ];
    const selection = { ids: [OTHER], tags: { Role: ['dispatch'] } };
    const found = rows(await read(await open(new TestWorld({ 'us-east-1': servers }), selection)));
    assert.deepEqual(
      found.map(({ instance_id, state }) => [instance_id, state]),
      [
        [ID, 'terminated'],
        [OTHER, 'running'],
      ],
    );
  });

  it('counts its calls: one each for all instances, and each metric that CloudWatch bills', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => `i-${String(n).padStart(17, '0')}`);
    const reading = await read(
      await open(new TestWorld({ 'us-east-1': ids.map((id) => instance(id)) }), { ids }),
    );
    assert.deepEqual(standIn.calls, [
      'us-east-1 ec2:DescribeInstances',
      'us-east-1 ec2:DescribeInstanceStatus',
      'us-east-1 cloudwatch:GetMetricData',
    ]);
    const { requests, attempts, bytes, metricsRequested, readCapacityUnits } = reading.cost;
    assert.deepEqual(
      { requests, attempts, metricsRequested, readCapacityUnits },
      {
        requests: 3,
        attempts: 3,
        metricsRequested: 90,
        readCapacityUnits: 0,
      },
    );
    assert.ok(bytes > 10_000, `${bytes} bytes`);
  });

  it('reads all pages', async () => {
    const ids = Array.from({ length: 205 }, (_, n) => `i-${String(n).padStart(17, '0')}`);
    const world = new TestWorld({ 'us-east-1': ids.map((id) => instance(id)) });
    for (const [n, id] of ids.entries())
      world.measure(id, 'CPUUtilization', 2, n).measure(id, 'NetworkOut', 2, 60);
    const reading = await read(await open(world, { tags: { Role: ['dispatch'] } }, { pageSize: 40 }));
    assert.deepEqual(
      rows(reading).map((row) => [row.instance_id, row.cpu_utilization, row.network_in, row.network_out]),
      ids.map((id, n) => [id, String(n), '', '1']),
    );
    assert.equal(reading.cost.metricsRequested, 615);
  });

  it('asks for the period of the instance’s monitoring', async () => {
    const world = new TestWorld({ 'us-east-1': [instance(ID), instance(OTHER, { monitoring: 'disabled' })] })
      .measure(OTHER, 'NetworkIn', 10, 3_000)
      .measure(ID, 'NetworkIn', 2, 3_000);
    const found = rows(await read(await open(world, { ids: [ID, OTHER] })));
    assert.deepEqual(
      found.map((row) => [row.instance_id, row.network_in]),
      [
        [ID, '50'],
        [OTHER, '10'],
      ],
    );
    assert.ok(world.asked.includes(`${ID} CPUUtilization Average 60s`));
    assert.ok(world.asked.includes(`${OTHER} NetworkOut Sum 300s`));
  });

  it('takes no value that is older than three periods, and none of a period that still runs', async () => {
    const world = new TestWorld({ 'us-east-1': [instance(ID), instance(OTHER, { monitoring: 'disabled' })] })
      .measure(ID, 'CPUUtilization', 4, 40)
      .measure(OTHER, 'CPUUtilization', 20, 20)
      .measure(OTHER, 'CPUUtilization', 4, 4);
    const opened = await open(world, { ids: [ID, OTHER] });
    const cpu = async (now: number) => {
      clock.time = now;
      return rows(await read(opened)).map((row) => row.cpu_utilization);
    };
    assert.deepEqual(await cpu(NOON), ['40', '20']);
    assert.deepEqual(await cpu(NOON + 1_000), ['', '']);
    assert.deepEqual(await cpu(NOON + MINUTE), ['', '4']);
  });

  it('never shows a gap as zero, nor zero as a gap', async () => {
    const world = new TestWorld({ 'us-east-1': [instance(ID)] })
      .measure(ID, 'NetworkIn', 2, 0)
      .measure(ID, 'CPUUtilization', 3, 0);
    const [row] = rows(await read(await open(world, { ids: [ID] })));
    assert.deepEqual(
      [row?.cpu_utilization, row?.network_in, row?.network_out, row?.measured_at],
      ['0', '0', '', '2026-02-03T11:58:00.000Z'],
    );
  });

  it('has no metrics of an instance that does not run, and asks for none', async () => {
    const states = ['pending', 'stopping', 'stopped', 'shutting-down', 'terminated'];
    const ids = states.map((_, n) => `i-0000000${n}`);
    const world = new TestWorld({
      'us-east-1': ids.map((id, n) => instance(id, { state: states[n]!, checks: null })),
    });
    for (const id of ids) world.measure(id, 'CPUUtilization', 2, 50);
    const reading = await read(await open(world, { ids }));
    for (const [n, row] of rows(reading).entries()) {
      assert.deepEqual(
        [row.state, row.running, row.status_checks, row.cpu_utilization, row.measured_at],
        [states[n], '0', '', '', ''],
      );
    }
    assert.equal(reading.cost.metricsRequested, 0);
    assert.ok(!standIn.calls.some((call) => call.includes('GetMetricData')));
  });

  it('shows the worst status check', async () => {
    const checks = [
      { system: 'ok', instance: 'impaired', expected: 'impaired' },
      { system: 'insufficient-data', instance: 'ok', expected: 'insufficient-data' },
      { system: 'initializing', instance: 'initializing', expected: 'initializing' },
    ];
    const world = new TestWorld({
      'us-east-1': checks.map(({ system, instance: own }, n) =>
        instance(`i-0000000${n}`, { checks: { system, instance: own } }),
      ),
    });
    const found = rows(await read(await open(world, { tags: { Name: ['server *'] } })));
    assert.deepEqual(
      found.map((row) => row.status_checks),
      checks.map(({ expected }) => expected),
    );
  });

  it('shows an id that does not exist as missing, beside those that do', async () => {
    const world = new TestWorld({ 'us-east-1': [instance(ID)] });
    const found = rows(await read(await open(world, { ids: [OTHER, ID] })));
    assert.deepEqual(
      found.map((row) => [row.instance_id, row.state, row.running]),
      [
        [ID, 'running', '1'],
        [OTHER, 'missing', '0'],
      ],
    );
  });

  it('finds instances by tags, all of them, of each any value, beside those of the ids', async () => {
    const tagged = (id: string, tags: Record<string, string>) => instance(id, { tags });
    const world = new TestWorld({
      'us-east-1': [
        tagged('i-00000001', { Role: 'dispatch', Stage: 'production' }),
        tagged('i-00000002', { Role: 'dispatch', Stage: 'staging' }),
        tagged('i-00000003', { Role: 'dispatch', Stage: 'test' }),
        tagged('i-00000004', { Role: 'billing', Stage: 'production' }),
        tagged('i-00000005', {}),
      ],
    });
    const tags = { Role: ['disp*'], Stage: ['production', 'staging'] };
    const found = rows(await read(await open(world, { tags, ids: ['i-00000005', 'i-00000001'] })));
    assert.deepEqual(
      found.map((row) => row.instance_id),
      ['i-00000001', 'i-00000002', 'i-00000005'],
    );
  });

  it('has its header although nothing is found', async () => {
    const reading = await read(await open(new TestWorld({}), { tags: { Role: ['nobody'] } }));
    assert.deepEqual(rows(reading), []);
    assert.equal(
      encodeHeader(reading.rows.columns).toString(),
      'instance_id,name,state,running,status_checks,cpu_utilization,network_in,network_out,measured_at\n',
    );
  });

  it('looks in several regions', async () => {
    const world = new TestWorld({ 'eu-west-1': [instance(OTHER)], 'us-east-1': [instance(ID)] });
    const found = rows(
      await read(await open(world, { ids: [ID, OTHER], regions: ['eu-west-1', 'us-east-1'] })),
    );
    assert.deepEqual(
      found.map((row) => row.state),
      ['running', 'running'],
    );
  });

  it('keeps the other regions fresh while one cannot be read, and says which and why', async () => {
    let refused = false;
    const world = new TestWorld({ 'eu-west-1': [instance(OTHER)], 'us-east-1': [instance(ID)] });
    world.measure(ID, 'CPUUtilization', 2, 7).measure(OTHER, 'CPUUtilization', 2, 8);
    const opened = await open(
      world,
      { tags: { Role: ['dispatch'] }, ids: ['i-00000009'], regions: ['us-east-1', 'eu-west-1'] },
      {
        failure: (action, region) =>
          refused && region === 'eu-west-1' && action === 'cloudwatch:GetMetricData'
            ? { status: 403, code: 'AccessDeniedException', message: 'User is not authorized' }
            : null,
      },
    );
    const states = (reading: Reading) =>
      rows(reading).map((row) => [row.instance_id, row.state, row.running, row.cpu_utilization]);
    assert.deepEqual(states(await read(opened)), [
      ['i-00000009', 'missing', '0', ''],
      [ID, 'running', '1', '7'],
      [OTHER, 'running', '1', '8'],
    ]);
    refused = true;
    const reading = await read(opened);
    assert.deepEqual(states(reading), [
      ['i-00000009', 'unknown', '', ''],
      [ID, 'running', '1', '7'],
      [OTHER, 'unknown', '', ''],
    ]);
    assert.equal(reading.problem?.code, 'AWS_ACCESS_DENIED');
    assert.match(
      reading.problem?.line ?? '',
      /^cloudwatch:GetMetricData failed in eu-west-1: AWS does not allow it: User is not authorized; add cloudwatch:GetMetricData/,
    );
    refused = false;
    assert.equal((await read(opened)).problem, null);
  });

  it('fails, and leaves no trace, when no region can be read', async () => {
    const opened = await open(
      new TestWorld({}),
      { ids: [ID], regions: ['us-east-1', 'eu-west-1'] },
      {
        failure: (_, region) => ({ status: 403, code: 'UnauthorizedOperation', message: `not in ${region}` }),
      },
    );
    await assert.rejects(read(opened), (error) => {
      assert.ok(error instanceof DynamoCsvError);
      assert.match(
        error.line,
        /ec2:DescribeInstances failed in us-east-1: .* ec2:DescribeInstances failed in eu-west-1/,
      );
      return true;
    });
  });

  it('rejects with the signal’s reason when it is stopped', async () => {
    const opened = await open(new TestWorld({}), { ids: [ID] });
    const reason = new Error('stopping');
    await assert.rejects(opened.read({ known: [], signal: AbortSignal.abort(reason) }), reason);
  });

  for (const [code, expected] of [
    ['AuthFailure', 'CREDENTIALS_REJECTED'],
    ['RequestExpired', 'CREDENTIALS_EXPIRED'],
    ['UnauthorizedOperation', 'AWS_ACCESS_DENIED'],
    ['InternalError', 'INSTANCES_NOT_READ'],
  ] as const) {
    it(`tells EC2’s ${code} as ${expected}`, async () => {
      const failure = () => ({ status: 400, code, message: 'EC2’s own words' });
      await assert.rejects(read(await open(new TestWorld({}), { ids: [ID] }, { failure })), {
        code: expected,
      });
    });
  }
});

describe('deadlines', () => {
  const environment = { ...process.env };
  for (const [how, words] of HANGING) {
    it(`report ${how} as an error, and the next reading starts afresh`, async (t) => {
      const server = await startHangingServer(how);
      t.after(async () => {
        await server.close();
        process.env = { ...environment };
      });
      useLocalAws({ AWS_ENDPOINT_URL_EC2: server.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: server.endpoint });
      const source = createInstancesSource({
        ids: [ID],
        tags: {},
        regions: [],
        clock: new TestClock(),
        deadlines: SHORT_DEADLINES,
      });
      t.after(() => source.close());
      // One during which the machine stood still may have asked nothing.
      for (let poll = 1; poll <= 2 || server.requests() < 2; poll++) {
        assert.ok(poll <= 10, 'readings ask');
        const error = (await reported(words, () => read(source))) as Error & { readonly code?: string };
        assert.equal(error.code, 'AWS_UNREACHABLE');
        assert.match(error.message, words);
      }
    });
  }
});

const read = (from: Source) => from.read({ known: [], signal: never });

function rows(reading: Reading): Record<string, string>[] {
  return parse(Buffer.concat([encodeHeader(reading.rows.columns), reading.rows.body]), { columns: true });
}
