import type { TestContext } from 'node:test';
import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { startTestDynamoDb, type TestDynamoDb } from '../support/dynalite.js';

/** A DynamoDB that is gone after the test. */
export async function testDynamoDb(t: TestContext): Promise<TestDynamoDb> {
  const database = await startTestDynamoDb();
  t.after(() => database.close());
  return database;
}

/** What leads the SDK to a server of the test. */
export function at(endpoint: string): Record<string, string> {
  return { AWS_ENDPOINT_URL_DYNAMODB: endpoint };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Asks the service. */
export async function get(url: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks until the answer is so. */
export async function until(
  url: string,
  path: string,
  is: (answer: Answer) => boolean,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  for (;;) {
    const answer = await get(url, path, headers);
    if (is(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function put(endpoint: string, table: string, item: Record<string, AttributeValue>) {
  const client = new DynamoDBClient({ endpoint });
  await client.send(new PutItemCommand({ TableName: table, Item: item }));
  client.destroy();
}
