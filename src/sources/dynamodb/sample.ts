import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from './attributes.js';
import { placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { itemsOf, pageOf } from './page.js';
import { type DocumentPath, pathText } from './paths.js';
import { actionOf, EVERYTHING, type ReadScope, readCommand } from './read-plan.js';
import type { ScanCommand } from './sdk.js';

/** Names that are collected from one item at most. */
const MOST_NAMES = 1_000;

/**
 * The names of the attributes of one item, and the paths into them; empty: there is none, or the first one does not match
 * the filter. Reads and rejects as `sampleItem` does.
 */
export async function sampleAttributes(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
  scope: ReadScope = EVERYTHING,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, value] of Object.entries((await sampleItem(client, table, signal, scope)) ?? {})) {
    names.push(name);
    collectPaths(value, [name], names);
  }
  return names;
}

/**
 * One item in DynamoDB's JSON; null: there is none. Consumes half a read unit. Rejects with a `DynamoCsvError`, or
 * with the signal's reason when it aborts.
 */
export async function sampleItem(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
  scope: ReadScope = EVERYTHING,
): Promise<Readonly<Record<string, AttributeValue>> | null> {
  const plan = { ...scope, table, totalSegments: 1, consistent: false, pageItems: 1, attributes: null };
  try {
    const command = readCommand(plan, { segment: 0, after: null }) as ScanCommand;
    const answer = await client.send(command, { abortSignal: signal });
    return itemsOf(pageOf(answer).page)[0] ?? null;
  } catch (thrown) {
    signal.throwIfAborted();
    throw explainFailure(thrown, await placeOf(client, table, scope.index), actionOf(scope));
  }
}

/** Adds the paths of what is in a map or a list. */
function collectPaths({ M = {}, L = [] }: AttributeValue, path: DocumentPath, names: string[]): void {
  const members: readonly (readonly [string | number, AttributeValue])[] = [
    ...Object.entries(M),
    ...L.entries(),
  ];
  for (const [segment, value] of members) {
    if (names.length >= MOST_NAMES) return;
    const inside = [...path, segment];
    names.push(pathText(inside));
    collectPaths(value, inside, names);
  }
}
