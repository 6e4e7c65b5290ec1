import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { type Clock, systemClock } from '../base/clock.js';
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
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const streams = await startStreams(`http://127.0.0.1:${port}`, { clock });
  return {
    ...streams,
    close: async () => {
      await streams.close();
      await closeServer(server);
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
  options: Partial<CreateTableCommandInput> = {},
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: [{ AttributeName: key, AttributeType: keyType }],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      ...options,
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

/** Creates the table of orders, or finds it, with a stream and a time to live. */
export async function createOrdersTable(client: DynamoDBClient): Promise<void> {
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  const TableName = ORDERS_TABLE;
  if (await exists(client, TableName))
    await client.send(new UpdateTableCommand({ TableName, StreamSpecification }));
  else await createTable(client, TableName, { key: 'order_id', keyType: 'S' }, { StreamSpecification });
  const TimeToLiveSpecification = { AttributeName: ORDERS_TIME_TO_LIVE, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
