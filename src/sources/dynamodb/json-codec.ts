import { DynamoDBJsonCodec2 } from './sdk.js';

/**
 * The SDK's DynamoDB codec, except that the answer to a Scan is what `JSON.parse` gives.
 *
 * The SDK's own reader walks every attribute of every item with its schema; for a large Scan that takes twice the
 * time of all the rest, and changes nothing but binary values (bytes there, base64 text here). A codec of one's own
 * at `protocolSettings.jsonCodec` is the SDK's way to replace it. Requests, errors and all other answers stay with
 * the SDK's reader. Should a release no longer ask this codec, readings stay right (see `AttributeValue`) and
 * test/dynamodb/client.test.ts says so.
 */
export class PlainScanCodec extends DynamoDBJsonCodec2 {
  override createDeserializer(): ReturnType<DynamoDBJsonCodec2['createDeserializer']> {
    const reader = super.createDeserializer();
    const read = reader.read.bind(reader);
    reader.read = (schema, data: string | Uint8Array) =>
      shapeName(schema) === 'ScanOutput'
        ? { ...parse(data), [BODY_BYTES]: data.length }
        : read(schema, data as string);
    return reader;
  }
}

/** Where the answer to a Scan carries the length of its body. */
const BODY_BYTES = Symbol('bytes of the body');

/** How many bytes the body of this answer to a Scan had; 0 should the SDK have read it itself. */
export function bodyBytes(answer: object): number {
  return (answer as { [BODY_BYTES]?: number })[BODY_BYTES] ?? 0;
}

function parse(data: string | Uint8Array): object {
  if (typeof data === 'string') return JSON.parse(data);
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
}

function shapeName(schema: unknown): string | undefined {
  const named = schema as { getName?(): string | undefined } | null;
  return typeof named?.getName === 'function' ? named.getName() : undefined;
}
