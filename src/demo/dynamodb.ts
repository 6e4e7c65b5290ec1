import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../base/clock.js';
import { startDynalite } from './dynalite.js';
import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceNotFoundException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from './sdk.js';
import { type StreamingDynamoDb, startStreams } from './streams/server.js';
import {
  FLEET_TABLE_NAMES,
  FLEET_TABLES,
  type FleetTable,
  ORDERS_TABLE,
  ORDERS_TIME_TO_LIVE,
} from './tables.js';

/** A DynamoDB that the demo can write to. */
export type LocalDynamoDb = StreamingDynamoDb;

/**
 * A DynamoDB in this process and in memory, on a free port of the loopback interface, with streams and times to live:
 * dynalite behind `startStreams`.
 */
export async function startDynamoDb(clock: Clock = systemClock): Promise<LocalDynamoDb> {
  const tables = await startDynalite();
  const streams = await startStreams(tables.endpoint, { clock });
  return {
    ...streams,
    close: async () => {
      await streams.close();
      await tables.close();
    },
  };
}

/** Creates the fleet's missing tables. Returns the names of those that existed. */
export async function createTables(client: DynamoDBClient): Promise<FleetTable[]> {
  const existed: FleetTable[] = [];
  for (const table of FLEET_TABLE_NAMES) {
    if (await exists(client, table)) existed.push(table);
    else await createTable(client, table, FLEET_TABLES[table]);
  }
  return existed;
}

async function createTable(
  client: DynamoDBClient,
  table: string,
  { key, keyType }: { readonly key: string; readonly keyType: 'N' | 'S' },
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: [{ AttributeName: key, AttributeType: keyType }],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 1 }, { TableName: table });
}

async function exists(client: DynamoDBClient, table: string): Promise<boolean> {
  try {
    await client.send(new DescribeTableCommand({ TableName: table }));
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

/** Creates the table of orders if it is missing. */
export async function createOrdersTable(client: DynamoDBClient): Promise<void> {
  if (!(await exists(client, ORDERS_TABLE)))
    await createTable(client, ORDERS_TABLE, { key: 'order_id', keyType: 'S' });
}

/** Gives the table of orders a stream and a time to live. */
export async function enableOrdersStream(client: DynamoDBClient): Promise<void> {
  const TableName = ORDERS_TABLE;
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  await client.send(new UpdateTableCommand({ TableName, StreamSpecification }));
  const TimeToLiveSpecification = { AttributeName: ORDERS_TIME_TO_LIVE, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}
