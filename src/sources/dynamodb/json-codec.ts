import type { Item } from './attributes.js';
import { openPage, type Page, pageOfItems } from './page.js';
import { DynamoDBJsonCodec2 } from './sdk.js';

/** The key under which the response to a Scan carries its page. */
const PAGE = Symbol('page');

/**
 * The SDK's DynamoDB codec, except that the items of a Scan's response stay bytes (`pageOf`).
 *
 * The SDK's own reader walks every attribute of every item with its schema; for a large Scan that takes twice the
 * time of everything else. A custom codec at `protocolSettings.jsonCodec` is the SDK's way to replace it. Requests, errors
 * and all other responses stay with the SDK's reader. If a release no longer uses this codec, readings stay correct but
 * get slower, and test/sources/dynamodb/client.test.ts fails.
 */
export class PageCodec extends DynamoDBJsonCodec2 {
  override createDeserializer(): ReturnType<DynamoDBJsonCodec2['createDeserializer']> {
    const reader = super.createDeserializer();
    const read = reader.read.bind(reader);
    reader.read = (schema, data: string | Uint8Array) =>
      shapeName(schema) === 'ScanOutput' ? withPage(data) : read(schema, data as string);
    return reader;
  }
}

function withPage(data: string | Uint8Array): object {
  const page = openPage(typeof data === 'string' ? Buffer.from(data) : data);
  return { ...page.envelope, [PAGE]: { page, bytes: data.length } };
}

/** The page of a response to a Scan, and the size of its body in bytes: 0 if the SDK has read it itself. */
export function pageOf(answer: { readonly Items?: unknown }): {
  readonly page: Page;
  readonly bytes: number;
} {
  const { [PAGE]: own } = answer as { [PAGE]?: { page: Page; bytes: number } };
  return own ?? { page: pageOfItems((answer.Items ?? []) as Item[]), bytes: 0 };
}

function shapeName(schema: unknown): string | undefined {
  const named = schema as { getName?(): string | undefined } | null;
  return typeof named?.getName === 'function' ? named.getName() : undefined;
}
