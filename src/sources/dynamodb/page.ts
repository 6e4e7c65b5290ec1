import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Item, isBinary } from './attributes.js';
import { DynamoDBJsonCodec2, QueryCommand, ScanCommand } from './sdk.js';

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

/** Binary as the protocol has it; a `Buffer` would become an object of numbers. */
function binaryAsText(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const own = this[name];
  return isBinary(own) ? Buffer.from(own).toString('base64') : value;
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

/*
 * The short way to a page. For each request the SDK walks through some twenty functions, serialises and deserialises by its schemas: more work than
 * receiving a page of a megabyte that did not change. Between the requests for two pages of a table only the body differs, and
 * the signature that follows from it. So from the second page on, a request is a copy of one that the SDK made, with
 * another body. The SDK's own retry strategy is asked when it may be sent and told when it succeeded, its own signer signs it,
 * and its own handler sends it.
 *
 * Whatever comes of it but a page is handed to the SDK as the outcome of its own first attempt. So errors, retries,
 * throttling, clocks that differ and refused credentials are dealt with as if there were no short way.
 */

/** A request as the SDK's handler takes it. */
interface Request {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, never>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body?: unknown;
}

type Handled = { readonly response: Response };
type Handle = (request: Request, options?: Options) => Promise<Handled>;

/** How a request that was received without the SDK's functions ended. */
type Outcome = { readonly answer: object } | { readonly refused: Promise<Handled> };

/** The next attempt's outcome, if it is known already. */
const FIRST_ATTEMPT = Symbol('first attempt');

interface Options {
  readonly abortSignal?: AbortSignal;
  readonly [FIRST_ATTEMPT]?: Promise<Handled>[];
}

/** What signs requests in the SDK: `AwsSdkSigV4Signer`. */
interface Signer {
  sign(request: Request, identity: unknown, properties: object): Promise<Request>;
  /** Takes note of the server's clock. */
  successHandler?(response: Response, properties: object): void;
}

/** What a middleware of the SDK is told about a request. */
interface Context {
  readonly __smithy_context: {
    readonly selectedHttpAuthScheme: {
      readonly signer: Signer;
      readonly identity: unknown;
      readonly httpAuthOption: { readonly signingProperties?: object };
    };
  };
}

/** A request of the SDK to copy, before it was signed. */
interface Model extends Omit<Context['__smithy_context']['selectedHttpAuthScheme'], 'httpAuthOption'> {
  readonly request: Request;
  readonly signingProperties: object;
}

type Send = (command: object, options?: Options) => Promise<object>;
type Collect = (body: never) => Promise<Uint8Array>;

/** From now on the client sends requests for pages the short way. `collect`: as the client's `streamCollector`. */
export function takeShortWay(client: DynamoDBClient, collect: Collect): void {
  const way = new ShortWay(client, collect);
  const send = client.send.bind(client) as unknown as Send;
  client.send = (async (command, options = {}) => {
    const outcome = await way.send(command, options);
    if (outcome === null) return send(command, options);
    return 'answer' in outcome
      ? outcome.answer
      : send(command, { ...options, [FIRST_ATTEMPT]: [outcome.refused] });
  }) satisfies Send as unknown as typeof client.send;
}

class ShortWay {
  readonly #client: DynamoDBClient;
  readonly #collect: Collect;
  /** By action. */
  readonly #models = new Map<string, Model>();
  #maxAttempts = 0;

  constructor(client: DynamoDBClient, collect: Collect) {
    this.#client = client;
    this.#collect = collect;
    this.#noteRequests();
    const handler = client.config.requestHandler as unknown as { handle: Handle };
    const handle = handler.handle.bind(handler);
    handler.handle = (request, options) => options?.[FIRST_ATTEMPT]?.shift() ?? handle(request, options);
  }

  /** Null: nothing was sent. */
  async send(command: object, { abortSignal }: Options): Promise<Outcome | null> {
    const model = this.#models.get(actionOf(command) ?? '');
    if (model === undefined || abortSignal?.aborted) return null;
    const strategy = await this.#client.config.retryStrategy();
    if (!('acquireInitialRetryToken' in strategy)) return null;
    const token = await strategy.acquireInitialRetryToken('');
    const outcome = await this.#attempt(model, (command as { readonly input: object }).input, abortSignal);
    if ('answer' in outcome) strategy.recordSuccess(token);
    return outcome;
  }

  async #attempt(model: Model, input: object, abortSignal: AbortSignal | undefined): Promise<Outcome> {
    try {
      const properties = { ...model.signingProperties };
      const request = await model.signer.sign(await this.#copy(model, input), model.identity, properties);
      const handle = this.#client.config.requestHandler.handle as unknown as Handle;
      const { response } = await handle(request, abortSignal === undefined ? {} : { abortSignal });
      const body = await this.#collect(response.body as never);
      model.signer.successHandler?.(response, properties);
      return outcomeOf(response, body);
    } catch (error) {
      const refused = Promise.reject(error);
      // The SDK may end before it asks for the outcome.
      refused.catch(() => {});
      return { refused };
    }
  }

  async #copy({ request }: Model, input: object): Promise<Request> {
    this.#maxAttempts ||= await this.#client.config.maxAttempts();
    const body = JSON.stringify(input, binaryAsText);
    const headers = {
      ...request.headers,
      'content-length': String(Buffer.byteLength(body)),
      'amz-sdk-invocation-id': randomUUID(),
      'amz-sdk-request': `attempt=1; max=${this.#maxAttempts}`,
    };
    return { ...request, headers, body };
  }

  #noteRequests(): void {
    const note =
      (next: (args: object) => unknown, context: Context) => (args: { readonly request: Request }) => {
        const { signer, identity, httpAuthOption } = context.__smithy_context.selectedHttpAuthScheme;
        const { protocol, hostname, port, method, path, query, headers } = args.request;
        const request = {
          protocol,
          hostname,
          ...(port === undefined ? {} : { port }),
          method,
          path,
          query,
          headers: { ...headers },
        };
        const { signingProperties = {} } = httpAuthOption;
        const action = headers['x-amz-target']?.split('.')[1] ?? '';
        this.#models.set(action, { request, signer, identity, signingProperties });
        return next(args);
      };
    this.#client.middlewareStack.add(note as never, {
      step: 'build',
      priority: 'low',
      name: 'dynamoCsvModel',
    });
  }
}

function actionOf(command: object): 'Scan' | 'Query' | null {
  if (command instanceof ScanCommand) return 'Scan';
  return command instanceof QueryCommand ? 'Query' : null;
}

/** A page, or what the SDK has to look at. */
function outcomeOf(response: Response, body: Uint8Array): Outcome {
  try {
    if (response.statusCode === 200)
      return { answer: { ...answerWithPage(body), $metadata: metadataOf(response) } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  response.body = body;
  return { refused: Promise.resolve({ response }) };
}

function metadataOf({ statusCode, headers }: Response): object {
  return {
    httpStatusCode: statusCode,
    requestId: headers['x-amzn-requestid'],
    attempts: 1,
    totalRetryDelay: 0,
  };
}
