import type { Clock } from '../../base/clock.js';
import { hashOf, hashOfSmall } from '../../base/hash.js';
import type { Query } from '../../datasets/queries.js';
import { MAX_WINDOW_KEPT, WINDOW_CACHE } from '../limits.js';
import { ByteCache } from './byte-cache.js';
import { type Collected, Computation } from './computation.js';
import { Representation } from './representation.js';

/** A complete answer, or a stream of one that is too large to cache. */
export type WindowAnswer =
  | { readonly representation: Representation }
  | { readonly stream: AsyncIterable<Buffer> };

interface Kept {
  readonly representation: Representation;
  readonly version: string;
  readonly until: number | null;
}

/** Caches windows and results of SQL, each computed once for all requests that arrive at the same time. */
export class WindowAnswers {
  readonly #clock: Clock;
  readonly #cache: ByteCache<Kept>;
  readonly #running = new Map<string, Computation>();

  /** `limit`: total bytes in the cache. */
  constructor(clock: Clock, limit = WINDOW_CACHE) {
    this.#clock = clock;
    this.#cache = new ByteCache(limit);
  }

  /** Total bytes in the cache. */
  get bytes(): number {
    return this.#cache.bytes;
  }

  /** The cached answer if it is up to date; undefined if it has to be computed. */
  kept(query: Query): Representation | undefined {
    const kept = this.#cache.get(query.key);
    if (kept === undefined) return undefined;
    if (kept.version === query.version && (kept.until === null || kept.until > this.#clock.now())) {
      return kept.representation;
    }
    this.#cache.delete(query.key);
    return undefined;
  }

  /** Makes and caches an answer that needs no computation (`Query.atOnce`); null: it needs one. */
  atOnce(query: Query): Representation | null {
    const bytes = query.atOnce?.() ?? null;
    return bytes === null ? null : this.#keep(query, bytes, hashOfSmall(bytes));
  }

  /** Computes and caches an answer. `gone` aborts when the client disconnects. Rejects as `Query.run` does. */
  async compute(query: Query, gone: AbortSignal): Promise<WindowAnswer> {
    gone.throwIfAborted();
    const computation = this.#join(query);
    const leave = computation.join(gone);
    const collected = await computation.collected;
    if ('bytes' in collected) {
      leave();
      const { bytes } = collected;
      return { representation: this.#keep(query, bytes, await hashOf(bytes)) };
    }
    if (computation.take()) return { stream: streamOf(collected) };
    leave();
    const { body } = await query.run(gone);
    return { stream: body };
  }

  /** The running computation of the same query, or a new one. */
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

  #keep(query: Query, bytes: Buffer, hash: string): Representation {
    const other = this.kept(query);
    // Requests that waited together share what the first of them cached.
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
 * The collected beginning followed by the rest. Ending the iteration ends the query. Not a generator: returning one that
 * was never started would not end the query.
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
