import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Dataset } from '../../datasets/dataset.js';
import type { Query } from '../../datasets/queries.js';
import type { Shape } from '../../datasets/shaped.js';
import type { HttpOptions } from '../options.js';
import { pathOf } from '../plugins/errors.js';
import { PlainAnswers } from './plain-answers.js';
import { ageHeaders, Sender } from './send.js';
import { WindowAnswers } from './window-answers.js';

/** How requests for data are answered: out of the cache, made and kept, or streamed. */
export class Answers {
  readonly #options: Pick<HttpOptions, 'clock' | 'metrics' | 'logger'>;
  readonly #plain: PlainAnswers;
  readonly #windows: WindowAnswers;
  readonly #sender: Sender;

  constructor(options: Pick<HttpOptions, 'clock' | 'metrics' | 'logger' | 'config'>) {
    this.#options = options;
    this.#plain = new PlainAnswers(options.clock);
    this.#windows = new WindowAnswers(options.clock);
    this.#sender = new Sender(
      options.config.corsOrigin.length === 0 ? 'Accept-Encoding' : 'Origin, Accept-Encoding',
    );
  }

  /** A whole dataset; at once when it is kept. */
  plain(
    request: FastifyRequest,
    reply: FastifyReply,
    dataset: Dataset,
    shape: Shape,
  ): void | Promise<FastifyReply> {
    const { clock, metrics } = this.#options;
    const kept = this.#plain.kept(dataset, shape);
    metrics.cache.inc({ result: kept === undefined ? 'miss' : 'hit' });
    if (kept !== undefined) {
      return this.#sender.send(request, reply, kept.representation, ageHeaders(kept.readAt, clock.now()));
    }
    return this.#make(request, reply, dataset, shape);
  }

  async #make(
    request: FastifyRequest,
    reply: FastifyReply,
    dataset: Dataset,
    shape: Shape,
  ): Promise<FastifyReply> {
    const { representation, readAt } = await this.#plain.make(dataset, shape);
    await this.#sender.send(request, reply, representation, ageHeaders(readAt, this.#options.clock.now()));
    return reply;
  }

  /** A window, or SQL's answer. */
  async query(request: FastifyRequest, reply: FastifyReply, query: Query): Promise<FastifyReply> {
    const { clock, metrics } = this.#options;
    const kept = this.#windows.kept(query);
    metrics.cache.inc({ result: kept === undefined ? 'miss' : 'hit' });
    const age = () => ageHeaders(query.readAt, clock.now());
    if (kept !== undefined) {
      await this.#sender.send(request, reply, kept, age());
      return reply;
    }
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const answer = await this.#windows.compute(query, gone.signal);
    if ('stream' in answer) return this.#stream(request, reply, query, answer.stream);
    await this.#sender.send(request, reply, answer.representation, age());
    return reply;
  }

  /**
   * Not compressed: a core compresses slower than DuckDB computes, and who asks for this much reads it once. When it
   * fails half way the connection is cut, so that nobody takes the part for the whole.
   */
  #stream(
    request: FastifyRequest,
    reply: FastifyReply,
    query: Query,
    stream: AsyncIterable<Buffer>,
  ): FastifyReply {
    reply
      .headers(ageHeaders(query.readAt, this.#options.clock.now()))
      .header('content-type', query.contentType)
      .header('cache-control', 'no-cache')
      .header('x-content-type-options', 'nosniff');
    if (request.raw.method === 'HEAD') return reply.send();
    const body = Readable.from(stream, { objectMode: false });
    body.once('error', (error) => {
      if (reply.raw.destroyed) return;
      const path = pathOf(request.raw.url);
      this.#options.logger.error({ err: error, request: request.id, path }, 'an answer broke off half way');
    });
    return reply.send(body);
  }
}
