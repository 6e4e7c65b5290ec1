import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../src/base/clock.js';
import { projectRoot } from '../../src/base/project.js';
import { City } from '../../src/demo/city.js';
import { createTables, type LocalDynamoDb, startDynamoDb } from '../../src/demo/dynamodb.js';
import { Fleet } from '../../src/demo/fleet.js';
import { IncidentPlan } from '../../src/demo/incidents.js';
import { Simulator } from '../../src/demo/simulator.js';
import { FLEET_TABLE_NAMES, FLEET_TABLES, type FleetTable, type Item } from '../../src/demo/tables.js';
import { readManhattan } from '../../src/demo/zones.js';

const city = new City({
  zones: readManhattan(join(projectRoot, 'config/lookups/zones.csv')),
  timeZone: 'America/New_York',
  seed: 1,
});

describe('the simulator', () => {
  let database: LocalDynamoDb;
  let client: DynamoDBClient;
  let now = Date.parse('2026-02-03T17:00:00Z');
  const plan = new IncidentPlan(1, 0, null);
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };

  before(async () => {
    database = await startDynamoDb();
    client = new DynamoDBClient({
      endpoint: database.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    await createTables(client);
  });
  after(async () => {
    client.destroy();
    await database.close();
  });

  const read = async (table: FleetTable): Promise<Item[]> => {
    const { Items = [] } = await DynamoDBDocumentClient.from(client).send(
      new ScanCommand({ TableName: table }),
    );
    const { key } = FLEET_TABLES[table];
    return (Items as Item[]).sort((a, b) => Number(a[key]! > b[key]!) - Number(a[key]! < b[key]!));
  };
  const assertWritten = async (fleet: Fleet) => {
    for (const table of FLEET_TABLE_NAMES) assert.deepEqual(await read(table), fleet.items(table));
  };
  const rethrow = (error: unknown) => {
    throw error;
  };

  it('finds its tables again', async () => {
    assert.deepEqual(await createTables(client), FLEET_TABLE_NAMES);
  });

  it('writes the fleet, removes what an earlier run left, and then only what changes, over a reset by deletion', async () => {
    const stale = { TableName: 'taxi-destination-dynamodb', Item: { taxi_id: 999_999, next_zone_id: 4 } };
    await DynamoDBDocumentClient.from(client).send(new PutCommand(stale));
    const fleet = new Fleet(city, now);
    const simulator = new Simulator({ fleet, plan, client, clock, onError: rethrow });
    await simulator.fill();
    await assertWritten(fleet);
    for (const [seconds, step] of [1, 5, 60, 3_600, 24 * 3_600, 24 * 3_600].entries()) {
      now += step * 1_000 + seconds;
      await simulator.step();
      await assertWritten(fleet);
    }
  });

  it('writes later what it could not write at once', async () => {
    const fleet = new Fleet(city, now);
    const simulator = new Simulator({ fleet, plan, client, clock, onError: rethrow });
    await simulator.fill();
    let failures = 2;
    client.middlewareStack.add(
      (next) => async (request) => {
        failures -= 1;
        if (failures >= 0) throw new Error('the network is down');
        return next(request);
      },
      { step: 'finalizeRequest', name: 'failing' },
    );
    for (const expected of ['fails', 'fails', 'works']) {
      now += 20_000;
      const outcome = await simulator.step().then(
        () => 'works',
        () => 'fails',
      );
      assert.equal(outcome, expected);
    }
    client.middlewareStack.remove('failing');
    await assertWritten(fleet);
  });

  it('leaves taxis without a destination while the plan of incidents says so', async () => {
    const fleet = new Fleet(city, now);
    const incident = new IncidentPlan(1, now, 'unassigned');
    const simulator = new Simulator({ fleet, plan: incident, client, clock, onError: rethrow });
    const unassigned = async () =>
      (await read('taxi-destination-dynamodb')).filter(({ next_zone_id = null }) => next_zone_id === null);
    await simulator.fill();
    assert.equal((await unassigned()).length, 12);
    const { to } = incident.at(now, 'unassigned')!;
    now = to - 1_000;
    await simulator.step();
    assert.equal((await unassigned()).length, 12);
    now = to;
    await simulator.step();
    assert.deepEqual(await unassigned(), []);
    await assertWritten(fleet);
  });
});
