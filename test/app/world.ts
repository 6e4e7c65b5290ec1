import type { TestContext } from 'node:test';
import { type AttributeValue, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { startTestDynamoDb, type TestDynamoDb } from '../support/dynalite.js';
import { patientFetch } from '../support/patient-fetch.js';

/** Milliseconds for which a test waits for an answer that is so: far longer than any takes. */
const PATIENCE = 300_000;

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
  /** When it was asked for, in milliseconds since the epoch. */
  readonly asked: number;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Asks the service. */
export async function get(url: string, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const asked = Date.now();
  const response = await patientFetch(`${url}${path}`, { headers });
  return { asked, status: response.status, headers: response.headers, text: await response.text() };
}

/** Asks until the answer is so. */
export async function until(
  url: string,
  path: string,
  is: (answer: Answer) => boolean,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const tooLong = AbortSignal.timeout(PATIENCE);
  for (;;) {
    const answer = await get(url, path, headers);
    if (is(answer)) return answer;
    if (tooLong.aborted)
      throw new Error(`the answer of ${path} was not what was waited for: ${answer.status} ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until it is so. `what`: for the error when that takes too long. */
export async function untilSo(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const tooLong = AbortSignal.timeout(PATIENCE);
  while (!(await isSo())) {
    if (tooLong.aborted) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function put(endpoint: string, table: string, item: Record<string, AttributeValue>) {
  const client = new DynamoDBClient({ endpoint });
  await client.send(new PutItemCommand({ TableName: table, Item: item }));
  client.destroy();
}
