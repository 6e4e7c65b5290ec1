import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { isBinary } from './attributes.js';
import { answerWithPage } from './page.js';
import { QueryCommand, ScanCommand } from './sdk.js';

/*
 * For each request the SDK walks through some twenty functions, serialises and deserialises by its schemas: more work than
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

/** Binary as the protocol has it; a `Buffer` would become an object of numbers. */
function binaryAsText(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const own = this[name];
  return isBinary(own) ? Buffer.from(own).toString('base64') : value;
}
