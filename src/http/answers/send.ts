import type { FastifyReply, FastifyRequest } from 'fastify';
import { chooseEncoding } from './accept-encoding.js';
import { noneMatchFails } from './entity-tags.js';
import type { Representation, Variant } from './representation.js';

/** Answers with a whole body, or with 304 when the client has it already. At once where the encoding is there. */
export class Sender {
  readonly #vary: string;

  /** `vary`: what of a request's headers an answer depends on. */
  constructor(vary: string) {
    this.#vary = vary;
  }

  /** `age`: the headers that tell when the data was read; see `ageHeaders`. */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    representation: Representation,
    age: Readonly<Record<string, string>>,
  ): void | Promise<FastifyReply> {
    const variant = representation.variant(chooseEncoding(request.raw.headers['accept-encoding'] as string));
    if (!(variant instanceof Promise)) return void this.#send(request, reply, variant, age);
    return variant.then((encoded) => this.#send(request, reply, encoded, age));
  }

  #send(
    request: FastifyRequest,
    reply: FastifyReply,
    variant: Variant,
    age: Readonly<Record<string, string>>,
  ): FastifyReply {
    reply.headers(age);
    reply.header('cache-control', 'no-cache').header('etag', variant.etag).header('vary', this.#vary);
    if (noneMatchFails(request.raw.headers['if-none-match'], variant.etag)) return reply.code(304).send();
    reply
      .header('content-type', variant.contentType)
      .header('content-length', variant.bytes.length)
      .header('x-content-type-options', 'nosniff');
    if (variant.encoding !== 'identity') reply.header('content-encoding', variant.encoding);
    return reply.send(request.raw.method === 'HEAD' ? undefined : variant.bytes);
  }
}

/** `Age` in whole seconds, and `Last-Modified`; nothing when it is not known. All in milliseconds since the epoch. */
export function ageHeaders(readAt: number | null, now: number): Readonly<Record<string, string>> {
  if (readAt === null) return {};
  return {
    age: String(Math.max(0, Math.floor((now - readAt) / 1_000))),
    'last-modified': new Date(readAt).toUTCString(),
  };
}
