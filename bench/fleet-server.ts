/**
 * The fleet as AWS reports it, in a separate process: DescribeTable and Scan of its four tables, and the API server
 * in EC2 and CloudWatch. Not dynalite: the benchmark measures the service, which should not wait for a database.
 */
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.js';
import { projectRoot } from '../src/base/project.js';
import { ApiServer } from '../src/demo/api-server.js';
import { startAwsStandIn } from '../src/demo/aws-stand-in.js';
import { City } from '../src/demo/city.js';
import { Fleet } from '../src/demo/fleet.js';
import { IncidentPlan } from '../src/demo/incidents.js';
import { FLEET_TABLES, type FleetTable, type Item } from '../src/demo/tables.js';
import { readManhattan } from '../src/demo/zones.js';
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  startScriptedDynamoDb,
} from '../test/support/scripted-dynamodb.js';
import { serveRequests } from './harness.js';

export interface FleetRequest {
  /** Milliseconds that the fleet advances per Scan of a table; null: real time. */
  readonly step: number | null;
  readonly timeZone: string;
}

/** Its endpoints, as the SDK's environment variables. */
export type FleetEndpoints = Readonly<Record<`AWS_ENDPOINT_URL_${string}`, string>>;

const SEED = 1;

serveRequests<FleetRequest, FleetEndpoints>(async ({ step, timeZone }) => {
  const now = systemClock.now();
  const zones = readManhattan(join(projectRoot, 'config', 'lookups', 'zones.csv'));
  const city = new City({ zones, timeZone, seed: SEED });
  const fleet = new Fleet(city, now);
  const scans = new Map<string, number>();
  const timeOf = (table: string) => {
    const count = (scans.get(table) ?? -1) + 1;
    scans.set(table, count);
    return step === null ? systemClock.now() : now + count * step;
  };
  const dynamoDb = await startScriptedDynamoDb(({ action, body }: ScriptedRequest): ScriptedAnswer => {
    const table = body.TableName as FleetTable;
    if (action === 'DescribeTable') return described(table);
    fleet.advanceTo(timeOf(table));
    const items = fleet.items(table);
    const consumed = { TableName: table, CapacityUnits: Math.ceil(items.length / 200) };
    return { ok: { Items: items.map(marshalled), Count: items.length, ConsumedCapacity: consumed } };
  });
  const world = new ApiServer(city, new IncidentPlan(SEED, now, null));
  const { endpoint } = await startAwsStandIn({ world, clock: systemClock });
  return {
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_EC2: endpoint,
    AWS_ENDPOINT_URL_CLOUDWATCH: endpoint,
  };
});

function described(table: FleetTable): ScriptedAnswer {
  const { key, keyType } = FLEET_TABLES[table];
  return {
    ok: {
      Table: {
        TableName: table,
        TableStatus: 'ACTIVE',
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: key, AttributeType: keyType }],
        ItemCount: 0,
        TableSizeBytes: 0,
        BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      },
    },
  };
}

function marshalled(item: Item): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value === null ? { NULL: true } : typeof value === 'number' ? { N: String(value) } : { S: value },
    ]),
  );
}
