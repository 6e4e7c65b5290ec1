import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBValue,
  DuckDBVarCharVector,
} from '@duckdb/node-api';
import { queryTimedOut } from '../../base/errors.js';
import { textAt } from '../windows/read-lines.js';
import type { Lanes } from './lanes.js';

export interface SessionOptions {
  /** `ours`: windows, views and loading; `foreign`: SQL from outside. */
  readonly lane: 'ours' | 'foreign';
  /** Milliseconds that DuckDB may compute in all for this session; null or absent: no limit. */
  readonly limit?: number | null;
  readonly signal?: AbortSignal;
  /** What `service_now()` says, milliseconds since the epoch; absent: it is not asked. */
  readonly now?: number;
}

/** A value that is bound to `$1`, `$2`, … */
export type SqlValue = string | number | bigint | boolean | null;

/**
 * One connection to DuckDB for one piece of work. Every call waits for a lane, computes off the event loop, and is
 * interrupted when the signal aborts or the session's time is used up.
 */
export class Session {
  readonly #connection: DuckDBConnection;
  readonly #lanes: Lanes;
  /** Aborts when the session's time is used up, when the one who asked is gone, or when it is closed. */
  readonly #stopped = new AbortController();
  readonly #limit: number | null;
  readonly #release: (reusable: boolean) => void;
  readonly #forget: () => void;
  #used = 0;
  #running: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;
  #hasStreamed = false;
  /** A connection that was interrupted, or whose answer was not read to its end, is not used again. */
  #reusable = true;

  constructor(
    connection: DuckDBConnection,
    lanes: Lanes,
    options: SessionOptions,
    release: (reusable: boolean) => void,
  ) {
    this.#connection = connection;
    this.#lanes = lanes;
    this.#limit = options.limit ?? null;
    this.#release = release;
    const { signal } = options;
    if (signal?.aborted) this.#stopped.abort(signal.reason);
    const stop = () => this.#stopped.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    this.#forget = () => signal?.removeEventListener('abort', stop);
  }

  /** Runs a statement for its effect. */
  async run(sql: string, values: readonly SqlValue[] = []): Promise<void> {
    await this.#call(() => this.#connection.run(sql, [...values]));
  }

  /** Runs statements whose effects are seen all at once, or not at all. */
  async transaction(statements: readonly string[]): Promise<void> {
    await this.run('BEGIN');
    try {
      for (const statement of statements) await this.run(statement);
      await this.run('COMMIT');
    } catch (error) {
      this.#reusable = false; // closing the connection rolls back
      throw error;
    }
  }

  /** A small answer as rows of JavaScript values. */
  async rows(sql: string, values: readonly SqlValue[] = []): Promise<readonly (readonly DuckDBValue[])[]> {
    const chunks = await this.#call(async () => {
      const result = await this.#connection.run(sql, [...values]);
      return result.fetchAllChunks();
    });
    return chunks.flatMap(rowsOf);
  }

  /** Names and types of the answer's columns, without computing it. */
  async describe(sql: string): Promise<readonly { readonly name: string; readonly type: string }[]> {
    const rows = await this.rows(`DESCRIBE ${sql}`);
    return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
  }

  /** A large answer, fetched chunk by chunk. The session must stay open until it is read. */
  async stream(sql: string, values: readonly SqlValue[] = []): Promise<DuckDBResult> {
    this.#reusable = false;
    this.#hasStreamed = true;
    const result = await this.#call(() => this.#connection.stream(sql, [...values]));
    const fetch = result.fetchChunk.bind(result);
    result.fetchChunk = () => this.#call(fetch);
    return result;
  }

  /** Stops what is running, for good; resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopped.abort(new DOMException('The session was closed', 'AbortError'));
    await this.#running;
    this.#forget();
    if (this.#hasStreamed) await this.#dropStream();
    this.#release(this.#reusable);
  }

  /**
   * A streamed answer keeps what it was computed with, up to a megabyte, until its object is collected as garbage, and
   * nothing tells V8 that there is anything worth collecting: some hundred answers, and DuckDB's memory is used up. The
   * next statement on its connection lets go of it.
   */
  async #dropStream(): Promise<void> {
    await this.#connection.run('SELECT 1').then(ignore, ignore);
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#lanes.run(() => this.#timed(work), this.#stopped.signal);
    this.#running = call.then(ignore, ignore);
    return call;
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const left = this.#limit === null ? null : this.#limit - this.#used;
    if (left !== null && left <= 0) throw queryTimedOut(this.#limit!);
    const timer =
      left === null ? undefined : setTimeout(() => this.#stopped.abort(queryTimedOut(this.#limit!)), left);
    const { signal } = this.#stopped;
    const interrupting = new Interrupting(this.#connection);
    signal.addEventListener('abort', interrupting.start, { once: true });
    const started = performance.now();
    try {
      const result = await work();
      // A chunk of an interrupted answer comes as if the answer were at its end.
      signal.throwIfAborted();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      this.#used += performance.now() - started;
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupting.start);
      interrupting.end();
      if (signal.aborted) this.#reusable = false;
    }
  }
}

/** Milliseconds between two interruptions of one call. */
const INTERRUPT_EVERY = 20;

/**
 * Interrupts a call until it has ended: an interruption that comes before DuckDB has begun with the statement is
 * forgotten when it begins.
 */
class Interrupting {
  readonly #connection: DuckDBConnection;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  readonly start = (): void => {
    this.#connection.interrupt();
    this.#timer = setInterval(() => this.#connection.interrupt(), INTERRUPT_EVERY);
  };

  end(): void {
    clearInterval(this.#timer);
  }
}

function rowsOf(chunk: DuckDBDataChunk): DuckDBValue[][] {
  const vectors = Array.from({ length: chunk.columnCount }, (_, column) => chunk.getColumnVector(column));
  return Array.from({ length: chunk.rowCount }, (_, row) =>
    vectors.map((vector) =>
      vector instanceof DuckDBVarCharVector ? textAt(vector, row) : vector.getItem(row),
    ),
  );
}

function ignore(): void {}
