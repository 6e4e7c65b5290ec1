import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Clock } from '../../src/base/clock.js';
import { projectRoot } from '../../src/base/project.js';
import { decodeRow } from '../../src/csv/decode.js';
import { API_SERVER, ApiServer } from '../../src/demo/api-server.js';
import { type StandIn, startAwsStandIn } from '../../src/demo/aws-stand-in.js';
import { City } from '../../src/demo/city.js';
import { INCIDENTS, type Incident, IncidentPlan } from '../../src/demo/incidents.js';
import { useLocalAws } from '../../src/demo/local-aws.js';
import { readManhattan } from '../../src/demo/zones.js';
import { createInstancesSource } from '../../src/sources/ec2/source.js';
import type { Source } from '../../src/sources/source.js';

const START = Date.parse('2026-02-03T17:00:20Z');
const MINUTE = 60_000;
const city = new City({
  zones: readManhattan(join(projectRoot, 'config/lookups/zones.csv')),
  timeZone: 'America/New_York',
  seed: 1,
});

describe('the demo’s incidents', () => {
  const environment = { ...process.env };
  let now = START;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  let plan: IncidentPlan;
  let server: ApiServer;
  let standIn: StandIn;
  let source: Source;

  before(async () => {
    standIn = await startAwsStandIn({
      world: {
        instances: (...request) => server.instances(...request),
        datapoints: (...request) => server.datapoints(...request),
      },
      clock,
    });
    useLocalAws({ AWS_ENDPOINT_URL_EC2: standIn.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint });
    source = createInstancesSource({ ids: [], tags: { Role: ['dispatch-api'] }, regions: [], clock });
  });
  after(async () => {
    await source.close();
    await standIn.close();
    process.env = environment;
  });

  const begin = (wish: Incident | null) => {
    plan = new IncidentPlan(1, START, wish);
    server = new ApiServer(city, plan);
    now = START;
  };
  /** The API server's row as the service reads it. */
  const poll = async () => {
    const { rows } = await source.read({ known: [], signal: new AbortController().signal });
    assert.equal(rows.ends.length, 1);
    return Object.fromEntries(decodeRow(rows.body).map((cell, n) => [rows.columns[n]?.name, cell]));
  };
  /** What a row and the fleet's plan make an alert of. */
  const alerts = (row: Record<string, string | null>): string[] => [
    ...(Number(row.cpu_utilization ?? 0) >= 90 ? ['cpu'] : []),
    ...(row.network_in === '0' && row.network_out === '0' ? ['network'] : []),
    ...(row.running === '0' ? ['down'] : []),
    ...(plan.at(now, 'unassigned') === null ? [] : ['unassigned']),
    ...(row.running === '1' && row.cpu_utilization === null ? ['no measurement'] : []),
  ];

  it('all happen within ten minutes, each for two polls of a minute at least', async () => {
    begin(null);
    const seen: string[] = [];
    for (; now < START + 10 * MINUTE; now += MINUTE) seen.push(...alerts(await poll()));
    for (const incident of INCIDENTS) {
      assert.ok(seen.filter((alert) => alert === incident).length >= 2, `${incident}: ${seen.join()}`);
    }
    assert.ok(seen.includes('no measurement'), 'a server that was just started has not been measured yet');
  });

  for (const incident of INCIDENTS) {
    it(`${incident} is there at the first poll when it is asked for`, async () => {
      begin(incident);
      assert.deepEqual(alerts(await poll()), [incident]);
    });
  }

  it('are over after the opening, and come again one at a time', async () => {
    begin(null);
    const seen: string[] = [];
    for (now = START + 12 * MINUTE; now < START + 4 * 60 * MINUTE; now += MINUTE) {
      const [alert = 'calm', ...others] = alerts(await poll()).filter((alert) => alert !== 'no measurement');
      assert.deepEqual(others, []);
      seen.push(alert);
    }
    const calm = seen.filter((alert) => alert === 'calm').length / seen.length;
    assert.ok(calm > 0.75 && calm < 0.98, `calm ${calm} of the time`);
  });

  it('left their trace in the past, as a poll would have found it', async () => {
    begin(null);
    const states = new Set<string>();
    for (now = START - 3 * 24 * 60 * MINUTE; now < START - 5 * MINUTE; now += 2 * MINUTE) {
      const row = server.row(now);
      for (const alert of alerts(
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
        ),
      ))
        states.add(alert);
    }
    states.delete('no measurement');
    assert.deepEqual([...states].sort(), ['cpu', 'down', 'network']);
    now = START - 60 * MINUTE;
    const row = server.row(now);
    const polled = await poll();
    assert.equal(row.instance_id, API_SERVER.id);
    assert.deepEqual(
      polled,
      Object.fromEntries(
        Object.keys(polled).map((name) => [name, row[name] === null ? null : String(row[name])]),
      ),
    );
  });

  it('keep the server busy with the fleet', () => {
    begin(null);
    const cpu = (time: string) => Number(server.row(Date.parse(time)).cpu_utilization);
    assert.ok(cpu('2026-02-03T23:30:20Z') > 2 * cpu('2026-02-04T09:30:20Z'));
  });
});
