import type { Clock } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import { digest, hashOf } from '../base/hash.js';
import type { Logger } from '../base/logger.js';
import type { Semaphore } from '../base/semaphore.js';
import { encodeFile } from '../csv/encode.js';
import type { Column } from '../csv/rows.js';
import type { Content, DatasetStatus, Definition } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import { freshnessOf } from '../datasets/freshness.js';
import type { Relation } from '../datasets/relation.js';
import type { EngineViewText } from '../sql/view-file.js';
import type { Files } from '../volume/files.js';
import type { AthenaResult } from './athena.js';
import { rowsOf } from './cells.js';
import { priceOf } from './cost.js';
import { engineViewWrong } from './errors.js';
import type { KeptResult, ResultFile } from './result-file.js';

/** Milliseconds after a request that AWS did not answer, doubled with each further one. */
const AGAIN = 30_000;
const LONGEST_AGAIN = 10 * 60_000;

/** What computes a view. */
export interface Runner {
  /** `onStarted`: called once the query costs something. */
  run(sql: string, file: string, signal: AbortSignal, onStarted: () => void): Promise<AthenaResult>;
}

export interface EngineViewOptions {
  readonly text: EngineViewText;
  /** Milliseconds between two queries. */
  readonly every: number;
  /** Why the view cannot run at all; null: it can. */
  readonly mistake: DynamoCsvError | null;
  readonly result: ResultFile;
  readonly runner: () => Promise<Runner>;
  /** How many queries run at a time. */
  readonly slots: Semaphore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A view that another engine computes, again and again. Its last result is kept on the volume and served until the next
 * one, also after a restart, unless the view's text has changed.
 */
export class EngineView implements Relation {
  readonly kind = 'view';
  readonly name: string;
  readonly source: string;
  readonly description: string | null;
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly definition: Definition;
  readonly sealedDays = [];
  readonly #options: EngineViewOptions;
  #kept: KeptResult | null = null;
  #version: string | null = null;
  #persisted = true;
  #lastError: DatasetStatus['lastError'] = null;
  /** The view's own mistake, found by the last attempt; null: it has none. */
  #broken: DynamoCsvError | null = null;
  #nextAt: number | null = null;
  #failures = 0;

  constructor(options: EngineViewOptions) {
    const { name, file, sql, head } = options.text;
    this.#options = options;
    this.name = name;
    this.source = file;
    this.description = head.description;
    this.keys = head.keys;
    this.timeColumn = head.timeColumn;
    this.definition = { file, sql, uses: [] };
    if (options.mistake !== null) this.#failed(options.mistake);
  }

  get columns(): readonly Column[] | null {
    return this.#kept?.columns ?? null;
  }

  get version(): string | null {
    return this.#version;
  }

  status(): DatasetStatus {
    const kept = this.#kept;
    const { every, clock } = this.#options;
    return {
      rows: kept?.rows ?? null,
      bytes: kept?.bytes.length ?? null,
      readAt: kept?.readAt ?? null,
      interval: every,
      freshness: freshnessOf(kept?.readAt ?? null, every, clock.now()),
      nextPollAt: this.#nextAt,
      persisted: this.#persisted,
      lastError: this.#lastError,
      query: kept?.query ?? null,
    };
  }

  async content(): Promise<Content> {
    const kept = this.#kept;
    if (kept === null || this.#version === null) throw this.#missing();
    const { readAt, columns, rows, bytes, hash } = kept;
    return { version: this.#version, readAt, columns, rows, bytes, hash };
  }

  appendedSince(): null {
    return null;
  }

  /**
   * Takes the result on the volume, of an earlier run of the service or of another service, unless it has it already. One
   * that this service could not write does not count then.
   */
  async restore(): Promise<void> {
    const { result, logger, mistake } = this.#options;
    if (!(await result.hasChanged()) && this.#persisted) return;
    const kept = await result.read(logger);
    if (kept?.view !== this.#identity) return;
    this.#show(kept);
    this.#persisted = true;
    this.#nextAt = null;
    if (mistake !== null) return;
    this.#lastError = null;
    this.#broken = null;
  }

  /** Queries when the result is as old as the view allows, until the signal aborts. `files`: for writing the results. */
  async run(signal: AbortSignal, files: Files): Promise<void> {
    const { clock, every, mistake } = this.#options;
    if (mistake !== null) return;
    this.#nextAt = this.#kept === null ? clock.now() : this.#kept.readAt + every;
    while (!signal.aborted) {
      const wait = Math.min(Math.max(0, this.#nextAt - clock.now()), every);
      await clock.sleep(wait, signal).catch(() => undefined);
      const startedAt = clock.now();
      if (!signal.aborted) this.#nextAt = startedAt + (await this.#attempt(signal, files));
    }
  }

  /** Resolves to the milliseconds from its start until that of the next one. */
  async #attempt(signal: AbortSignal, files: Files): Promise<number> {
    const { every, slots } = this.#options;
    let isPaid = false;
    const onStarted = () => {
      isPaid = true;
    };
    try {
      await slots.run(() => this.#query(signal, files, onStarted), signal);
      this.#failures = 0;
      this.#lastError = null;
      this.#broken = null;
      return every;
    } catch (error) {
      if (signal.aborted) return every;
      this.#failed(error);
      // A query that ran costs what it read: the same one again would cost it again, and most likely fail again.
      if (isPaid || this.#broken !== null) return every;
      this.#failures += 1;
      return Math.min(AGAIN * 2 ** (this.#failures - 1), LONGEST_AGAIN, every);
    }
  }

  async #query(signal: AbortSignal, files: Files, onStarted: () => void): Promise<void> {
    const { text, runner, clock, logger, result } = this.#options;
    const readAt = clock.now();
    const found = await (await runner()).run(withoutSemicolon(text.sql), text.file, signal, onStarted);
    const rows = rowsOf(found);
    this.#requireColumns(rows.columns);
    const bytes = encodeFile(rows);
    const { queryId, bytesScanned, took } = found;
    const query = { engine: 'athena', id: queryId, bytesScanned, usd: priceOf(bytesScanned), took };
    const hash = await hashOf(bytes);
    const columns = rows.columns.map(({ name, type, seen }) => ({ name, type, seen }));
    const before = this.#kept;
    const kept = { view: this.#identity, readAt, hash, rows: rows.ends.length, columns, query, bytes };
    this.#show(kept);
    logger.info({ dataset: this.name, rows: kept.rows, ...query }, 'a view was computed by another engine');
    try {
      await result.write(kept, this.#persisted ? before : null, files);
      this.#persisted = true;
    } catch (error) {
      this.#persisted = false;
      logger.warn({ dataset: this.name }, `its result is not on the volume: ${describeError(error)}`);
    }
  }

  #requireColumns(columns: readonly Column[]): void {
    const { file, head } = this.#options.text;
    const names = new Set(columns.map(({ name }) => name));
    const missing = [...(head.timeColumn === null ? [] : [head.timeColumn]), ...head.keys].find(
      (name) => !names.has(name),
    );
    if (missing === undefined) return;
    const what = `its comment names the column ${JSON.stringify(missing)}, which its SQL does not give`;
    throw engineViewWrong(file, what, 'correct the line "-- time:" or "-- keys:"');
  }

  /** Why there is no result: the view's mistake, as for any view, or that none has come yet. */
  #missing(): DynamoCsvError {
    return this.#broken ?? datasetNotReadYet(this.name, this.#lastError);
  }

  #show(kept: KeptResult): void {
    this.#kept = kept;
    this.#version = digest([kept.hash, JSON.stringify(kept.columns)]);
  }

  /** Each failure is logged once, not at each attempt. */
  #failed(error: unknown): void {
    const { clock, logger } = this.#options;
    const message = describeError(error);
    const code = error instanceof DynamoCsvError ? error.code : 'VIEW_FAILED';
    if (this.#lastError?.message !== message) logger.error({ dataset: this.name, code }, message);
    this.#lastError = { code, message, at: clock.now() };
    this.#broken = code === 'VIEW_BROKEN' ? (error as DynamoCsvError) : null;
  }

  get #identity(): string {
    return digest([this.#options.text.sql]);
  }
}

function withoutSemicolon(sql: string): string {
  return sql.replace(/^\uFEFF/, '').replace(/;\s*$/, '');
}
