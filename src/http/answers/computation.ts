import type { Query } from '../../datasets/queries.js';

/** A complete result, or the beginning of one that exceeds the limit with an iterator over the rest. */
export type Collected =
  | { readonly bytes: Buffer }
  | { readonly begun: readonly Buffer[]; readonly rest: AsyncIterator<Buffer> };

/** Why a computation is stopped. One for all: a `DOMException` with its stack takes long to make. */
export const NOBODY_WAITS = new DOMException('Nobody waits for this result any more', 'AbortError');

/** One running query shared by all requests for it. It is stopped when the last of them is gone. */
export class Computation {
  readonly collected: Promise<Collected>;
  readonly #stop = new AbortController();
  #waiting = 0;
  #isTaken = false;
  #isComplete = false;

  /** `limit`: bytes up to which the result is collected. */
  constructor(query: Query, limit: number) {
    this.collected = collect(query, limit, this.#stop.signal);
    // Those who wait see a failure. If nobody is left, it must not be an unhandled rejection.
    this.collected.then(
      (collected) => {
        this.#isComplete = 'bytes' in collected;
      },
      () => {},
    );
  }

  /** Whether it was stopped because nobody waits any more. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Adds a waiting request, until `gone` aborts or the returned function is called. */
  join(gone: AbortSignal): () => void {
    this.#waiting += 1;
    const leave = () => {
      gone.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isComplete) this.#stop.abort(NOBODY_WAITS);
    };
    gone.addEventListener('abort', leave, { once: true });
    return leave;
  }

  /** Claims the stream of a large result: true for the first caller only. The others must compute it again. */
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
