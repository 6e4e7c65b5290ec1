import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { DynamoDbFailure } from './failure.js';
import type { Body } from './streams-api.js';

/** Headers of a request that must not be passed on, because they are about its connection or its body's length. */
const OWN_HEADERS = ['connection', 'content-length', 'host', 'transfer-encoding'];

/** An answer of DynamoDB. */
export interface Answer {
  readonly status: number;
  readonly body: Body;
}

/** The DynamoDB behind the stand-in. */
export class Upstream {
  readonly #endpoint: string;
  readonly #protocol: typeof http | typeof https;
  readonly #agent: http.Agent;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#protocol = endpoint.startsWith('https:') ? https : http;
    this.#agent = new this.#protocol.Agent({ keepAlive: true, maxSockets: 16 });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Passes a request on as it is, and its answer back. */
  async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const passed = this.#request(incoming.headers, incoming.headers['content-length']);
    const [[answer]] = await Promise.all([
      once(passed, 'response') as Promise<[IncomingMessage]>,
      pipeline(incoming, passed),
    ]);
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    await pipeline(answer, outgoing);
  }

  /** `headers`: of the request on whose behalf this happens; it may be of another action. */
  async send(action: string, body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const text = Buffer.from(JSON.stringify(body));
    const sent = this.#request(
      {
        ...headers,
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
      },
      String(text.length),
    );
    sent.end(text);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return { status: answer.statusCode ?? 500, body: JSON.parse(Buffer.concat(chunks).toString()) as Body };
  }

  /** As `send`; throws what DynamoDB refuses. */
  async ask(action: string, body: Body, headers: IncomingHttpHeaders): Promise<Body> {
    const answer = await this.send(action, body, headers);
    if (answer.status === 200) return answer.body;
    const { __type = 'InternalServerError', message = '' } = answer.body as Record<string, string>;
    throw new DynamoDbFailure(__type.split('#').at(-1) ?? __type, message);
  }

  #request(headers: IncomingHttpHeaders, length: string | undefined) {
    const passed = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name));
    return this.#protocol.request(this.#endpoint, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        ...Object.fromEntries(passed),
        ...(length === undefined ? {} : { 'content-length': length }),
      },
    });
  }
}
