import type { DynamoDBClient, QueryCommandInput, QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { placeOf } from '../client.js';
import { explainFailure } from '../failures.js';
import { itemsOf, pageOf } from '../page.js';
import { readCommand, type ScanPlan } from '../read-plan.js';
import { joined, notBefore } from './conditions.js';
import { requestValue } from './since.js';
import { earlier } from './times.js';

/** What reading by Queries consumes, as measured. */
export interface Measured {
  /** Read capacity units of all Queries. */
  readonly units: number;
  /** Items that match the keys. */
  readonly items: number;
  /** Whether it is at least so much: some Queries have more pages, or were not made. */
  readonly isLeast: boolean;
}

/** The most Queries that are made to measure; the others are taken to be like them. */
const SAMPLE = 16;

/**
 * Counts what the Queries of a plan read: one page of each, of at most sixteen of them. With `since` it counts what is read
 * again when nothing is new. Rejects with a `DynamoCsvError`, or with the signal's reason.
 */
export async function measureQueries(
  client: DynamoDBClient,
  plan: ScanPlan,
  signal: AbortSignal,
): Promise<Measured> {
  const all = plan.queries ?? [];
  const sample = all.slice(0, SAMPLE);
  const measured = await Promise.all(sample.map((_, segment) => measureOne(client, plan, segment, signal)));
  const factor = all.length / Math.max(1, sample.length);
  return {
    units: sum(measured.map(({ units }) => units)) * factor,
    items: Math.round(sum(measured.map(({ items }) => items)) * factor),
    isLeast: measured.some(({ isLeast }) => isLeast) || all.length > sample.length,
  };
}

async function measureOne(
  client: DynamoDBClient,
  plan: ScanPlan,
  segment: number,
  signal: AbortSignal,
): Promise<Measured> {
  const query = (input: Partial<QueryCommandInput>, inPlan = plan) =>
    send(client, inPlan, segment, input, signal);
  const narrowed = plan.since === null ? plan : await fromNewest(plan, segment, query);
  const answer = await query({ Select: 'COUNT' }, narrowed);
  return {
    units: answer.ConsumedCapacity?.CapacityUnits ?? 0,
    items: answer.ScannedCount ?? answer.Count ?? 0,
    isLeast: answer.LastEvaluatedKey !== undefined,
  };
}

/** The plan that reads a Query's items as after its newest one. */
async function fromNewest(
  plan: ScanPlan,
  segment: number,
  query: (input: Partial<QueryCommandInput>) => Promise<QueryCommandOutput>,
): Promise<ScanPlan> {
  const { attribute, overlap } = plan.since!;
  const answer = await query({ ScanIndexForward: false, Limit: 1 });
  const newest = itemsOf(pageOf(answer).page)[0]?.[attribute.name];
  if (newest === undefined) return plan;
  const from = notBefore(attribute.name, requestValue(earlier(newest, overlap) ?? newest));
  const queries = plan.queries!.map((one, index) => (index === segment ? joined(one, from) : one));
  return { ...plan, queries };
}

async function send(
  client: DynamoDBClient,
  plan: ScanPlan,
  segment: number,
  input: Partial<QueryCommandInput>,
  signal: AbortSignal,
): Promise<QueryCommandOutput> {
  try {
    const command = readCommand(plan, { segment, after: null });
    Object.assign(command.input, input);
    return (await client.send(command as never, { abortSignal: signal })) as QueryCommandOutput;
  } catch (thrown) {
    signal.throwIfAborted();
    throw explainFailure(thrown, await placeOf(client, plan.table, plan.index), 'dynamodb:Query');
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
