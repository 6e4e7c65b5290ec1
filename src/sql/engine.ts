import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { projectRoot } from '../base/project.js';
import { Semaphore } from '../base/semaphore.js';
import { ALL_HERE, type DayFiles } from '../history/day-files.js';
import { literal } from '../windows/compile/sql-text.js';
import { Scratch } from './scratch.js';
import { Session, type SessionOptions } from './session.js';
import { WatchedDays } from './watched-days.js';

/** Not beside this module, which may be part of a bundle. */
const MACROS = join(projectRoot, 'dist', 'src', 'sql', 'macros.sql');
/** Enough for aggregates over millions of rows; beyond it DuckDB spills to the scratch folder. */
const MEMORY_LIMIT = '256MB';
/** More threads than this do not make queries faster. */
const MOST_THREADS = 4;
/**
 * DuckDB calls of the service at a time. Each holds one of Node's four worker threads while it computes, and files,
 * compression and hashes need the others.
 */
const SERVICE_PERMITS = 2;
/** Ad-hoc SQL may take long: only one of its calls computes at a time, in addition to the service's own. */
const OUTSIDE_PERMITS = 1;

export interface EngineOptions {
  /** The data folder: SQL can read only this, the scratch folder and `copiesDir`. */
  readonly dataDir: string;
  /** An IANA name; determines local days. */
  readonly timeZone: string;
  /** Brings the files of sealed days here; absent: all are. */
  readonly storedDays?: DayFiles;
  /** Another folder that may have such files; null or absent: there is none. */
  readonly copiesDir?: string | null;
}

/**
 * DuckDB, in memory, in this process: it holds nothing that is not on the volume. It can access only the folders that it is
 * given and the scratch folder, and its configuration is locked. `service_now()` returns the session's `now`.
 */
export class Engine {
  readonly scratch: Scratch;
  readonly days: DayFiles;
  readonly watched: WatchedDays;
  readonly #instance: DuckDBInstance;
  readonly #permits = { service: new Semaphore(SERVICE_PERMITS), outside: new Semaphore(OUTSIDE_PERMITS) };
  readonly #idle: DuckDBConnection[] = [];
  readonly #sessions = new Set<Session>();
  /** An end for each session that is open or being opened. */
  readonly #ends = new Set<Promise<void>>();
  /** Ends what `alone` does now; null: nothing. */
  #alone: Promise<void> | null = null;
  /** How often the columns of a file got other names, by path. */
  readonly #versions = new Map<string, number>();
  #renames = 0;
  #closed: Promise<void> | null = null;

  private constructor(instance: DuckDBInstance, scratch: Scratch, days: DayFiles) {
    this.days = days;
    this.watched = new WatchedDays(days, (path) => this.renamedIn(path));
    this.#instance = instance;
    this.scratch = scratch;
  }

  static async open({
    dataDir,
    timeZone,
    storedDays = ALL_HERE,
    copiesDir = null,
  }: EngineOptions): Promise<Engine> {
    const scratch = new Scratch();
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(Math.min(MOST_THREADS, availableParallelism())),
      memory_limit: MEMORY_LIMIT,
      temp_directory: scratch.folder,
    });
    const engine = new Engine(instance, scratch, storedDays);
    await engine.session({ caller: 'service' }, async (session) => {
      await session.run(`SET GLOBAL TimeZone = ${literal(timeZone)}`);
      await session.run('SET GLOBAL parquet_metadata_cache = true');
      // This optimisation computes equal parts of a statement once, in any row order; a window numbers rows in their order.
      await session.run("SET GLOBAL disabled_optimizers = 'common_subplan'");
      await session.run('CREATE SCHEMA raw');
      await session.run(`CREATE MACRO service_now() AS to_timestamp(getvariable('now') / 1000)`);
      await session.run(await readFile(MACROS, 'utf8'));
      const readable = [dataDir, scratch.folder, ...(copiesDir === null ? [] : [copiesDir])];
      const folders = readable.map(literal).join(', ');
      await session.run(`SET GLOBAL allowed_directories = [${folders}]`);
      await session.run('SET GLOBAL enable_external_access = false');
      await session.run('SET GLOBAL lock_configuration = true');
    });
    return engine;
  }

  /** Runs `work` with a session that is closed afterwards. */
  async session<T>(options: SessionOptions, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.open(options);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /** Opens a session that the caller closes: for streamed answers. */
  async open(options: SessionOptions): Promise<Session> {
    while (this.#alone !== null) await this.#alone;
    const end = this.#begin();
    const connection = await this.#connect().catch((error: unknown) => {
      end();
      throw error;
    });
    const session: Session = new Session(
      connection,
      this.#permits[options.caller],
      this,
      options,
      (reusable) => {
        this.#sessions.delete(session);
        end();
        if (reusable) this.#idle.push(connection);
        else connection.disconnectSync();
      },
    );
    this.#sessions.add(session);
    if (options.now === undefined) return session;
    try {
      await session.run(`SET VARIABLE now = ${options.now}`);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** Resolves when the sessions open now have ended; null: none is open. */
  sessionsEnded(): Promise<void> | null {
    if (this.#ends.size === 0) return null;
    return Promise.all(this.#ends).then(() => undefined);
  }

  /**
   * Runs short work while no session is open; those that are opened meanwhile wait. Resolves to false, without having run
   * it, if the open ones do not end within that many milliseconds.
   */
  async alone(patience: number, work: () => Promise<void>): Promise<boolean> {
    while (this.#alone !== null) await this.#alone;
    let reopen = () => {};
    this.#alone = new Promise((resolve) => {
      reopen = resolve;
    });
    try {
      const isOver = setTimeout(patience, false, { ref: false });
      if ((await Promise.race([this.sessionsEnded() ?? true, isOver])) === false) return false;
      await work();
      return true;
    } finally {
      this.#alone = null;
      reopen();
    }
  }

  /** Changes when the columns of that file get other names. */
  versionOf(path: string): number {
    return this.#versions.get(path) ?? 0;
  }

  /** Changes when the columns of any file get other names. */
  get renames(): number {
    return this.#renames;
  }

  /** The columns of that file have other names now. */
  renamedIn(path: string): void {
    this.#renames += 1;
    this.#versions.set(path, this.versionOf(path) + 1);
  }

  /** Returns what to call at the end of a session. */
  #begin(): () => void {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#ends.add(ended);
    return () => {
      this.#ends.delete(ended);
      end();
    };
  }

  async #connect(): Promise<DuckDBConnection> {
    if (this.#closed !== null) throw engineClosed();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = await this.#instance.connect().catch((error: unknown) => {
      throw this.#closed === null ? error : engineClosed();
    });
    if (this.#closed === null) return connection;
    connection.disconnectSync();
    throw engineClosed();
  }

  /** Interrupts running statements and frees everything. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    for (const connection of this.#idle) connection.disconnectSync();
    this.#instance.closeSync();
    await this.scratch.close();
  }
}

function engineClosed(): DOMException {
  return new DOMException('The engine was closed', 'AbortError');
}
