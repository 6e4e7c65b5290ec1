import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceNotFoundException,
  waitUntilTableExists,
} from './sdk.js';
import { FLEET_TABLE_NAMES, FLEET_TABLES, type FleetTable } from './tables.js';

/** A DynamoDB that the demo can write to. */
export interface LocalDynamoDb {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** A DynamoDB in this process and in memory, on a free port of the loopback interface. */
export async function startDynamoDb(): Promise<LocalDynamoDb> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

/** Creates the fleet's missing tables. Returns the names of those that existed. */
export async function createTables(client: DynamoDBClient): Promise<FleetTable[]> {
  const existed: FleetTable[] = [];
  for (const table of FLEET_TABLE_NAMES) {
    if (await exists(client, table)) existed.push(table);
    else await createTable(client, table);
  }
  return existed;
}

async function createTable(client: DynamoDBClient, table: FleetTable): Promise<void> {
  const { key, keyType } = FLEET_TABLES[table];
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

async function exists(client: DynamoDBClient, table: FleetTable): Promise<boolean> {
  try {
    await client.send(new DescribeTableCommand({ TableName: table }));
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
