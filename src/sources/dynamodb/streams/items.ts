import type { DynamoDBClient, AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../../base/clock.js';
import { bytesOf, type Item } from '../attributes.js';
import { BatchGetItemCommand } from '../sdk.js';
import { keysUnprocessed } from './errors.js';

/** The most that BatchGetItem takes: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const MOST_KEYS = 100;
/** Attempts for keys that are left unprocessed, and milliseconds before the second one; then twice as long each time. */
const ATTEMPTS = 8;
const FIRST_WAIT = 50;

export interface ItemsCost {
  requests: number;
  attempts: number;
  readCapacityUnits: number;
}

/**
 * The items with these keys as they are now, by `keyText`; those that are not there are left out. Strongly consistent:
 * an item must not be older than the record that mentions it.
 */
export async function getItems(
  client: DynamoDBClient,
  table: string,
  keys: readonly Item[],
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly items: ReadonlyMap<string, Item>; readonly cost: ItemsCost }> {
  const cost: ItemsCost = { requests: 0, attempts: 0, readCapacityUnits: 0 };
  const items = new Map<string, Item>();
  const names = Object.keys(keys[0] ?? {});
  for (let from = 0; from < keys.length; from += MOST_KEYS) {
    let left = keys.slice(from, from + MOST_KEYS).map(requestKey);
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt > ATTEMPTS) throw keysUnprocessed(table, left.length, ATTEMPTS);
      if (attempt > 1) await clock.sleep(FIRST_WAIT * 2 ** (attempt - 2), signal);
      const command = new BatchGetItemCommand({
        RequestItems: { [table]: { Keys: left, ConsistentRead: true } },
        ReturnConsumedCapacity: 'TOTAL',
      });
      const answer = await client.send(command, { abortSignal: signal });
      cost.requests += 1;
      cost.attempts += answer.$metadata.attempts ?? 1;
      for (const { CapacityUnits = 0 } of answer.ConsumedCapacity ?? [])
        cost.readCapacityUnits += CapacityUnits;
      for (const item of (answer.Responses?.[table] ?? []) as Item[])
        items.set(keyText(Object.fromEntries(names.map((name) => [name, item[name]!]))), item);
      left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return { items, cost };
}

/** A key as text, the same for the same key. */
export function keyText(key: Item): string {
  const entries = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    entries.map(([name, { S, N, B }]) => [
      name,
      S,
      N,
      B === undefined ? B : Buffer.from(bytesOf(B)).toString('base64'),
    ]),
  );
}

/** Binary as bytes. */
function requestKey(key: Item): Record<string, SdkValue> {
  const entries = Object.entries(key).map(([name, value]): [string, SdkValue] => [
    name,
    (value.B === undefined ? value : { B: bytesOf(value.B) }) as SdkValue,
  ]);
  return Object.fromEntries(entries);
}
