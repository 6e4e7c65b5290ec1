import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBValue,
  DuckDBVarCharVector,
} from '@duckdb/node-api';
import type { Semaphore } from '../base/semaphore.js';
import type { DayFiles, Hold } from '../history/day-files.js';
import { DaysAway } from './days-away.js';
import { queryTimedOut } from './errors.js';
import { textAt } from './read-lines.js';
import type { FileId, WatchedDays } from './watched-days.js';

export interface SessionOptions {
  /** `service`: windows, views and loading; `outside`: ad-hoc SQL. */
  readonly caller: 'service' | 'outside';
  /** Milliseconds that DuckDB may compute in all for this session; null or absent: no limit. */
  readonly limit?: number | null;
  readonly signal?: AbortSignal;
  /** What `service_now()` returns, milliseconds since the epoch; absent: the SQL does not call it. */
  readonly now?: number;
}

/** A value that is bound to `$1`, `$2`, … */
export type SqlValue = string | number | bigint | boolean | null;

/**
 * One connection to DuckDB for one piece of work. Every call waits for a permit, computes off the event loop, and is
 * interrupted when the signal aborts or the session's time is used up.
 */
export class Session {
  readonly #connection: DuckDBConnection;
  readonly #permits: Semaphore;
  readonly #days: DayFiles;
  readonly #watched: WatchedDays;
  /** The files for which its SQL was made. */
  readonly #noted = new Map<string, FileId>();
  /** Files of sealed days that stay here until the session ends. */
  readonly #holds: Hold[] = [];
  /** Aborts when the session's time is used up, when its client has gone, or when it is closed. */
  readonly #stopped = new AbortController();
  readonly #limit: number | null;
  readonly #release: (reusable: boolean) => void;
  readonly #forget: () => void;
  #used = 0;
  #running: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;
  #hasStreamed = false;
  /** A connection that failed or was interrupted is not used again. */
  #reusable = true;
  #hasSnapshot = false;
  #isReleased = false;

  constructor(
    connection: DuckDBConnection,
    permits: Semaphore,
    { days, watched }: { readonly days: DayFiles; readonly watched: WatchedDays },
    options: SessionOptions,
    release: (reusable: boolean) => void,
  ) {
    this.#connection = connection;
    this.#permits = permits;
    this.#days = days;
    this.#watched = watched;
    this.#limit = options.limit ?? null;
    this.#release = release;
    const { signal } = options;
    // Also close it: a disconnected client may never have started reading the answer, whose end would close it.
    const stop = () => {
      this.#stopped.abort(signal?.reason);
      void this.close();
    };
    this.#forget = () => signal?.removeEventListener('abort', stop);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  }

  /** Keeps files of sealed days here until the session ends. Throws `DaysAway` if some are not here: see `fetchingDays`. */
  needs(paths: readonly string[]): void {
    if (paths.length === 0) return;
    for (const [path, id] of this.#watched.noted(paths)) this.#noted.set(path, id);
    const hold = this.#days.tryHold(paths);
    if (hold === null) throw new DaysAway(paths);
    this.#holds.push(hold);
    // Closed meanwhile: nobody else will release it.
    if (this.#isReleased) hold.release();
  }

  /** Call after the rows were read: rejects with `DAY_REWRITTEN` if they may be of other columns than the SQL names. */
  async checkDays(): Promise<void> {
    if (this.#noted.size > 0) await this.#watched.check([...this.#noted]);
  }

  /** Runs a statement for its effect. */
  async run(sql: string, values: readonly SqlValue[] = []): Promise<void> {
    await this.#call(() => this.#connection.run(sql, [...values]));
  }

  /**
   * From here on the session reads the data as of now, whatever others load meanwhile, so that columns and types still
   * match when the rows are read.
   */
  async snapshot(): Promise<void> {
    if (this.#hasSnapshot) await this.run('ROLLBACK');
    this.#hasSnapshot = true;
    // DuckDB takes the snapshot at the first access to its catalogue, not at BEGIN.
    await this.run('BEGIN; SELECT service_now()');
  }

  /** The effects of `work` become visible all at once, or not at all; it reads the data as of its beginning. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.snapshot();
    const result = await work();
    await this.commit();
    return result;
  }

  /** Makes the effects since `snapshot` visible, all at once. */
  async commit(): Promise<void> {
    await this.run('COMMIT');
    this.#hasSnapshot = false;
  }

  /** A small result as rows of JavaScript values. */
  async rows(sql: string, values: readonly SqlValue[] = []): Promise<readonly (readonly DuckDBValue[])[]> {
    const chunks = await this.#call(async () => {
      const result = await this.#connection.run(sql, [...values]);
      return result.fetchAllChunks();
    });
    return chunks.flatMap(rowsOf);
  }

  /** Names and types of a query's columns, without running it. */
  async describe(sql: string): Promise<readonly { readonly name: string; readonly type: string }[]> {
    const rows = await this.rows(`DESCRIBE ${sql}`);
    return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
  }

  /** A large result, fetched chunk by chunk; call `snapshot` first. The session must stay open until it is read. */
  async stream(sql: string, values: readonly SqlValue[] = []): Promise<DuckDBResult> {
    this.#hasStreamed = true;
    const result = await this.#call(() => this.#connection.stream(sql, [...values]));
    const fetch = result.fetchChunk.bind(result);
    result.fetchChunk = () => this.#call(fetch);
    return result;
  }

  /** Interrupts the running statement; resolves when nothing is running. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#forget();
    this.#stopped.abort(new DOMException('The session was closed', 'AbortError'));
    await this.#running;
    if (this.#hasSnapshot || this.#hasStreamed) await this.#releaseMemory();
    this.#isReleased = true;
    for (const hold of this.#holds) hold.release();
    this.#release(this.#reusable);
  }

  /**
   * A streamed result holds up to a megabyte, and its snapshot keeps everything replaced meanwhile, until the object is
   * garbage-collected, even if the connection is closed; and V8 does not know about that memory. The next statement on
   * the connection releases it.
   */
  async #releaseMemory(): Promise<void> {
    try {
      await this.#connection.run(this.#hasSnapshot ? 'ROLLBACK' : 'SELECT 1');
    } catch {
      this.#reusable = false; // a failed statement has ended the snapshot
    }
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#permits.run(() => this.#timed(work), this.#stopped.signal);
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
      // An interrupted result looks like a complete one.
      signal.throwIfAborted();
      return result;
    } catch (error) {
      this.#reusable = false;
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
 * Interrupts a call repeatedly until it has ended: DuckDB ignores an interruption that comes before it has begun the
 * statement.
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
