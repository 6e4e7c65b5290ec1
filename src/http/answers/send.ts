import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import { chooseEncoding } from './accept-encoding.js';
import type { Head, Representation, Variant } from './representation.js';

/**
 * Sends a whole body, or 304 if the client already has it; synchronously if the encoding is cached.
 *
 * It writes to Node's response directly (`hijack`): the header fields are ready, and Fastify would copy them one by one,
 * which is a tenth of the cost of such a response.
 */
export class Sender {
  readonly #hasCors: boolean;

  /** `hasCors`: the CORS plugin has set header fields, and the response depends on the request's origin. */
  constructor(hasCors: boolean) {
    this.#hasCors = hasCors;
  }

  /** `readAt`: when the data was read, null if unknown. `readAt` and `now` in milliseconds. */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    representation: Representation,
    readAt: number | null,
    now: number,
  ): void | Promise<void> {
    const variant = representation.variant(chooseEncoding(request.raw.headers['accept-encoding'] as string));
    if (!(variant instanceof Promise)) return this.#send(request, reply, variant, readAt, now);
    return variant.then((encoded) => this.#send(request, reply, encoded, readAt, now));
  }

  #send(
    { raw }: FastifyRequest,
    reply: FastifyReply,
    variant: Variant,
    readAt: number | null,
    now: number,
  ): void {
    const isKnown = raw.method !== 'POST' && hasAlready(raw.headers['if-none-match'], variant.etag);
    const head = this.#completed(variant.head(isKnown, readAt, now), reply);
    reply.hijack();
    reply.raw.writeHead(isKnown ? 304 : 200, head);
    if (isKnown || raw.method === 'HEAD') return void reply.raw.end();
    reply.raw.end(variant.bytes);
  }

  #completed(head: Head, reply: FastifyReply): OutgoingHttpHeaders {
    if (!this.#hasCors) return head;
    return { ...(reply.getHeaders() as OutgoingHttpHeaders), ...head, vary: `Origin, ${head.vary}` };
  }
}

/**
 * Whether `If-None-Match` names the entity tag. `fresh` sees this header only: `If-Modified-Since` counts seconds, and two
 * polls can fall into one.
 */
function hasAlready(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && fresh({ 'if-none-match': ifNoneMatch }, { etag });
}
