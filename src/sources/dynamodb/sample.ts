import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from './attributes.js';
import { placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { itemsOf, pageOf } from './page.js';
import { type DocumentPath, pathText } from './paths.js';
import { ScanCommand } from './sdk.js';

/** Names that are collected from one item at most. */
const MOST_NAMES = 1_000;

/**
 * The names of the attributes of one item, and the paths into them; empty: the table is. Consumes half a read unit. Rejects with a
 * `DynamoCsvError`, or with the signal's reason when it aborts.
 */
export async function sampleAttributes(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const command = new ScanCommand({ TableName: table, Limit: 1 });
    const answer = await client.send(command, { abortSignal: signal });
    const names: string[] = [];
    for (const [name, value] of Object.entries(itemsOf(pageOf(answer).page)[0] ?? {})) {
      names.push(name);
      collectPaths(value, [name], names);
    }
    return names;
  } catch (thrown) {
    signal.throwIfAborted();
    throw explainFailure(thrown, await placeOf(client, table), 'dynamodb:Scan');
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
