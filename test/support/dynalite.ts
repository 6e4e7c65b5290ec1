import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  type ScalarAttributeType,
  type StreamViewType,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { startDynalite } from '../../src/demo/dynalite.js';
import { startDynamoDb } from '../../src/demo/dynamodb.js';
import { useTestAws } from './aws.js';
import { startDynoxide } from './dynoxide.js';
import { startMoto } from './moto.js';

/** A DynamoDB to write to and to read from: dynalite in this process, the demo's stand-in, moto's server or dynoxide. */
export interface TestDynamoDb {
  readonly endpoint: string;
  readonly emulator: Emulator;
  /** `keys`: partition first, name to type. The table's name is one that no other test uses. */
  createTable(
    keys: KeyTypes,
    name?: string,
    indexes?: readonly TestIndex[],
    stream?: StreamViewType,
  ): Promise<string>;
  readonly client: DynamoDBClient;
  put(table: string, items: readonly Record<string, AttributeValue>[]): Promise<void>;
  deleteTable(table: string): Promise<void>;
  close(): Promise<void>;
}

/** `stand-in`: dynalite with the demo's own streams in front of it. */
export type Emulator = 'dynalite' | 'stand-in' | 'moto' | 'dynoxide';

/** The one that `DYNAMODB_EMULATOR` selects; dynalite by default. */
export const chosenEmulator = (process.env.DYNAMODB_EMULATOR ?? 'dynalite') as Emulator;

/** Partition key first, name to type. */
type KeyTypes = Readonly<Record<string, ScalarAttributeType>>;

export interface TestIndex {
  readonly name: string;
  readonly keys: KeyTypes;
  /** By default a global one. */
  readonly isLocal?: boolean;
  /** The attributes that it has besides keys; by default all. */
  readonly projected?: readonly string[];
}

/** DynamoDB takes at most 25 items in a batch. */
const BATCH = 25;
let tables = 0;

export async function startTestDynamoDb(emulator: Emulator = 'dynalite'): Promise<TestDynamoDb> {
  useTestAws();
  const server = await SERVERS[emulator]();
  const client = new DynamoDBClient({ endpoint: server.endpoint });
  return {
    endpoint: server.endpoint,
    emulator,
    client,
    createTable: (keys, name, indexes, stream) =>
      createTable(client, keys, name ?? `table-${process.pid}-${++tables}`, indexes, stream),
    put: (table, items) => put(client, table, items),
    deleteTable: async (table) => {
      await client.send(new DeleteTableCommand({ TableName: table }));
      await waitUntilTableNotExists({ client, maxWaitTime: 10, minDelay: 0.02 }, { TableName: table });
    },
    close: async () => {
      client.destroy();
      await server.close();
    },
  };
}

const SERVERS = {
  dynalite: startDynalite,
  'stand-in': () => startDynamoDb(),
  moto: startMoto,
  dynoxide: startDynoxide,
};

async function createTable(
  client: DynamoDBClient,
  keys: KeyTypes,
  name: string,
  indexes: readonly TestIndex[] = [],
  stream?: StreamViewType,
): Promise<string> {
  const types = Object.assign({}, keys, ...indexes.map((index) => index.keys)) as KeyTypes;
  const global = indexes.filter(({ isLocal }) => isLocal !== true);
  const local = indexes.filter(({ isLocal }) => isLocal === true);
  await client.send(
    new CreateTableCommand({
      TableName: name,
      KeySchema: keySchema(keys),
      AttributeDefinitions: Object.entries(types).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      BillingMode: 'PAY_PER_REQUEST',
      ...(stream === undefined
        ? {}
        : { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
      ...(global.length === 0 ? {} : { GlobalSecondaryIndexes: global.map(indexInput) }),
      ...(local.length === 0 ? {} : { LocalSecondaryIndexes: local.map(indexInput) }),
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.02 }, { TableName: name });
  return name;
}

function keySchema(keys: KeyTypes): KeySchemaElement[] {
  return Object.keys(keys).map((AttributeName, index) => ({
    AttributeName,
    KeyType: index === 0 ? 'HASH' : 'RANGE',
  }));
}

function indexInput({ name, keys, projected }: TestIndex) {
  return {
    IndexName: name,
    KeySchema: keySchema(keys),
    Projection:
      projected === undefined
        ? { ProjectionType: 'ALL' as const }
        : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...projected] },
  };
}

async function put(
  client: DynamoDBClient,
  table: string,
  items: readonly Record<string, AttributeValue>[],
): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    const batch = items.slice(start, start + BATCH).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: batch } }));
  }
}
