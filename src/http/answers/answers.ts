import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DynamoCsvError } from '../../base/errors.js';
import type { Shape } from '../../csv/shape.js';
import type { Dataset } from '../../datasets/dataset.js';
import type { Query } from '../../datasets/queries.js';
import type { HttpOptions } from '../options.js';
import { pathOf } from '../plugins/errors.js';
import { NOBODY_WAITS } from './computation.js';
import { PlainAnswers } from './plain-answers.js';
import { ageHead } from './representation.js';
import { Sender } from './send.js';
import { type WindowAnswer, WindowAnswers } from './window-answers.js';

/** Answers requests for data: from the cache, computed and cached, or streamed. */
export class Answers {
  readonly #options: Pick<HttpOptions, 'clock' | 'metrics' | 'logger'>;
  readonly #refuseIfOverloaded: () => void;
  readonly #plain: PlainAnswers;
  readonly #windows: WindowAnswers;
  readonly #sender: Sender;

  /** `refuseIfOverloaded` is called before a response is computed, and throws to refuse it. */
  constructor(
    options: Pick<HttpOptions, 'clock' | 'metrics' | 'logger' | 'config'>,
    refuseIfOverloaded: () => void,
  ) {
    this.#options = options;
    this.#refuseIfOverloaded = refuseIfOverloaded;
    this.#plain = new PlainAnswers();
    this.#windows = new WindowAnswers(options.clock);
    this.#sender = new Sender(options.config.corsOrigin.length > 0);
  }

  /** Answers with a whole dataset, synchronously if it is cached. Rejects as `Dataset.content` does, or with `OVERLOADED`. */
  plain(request: FastifyRequest, reply: FastifyReply, dataset: Dataset, shape: Shape): void | Promise<void> {
    const now = this.#options.clock.now();
    const kept = this.#plain.kept(dataset, shape, now);
    this.#count(kept !== undefined);
    if (kept === undefined) return this.#make(request, reply, dataset, shape);
    return this.#sender.send(request, reply, kept.representation, kept.readAt, now);
  }

  #count(isKept: boolean): void {
    const { cache } = this.#options.metrics;
    if (isKept) cache.hits += 1;
    else cache.misses += 1;
  }

  async #make(request: FastifyRequest, reply: FastifyReply, dataset: Dataset, shape: Shape): Promise<void> {
    this.#refuseIfOverloaded();
    const { representation, readAt } = await this.#plain.make(dataset, shape);
    await this.#sender.send(request, reply, representation, readAt, this.#options.clock.now());
  }

  /** Answers with a window or the result of SQL. Rejects as `Query.run` does, or with `OVERLOADED`. */
  async query(request: FastifyRequest, reply: FastifyReply, query: Query): Promise<FastifyReply | undefined> {
    const kept = this.#windows.kept(query);
    this.#count(kept !== undefined);
    const answer = kept === undefined ? await this.#compute(reply, query) : { representation: kept };
    if ('stream' in answer) return this.#stream(request, reply, query, answer.stream);
    await this.#sender.send(request, reply, answer.representation, query.readAt, this.#options.clock.now());
    return undefined;
  }

  async #compute(reply: FastifyReply, query: Query): Promise<WindowAnswer> {
    this.#refuseIfOverloaded();
    const made = this.#windows.atOnce(query);
    if (made !== null) return { representation: made };
    const gone = new AbortController();
    const abort = () => gone.abort(NOBODY_WAITS);
    reply.raw.once('close', abort);
    const answer = await this.#windows.compute(query, gone.signal);
    // Every response closes. Of one that is complete there is nothing to stop, and aborting costs as much as a small window.
    if ('representation' in answer) reply.raw.off('close', abort);
    return answer;
  }

  /**
   * Streams a large result, uncompressed: compressing takes longer than computing it, and it is read once. If it fails
   * half way the connection is cut, so that a part is never taken for the whole.
   */
  async #stream(
    request: FastifyRequest,
    reply: FastifyReply,
    query: Query,
    stream: AsyncIterable<Buffer>,
  ): Promise<FastifyReply> {
    reply
      .headers(ageHead(query.readAt, this.#options.clock.now()))
      .header('content-type', query.contentType)
      .header('cache-control', 'no-cache')
      .header('x-content-type-options', 'nosniff');
    if (request.raw.method === 'HEAD') {
      await stream[Symbol.asyncIterator]().return?.();
      return reply.send();
    }
    const body = Readable.from(stream, { objectMode: false });
    body.once('error', (error) => {
      if (reply.raw.destroyed) return;
      const path = pathOf(request.raw.url);
      const { logger } = this.#options;
      const what = 'response aborted half way';
      // A known error is a limit that the query hit: no stack trace needed.
      if (error instanceof DynamoCsvError)
        logger.warn({ request: request.id, path }, `${what}: ${error.line}`);
      else logger.error({ err: error, request: request.id, path }, what);
    });
    return reply.send(body);
  }
}
