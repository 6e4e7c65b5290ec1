import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { itemsOf, pageOf } from './page.js';
import { actionOf, EVERYTHING, type ReadScope, readCommand } from './read-plan.js';
import type { ScanCommand } from './sdk.js';

/**
 * The names of the attributes of one item; empty: there is none, or the first one does not match the filter. Consumes half
 * a read unit. Rejects with a `DynamoCsvError`, or with the signal's reason when it aborts.
 */
export async function sampleAttributes(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
  scope: ReadScope = EVERYTHING,
): Promise<readonly string[]> {
  const plan = { ...scope, table, totalSegments: 1, consistent: false, pageItems: 1, attributes: null };
  try {
    const command = readCommand(plan, { segment: 0, after: null }) as ScanCommand;
    const answer = await client.send(command, { abortSignal: signal });
    return Object.keys(itemsOf(pageOf(answer).page)[0] ?? {});
  } catch (thrown) {
    signal.throwIfAborted();
    throw explainFailure(thrown, await placeOf(client, table, scope.index), actionOf(scope));
  }
}
