import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { itemsOf, pageOf } from './page.js';
import { ScanCommand } from './sdk.js';

/** The names of the attributes of one item; empty: the table is. Reads and rejects as `sampleItem` does. */
export async function sampleAttributes(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return Object.keys((await sampleItem(client, table, signal)) ?? {});
}

/**
 * One item in DynamoDB's JSON; null: the table is empty. Consumes half a read unit. Rejects with a `DynamoCsvError`, or
 * with the signal's reason when it aborts.
 */
export async function sampleItem(
  client: DynamoDBClient,
  table: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const command = new ScanCommand({ TableName: table, Limit: 1 });
    const answer = await client.send(command, { abortSignal: signal });
    return itemsOf(pageOf(answer).page)[0] ?? null;
  } catch (thrown) {
    signal.throwIfAborted();
    throw explainFailure(thrown, await placeOf(client, table), 'dynamodb:Scan');
  }
}
