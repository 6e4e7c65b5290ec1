import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { Closing } from '../base/closing.js';
import { describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { projectRoot } from '../base/project.js';
import type { Config } from '../config/config.js';
import { configuredSources } from '../sources/index.js';
import { ApiServer } from './api-server.js';
import { startAwsStandIn } from './aws-stand-in.js';
import { City } from './city.js';
import { createOrdersTable, createTables, startDynamoDb } from './dynamodb.js';
import { Fleet } from './fleet.js';
import { type Incident, IncidentPlan } from './incidents.js';
import { useLocalAws } from './local-aws.js';
import { OrderDesk } from './order-desk.js';
import { Orders } from './orders.js';
import { type PastPoll, pastPolls } from './past.js';
import { isWithoutPast, type PastTable, recordPast } from './record-past.js';
import { DynamoDBClient } from './sdk.js';
import { Simulator } from './simulator.js';
import { startStreams } from './streams/server.js';
import { ORDERS_TABLE } from './tables.js';
import { everySecond } from './ticks.js';
import { readManhattan } from './zones.js';

/** The city is the same on every machine and in every run, so yesterday's folder continues today. */
const SEED = 1;

export interface WorldOptions {
  /** The configuration that the service will use. */
  readonly config: Config;
  /** The incident to start with; null: none. */
  readonly wish: Incident | null;
  /** An existing DynamoDB (`AWS_ENDPOINT_URL_DYNAMODB`); null: start one in this process. */
  readonly dynamoDb: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stops startup and the simulation. */
  readonly signal: AbortSignal;
}

/** The simulated DynamoDB with its streams, EC2 and CloudWatch that the service reads. */
export interface World {
  close(): Promise<void>;
}

/**
 * Creates and fills the tables of the fleet and of orders, writes thirty days of history into an empty data folder, starts the stand-in for
 * EC2 and CloudWatch, starts the simulation, and points this process's environment at them.
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { config, wish, clock, signal } = options;
  const closing = new Closing();
  try {
    const now = clock.now();
    const zones = readManhattan(join(projectRoot, 'config', 'lookups', 'zones.csv'));
    const city = new City({ zones, timeZone: config.timeZone, seed: SEED });
    const plan = new IncidentPlan(SEED, now, wish);
    const server = new ApiServer(city, plan);
    if (await isWithoutPast(config.dataDir)) {
      const recording = { ...options, dataDir: config.dataDir, tables: pastTables(config) };
      await recordPast(pastPolls(city, server, now), recording);
    }
    const standIn = await startAwsStandIn({ world: server, clock });
    closing.add(() => standIn.close());
    const dynamoDb = await streamingDynamoDb(options, closing);
    useLocalAws({
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDb,
      AWS_ENDPOINT_URL_DYNAMODB_STREAMS: dynamoDb,
      AWS_ENDPOINT_URL_EC2: standIn.endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
    });
    const orders = new Orders({ seed: SEED, zones });
    await setInMotion({ fleet: new Fleet(city, now), orders, plan }, options, closing);
    signal.throwIfAborted();
    return { close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** Its endpoint. */
async function streamingDynamoDb({ dynamoDb, clock }: WorldOptions, closing: Closing): Promise<string> {
  const database = await (dynamoDb === null ? startDynamoDb(clock) : startStreams(dynamoDb, { clock }));
  closing.add(() => database.close());
  return database.endpoint;
}

async function setInMotion(
  { fleet, orders, plan }: { readonly fleet: Fleet; readonly orders: Orders; readonly plan: IncidentPlan },
  { clock, logger, signal }: WorldOptions,
  closing: Closing,
): Promise<void> {
  const client = new DynamoDBClient({});
  closing.add(async () => client.destroy());
  await createTables(client);
  await createOrdersTable(client);
  let said = '';
  const onError = (error: unknown) => {
    const text = describeError(error);
    if (text !== said) logger.warn(`the fleet could not write to DynamoDB, retrying: ${text}`);
    said = text;
  };
  const simulator = new Simulator({ fleet, plan, client, clock, onError });
  const desk = new OrderDesk({ orders, client, clock });
  await simulator.fill();
  await desk.fill();
  const moving = [simulator.run(signal), everySecond(() => desk.step(), { clock, signal, onError })];
  closing.add(() => Promise.all(moving));
}

/** The tables of the fleet with the recording options of the configuration. Orders have no past: their stream begins now. */
function pastTables(config: Config): Map<PastPoll['table'], PastTable> {
  const recorded = new Map<PastPoll['table'], PastTable>();
  for (const { title, recording, pythonScript } of configuredSources(config)) {
    if (pythonScript?.table === ORDERS_TABLE) continue;
    const table = (pythonScript?.table ?? 'api-server') as PastPoll['table'];
    recorded.set(table, { ...recording, source: title, rename: pythonScript?.rename ?? {} });
  }
  return recorded;
}
