import type { Query } from '../../datasets/queries.js';

/** An answer that fitted, whole; or the beginning of one that did not, with what is still to come. */
export type Collected =
  | { readonly bytes: Buffer }
  | { readonly begun: readonly Buffer[]; readonly rest: AsyncIterator<Buffer> };

/**
 * One running query and those who wait for its answer. It is stopped when the last of them has gone, not before.
 * `limit`: bytes up to which the answer is collected.
 */
export class Computation {
  readonly collected: Promise<Collected>;
  readonly #stop = new AbortController();
  #waiting = 0;
  #isTaken = false;

  constructor(query: Query, limit: number) {
    this.collected = collect(query, limit, this.#stop.signal);
    // Whoever waits hears of a failure; when all have gone nobody does.
    this.collected.catch(() => {});
  }

  /** Whether everybody has gone, so that it leads nowhere any more. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Waits with the others, until `gone` aborts or the function that is returned is called. */
  join(gone: AbortSignal): () => void {
    this.#waiting += 1;
    const leave = () => {
      gone.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#stop.abort();
    };
    gone.addEventListener('abort', leave, { once: true });
    return leave;
  }

  /** Only one can read a stream: the first who asks may, and everybody else computes again. */
  take(): boolean {
    const isFirst = !this.#isTaken;
    this.#isTaken = true;
    return isFirst;
  }
}

async function collect(query: Query, limit: number, signal: AbortSignal): Promise<Collected> {
  const { body } = await query.run(signal);
  const rest = body[Symbol.asyncIterator]();
  const begun: Buffer[] = [];
  let size = 0;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return { bytes: begun.length === 1 ? begun[0]! : Buffer.concat(begun) };
    begun.push(next.value);
    size += next.value.length;
    if (size > limit) return { begun, rest };
  }
}
