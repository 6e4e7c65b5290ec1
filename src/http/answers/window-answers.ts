import type { Clock } from '../../base/clock.js';
import { hashOf } from '../../base/hash.js';
import type { Query } from '../../datasets/queries.js';
import { MAX_WINDOW_KEPT, WINDOW_CACHE } from '../limits.js';
import { ByteCache } from './byte-cache.js';
import { type Collected, Computation } from './computation.js';
import { Representation } from './representation.js';

/** An answer that is whole, or one that is too large for that and comes in pieces. */
export type WindowAnswer =
  | { readonly representation: Representation }
  | { readonly stream: AsyncIterable<Buffer> };

interface Kept {
  readonly representation: Representation;
  readonly version: string;
  readonly until: number | null;
}

/** Windows of datasets and answers to SQL: computed once for all who ask at the same time, and kept while they are true. */
export class WindowAnswers {
  readonly #clock: Clock;
  readonly #cache: ByteCache<Kept>;
  readonly #running = new Map<string, Computation>();

  /** `limit`: bytes kept in all. */
  constructor(clock: Clock, limit = WINDOW_CACHE) {
    this.#clock = clock;
    this.#cache = new ByteCache(limit);
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  /** What is kept and still true; undefined when it has to be computed. */
  kept(query: Query): Representation | undefined {
    const kept = this.#cache.get(query.key);
    if (kept === undefined) return undefined;
    if (kept.version === query.version && (kept.until === null || kept.until > this.#clock.now())) {
      return kept.representation;
    }
    this.#cache.delete(query.key);
    return undefined;
  }

  /** Computes and keeps it. `gone`: aborts when the client has gone. Rejects as `Query.run` does. */
  async compute(query: Query, gone: AbortSignal): Promise<WindowAnswer> {
    gone.throwIfAborted();
    const computation = this.#join(query);
    const leave = computation.join(gone);
    const collected = await computation.collected;
    if ('bytes' in collected) {
      leave();
      return { representation: await this.#keep(query, collected.bytes) };
    }
    if (computation.take()) return { stream: streamOf(collected) };
    leave();
    const { body } = await query.run(gone);
    return { stream: body };
  }

  /** The query that is running already for the same, or a new one. */
  #join(query: Query): Computation {
    const key = `${query.key}\n${query.version}`;
    const running = this.#running.get(key);
    if (running !== undefined && !running.isStopped) return running;
    const computation = new Computation(query, MAX_WINDOW_KEPT);
    this.#running.set(key, computation);
    const forget = () => {
      if (this.#running.get(key) === computation) this.#running.delete(key);
    };
    computation.collected.then(forget, forget);
    return computation;
  }

  async #keep(query: Query, bytes: Buffer): Promise<Representation> {
    const hash = await hashOf(bytes);
    const other = this.kept(query);
    // Those who waited together share what the first of them kept.
    if (other?.identity.etag === `"${hash}"`) return other;
    const { key, version, until, contentType } = query;
    const representation = new Representation(bytes, contentType, hash, (added) =>
      this.#cache.grow(key, kept, added),
    );
    const kept: Kept = { representation, version, until };
    this.#cache.set(key, kept, bytes.length);
    return representation;
  }
}

/**
 * The beginning that was collected and what comes after it; the query ends when its reader does. (No generator: one that
 * was never read from would end without a word to the query.)
 */
function streamOf({ begun, rest }: Exclude<Collected, { bytes: Buffer }>): AsyncIterableIterator<Buffer> {
  const beginning = begun.values();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const part = beginning.next();
      return part.done === true ? rest.next() : part;
    },
    async return() {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
}
