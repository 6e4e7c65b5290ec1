import { isUtf8 } from 'node:buffer';
import { type Item, isBinary } from './attributes.js';
import { DynamoDBJsonCodec2 } from './sdk.js';

/**
 * One response to a Scan or Query as received: its items stay bytes.
 * They are in `bytes` from `start` to `end`, JSON objects separated by commas.
 */
export interface Page {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** The response without its items. */
  readonly envelope: object;
}

const ITEMS = Buffer.from('"Items":[');
const CLOSE_ARRAY = 0x5d;

/**
 * Splits a response without parsing its items. Throws a `SyntaxError` if it is not a JSON object, as far as that shows
 * outside the items. Whether the items are UTF-8 is not checked, see `isText`.
 */
export function openPage(body: Uint8Array): Page {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return compactPage(bytes) ?? parsedPage(bytes);
}

/** Whether the items are valid UTF-8. In a `rewritten` page invalid bytes are U+FFFD, as in any decoded text. */
export function isText({ bytes, start, end }: Page): boolean {
  return isUtf8(bytes.subarray(start, end));
}

/** The same page rewritten by `JSON.stringify`: no spaces between tokens, no duplicate members. Throws a `SyntaxError`. */
export function rewritten({ bytes }: Page): Page {
  return parsedPage(bytes);
}

/** The items of a page as objects, for the few that are inspected individually. Throws a `SyntaxError`. */
export function itemsOf({ bytes, start, end }: Page): readonly Item[] {
  return JSON.parse(`[${bytes.toString('utf8', start, end)}]`) as Item[];
}

/** A page of items that are objects already. */
export function pageOfItems(items: readonly Item[], envelope: object = {}): Page {
  const bytes = Buffer.from(JSON.stringify(items, binaryAsText));
  return { bytes, start: 1, end: bytes.length - 1, envelope };
}

function binaryAsText(_name: string, value: unknown): unknown {
  return isBinary(value) ? Buffer.from(value).toString('base64') : value;
}

function parsedPage(bytes: Buffer): Page {
  const answer: unknown = JSON.parse(bytes.toString());
  if (typeof answer !== 'object' || answer === null) throw new SyntaxError('the answer is not a JSON object');
  const { Items = [], ...envelope } = answer as { Items?: unknown };
  if (!Array.isArray(Items)) throw new SyntaxError('the Items of the answer are not an array');
  return pageOfItems(Items as Item[], envelope);
}

/**
 * A page in the form that DynamoDB sends: one member `"Items":[…]` at the top, no spaces between tokens. Null for any other
 * form.
 *
 * Quotes within strings are escaped, so the bytes `"Items":[` are that member wherever they occur. Its array ends at the
 * last `]` outside a string: after a `]` inside one, the rest has an odd number of quotes and is not valid JSON.
 */
function compactPage(bytes: Buffer): Page | null {
  const name = bytes.indexOf(ITEMS);
  if (name < 0) return null;
  const head = bytes.toString('utf8', 0, name);
  // If it were a nested member, this would lack a brace.
  if (parsed(`${head}"Items":[]}`) === null) return null;
  const start = name + ITEMS.length;
  for (
    let end = bytes.lastIndexOf(CLOSE_ARRAY);
    end >= start;
    end = bytes.lastIndexOf(CLOSE_ARRAY, end - 1)
  ) {
    const envelope = parsed(`${head}"Items":[${bytes.toString('utf8', end)}`);
    if (envelope !== null) return { bytes, start, end, envelope };
    // A page has about a hundred bytes after its items.
    if (bytes.length - end > MAX_TAIL) return null;
  }
  return null;
}

/** A key has at most 3 KB; written as JSON up to six times as much. */
const MAX_TAIL = 1 << 15;

function parsed(text: string): object | null {
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}

/** The responses whose items stay bytes. */
const PAGED: ReadonlySet<string | undefined> = new Set(['ScanOutput', 'QueryOutput']);

/** The key under which the response to a Scan or Query carries its page. */
const PAGE = Symbol('page');

/**
 * The SDK's DynamoDB codec, except that the items of a response to a Scan or Query stay bytes (`pageOf`).
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
      PAGED.has(shapeName(schema))
        ? answerWithPage(typeof data === 'string' ? Buffer.from(data) : data)
        : read(schema, data as string);
    return reader;
  }
}

/** The response to a Scan or Query with this body. Throws a `SyntaxError` as `openPage` does. */
export function answerWithPage(body: Uint8Array): object {
  const page = openPage(body);
  return { ...page.envelope, [PAGE]: { page, bytes: body.length } };
}

/** The page of a response to a Scan or Query, and the size of its body in bytes: 0 if the SDK has read it itself. */
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
