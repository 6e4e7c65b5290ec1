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
import { createTables, startDynamoDb } from './dynamodb.js';
import { Fleet } from './fleet.js';
import { type Incident, IncidentPlan } from './incidents.js';
import { useLocalAws } from './local-aws.js';
import { type PastPoll, pastPolls } from './past.js';
import { isWithoutPast, type PastTable, recordPast } from './record-past.js';
import { DynamoDBClient } from './sdk.js';
import { Simulator } from './simulator.js';
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

/** The simulated DynamoDB, EC2 and CloudWatch that the service polls. */
export interface World {
  close(): Promise<void>;
}

/**
 * Creates and fills the fleet's tables, writes thirty days of history into an empty data folder, starts the stand-in for
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
    useLocalAws({
      AWS_ENDPOINT_URL_DYNAMODB: options.dynamoDb ?? (await ownDynamoDb(closing)),
      AWS_ENDPOINT_URL_EC2: standIn.endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
    });
    await setInMotion(new Fleet(city, now), plan, options, closing);
    signal.throwIfAborted();
    return { close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function ownDynamoDb(closing: Closing): Promise<string> {
  const database = await startDynamoDb();
  closing.add(() => database.close());
  return database.endpoint;
}

async function setInMotion(
  fleet: Fleet,
  plan: IncidentPlan,
  { clock, logger, signal }: WorldOptions,
  closing: Closing,
): Promise<void> {
  const client = new DynamoDBClient({});
  closing.add(async () => client.destroy());
  await createTables(client);
  let said = '';
  const onError = (error: unknown) => {
    const text = describeError(error);
    if (text !== said) logger.warn(`the fleet could not write to DynamoDB, retrying: ${text}`);
    said = text;
  };
  const simulator = new Simulator({ fleet, plan, client, clock, onError });
  await simulator.fill();
  const moving = simulator.run(signal);
  closing.add(() => moving);
}

/** The fleet's tables with the recording options of the configuration. */
function pastTables(config: Config): Map<PastPoll['table'], PastTable> {
  const recorded = new Map<PastPoll['table'], PastTable>();
  for (const { title, recording, pythonScript } of configuredSources(config)) {
    const table = (pythonScript?.table ?? 'api-server') as PastPoll['table'];
    recorded.set(table, { ...recording, source: title, rename: pythonScript?.rename ?? {} });
  }
  return recorded;
}
