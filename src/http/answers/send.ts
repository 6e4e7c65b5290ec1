import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fresh from 'fresh';
import { chooseEncoding } from './accept-encoding.js';
import type { Head, Representation, Variant } from './representation.js';

/**
 * Answers with a whole body, or with 304 when the client has it already: at once where the encoding is there.
 *
 * The answer goes to Node's response directly (`hijack`): its header fields are complete and made once a second, and
 * Fastify would copy them one by one, which is a tenth of what such an answer costs.
 */
export class Sender {
  readonly #hasCors: boolean;

  /** `hasCors`: other plugins have set header fields of the answer, and it depends on the request's origin. */
  constructor(hasCors: boolean) {
    this.#hasCors = hasCors;
  }

  /** `readAt`: when the data was read, null where that is not known; in milliseconds as `now`. */
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
    const { whole, notModified } = variant.heads(readAt, now);
    const isKnown = raw.method !== 'POST' && hasAlready(raw.headers['if-none-match'], variant.etag);
    const head = this.#completed(isKnown ? notModified : whole, reply);
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
  return fresh({ 'if-none-match': ifNoneMatch }, { etag });
}
