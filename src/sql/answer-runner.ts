import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Column } from '../csv/rows.js';
import type { Answer } from '../datasets/queries.js';
import { answerBody } from '../windows/compile/answer-body.js';
import type { Select } from '../windows/compile/compile-window.js';
import { compileLines } from '../windows/compile/lines.js';
import { literal } from '../windows/compile/sql-text.js';
import type { OutputShape } from '../windows/shape.js';
import { Admission } from './admission.js';
import { answerLines } from './answer-lines.js';
import type { DamagedDays, SealedFile } from './damaged-days.js';
import { fetchingDays } from './days-away.js';
import type { Engine } from './engine.js';
import { sqlTooManyRows } from './errors.js';
import { withFirstPiece } from './first-piece.js';
import type { Session, SessionOptions } from './session.js';
import { readingSameDays } from './watched-days.js';

/**
 * Four windows at a time keep both permits of DuckDB busy. A burst of a thousand (fifty viewers with twenty panels) may
 * wait; after ten seconds it is better to let the panel retry.
 */
const WINDOWS = { permits: 4, mostWaiting: 1_000, longestWait: 10_000 };
/** Ad-hoc SQL: one query computes at a time, for up to ten seconds. */
const OUTSIDE = { permits: 2, mostWaiting: 20, longestWait: 10_000 };

/** An answer whose lines are there already, see `answerBody`. */
export interface WrittenAnswer {
  readonly columns: readonly Column[];
  readonly lines: AsyncIterable<Buffer>;
}

/** How a SELECT is computed. */
export interface Terms {
  readonly shape: OutputShape;
  readonly session: Pick<SessionOptions, 'caller' | 'limit' | 'now'>;
  readonly mostRows: number | null;
  /** Brings what `compile` uses up to date. */
  readonly sync: () => Promise<unknown>;
  /** The files of sealed days that it may read. */
  readonly files: () => readonly SealedFile[];
  /** Translates DuckDB's error for the client. */
  readonly explain: (error: unknown) => unknown;
}

/** What an answer is read from. */
export type Compile = (session: Session) => Promise<Select | WrittenAnswer>;

/** Computes the SELECTs of windows and of ad-hoc SQL, as many at a time as DuckDB can take. */
export class AnswerRunner {
  readonly #engine: Engine;
  readonly #damagedDays: DamagedDays;
  readonly #admissions = { service: new Admission(WINDOWS), outside: new Admission(OUTSIDE) };

  constructor(engine: Engine, damagedDays: DamagedDays) {
    this.#engine = engine;
    this.#damagedDays = damagedDays;
  }

  /**
   * Computes the SELECT that `compile` returns; the session stays open until the answer was read. Resolves with the first
   * piece of the answer: computing that takes a permit, reading the rest does not.
   */
  run(terms: Terms, signal: AbortSignal, compile: Compile): Promise<Answer> {
    const admission = this.#admissions[terms.session.caller];
    const start = () => admission.run(() => this.#start(terms, signal, compile), signal);
    return fetchingDays(this.#engine.days, start, signal);
  }

  async #start(terms: Terms, signal: AbortSignal, compile: Compile): Promise<Answer> {
    const attempt = () => this.#attempt(terms, signal, compile);
    try {
      const undamaged = () => this.#damagedDays.around(terms.files, attempt);
      return await readingSameDays(undamaged, async () => void (await terms.sync()));
    } catch (error) {
      throw terms.explain(error);
    }
  }

  async #attempt(terms: Terms, signal: AbortSignal, compile: Compile): Promise<Answer> {
    const session = await this.#engine.open({ ...terms.session, signal });
    try {
      const select = await compile(session);
      if ('lines' in select) {
        await session.checkDays();
        await session.close();
        return { columns: select.columns, body: answerBody(select.columns, terms.shape, select.lines) };
      }
      const read = { pieces: 0 };
      const body = await this.#body(session, select, terms, { signal, read });
      // The first piece is all of a small answer.
      await session.checkDays().catch(async (error: unknown) => {
        await body[Symbol.asyncIterator]().return?.();
        throw error;
      });
      const checked = read.pieces;
      const check = async () => {
        // A file that is replaced now has no part in an answer that was read before.
        if (read.pieces > checked) await session.checkDays();
      };
      return { columns: select.columns, body: this.#explained(body, check, terms) };
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async #body(
    session: Session,
    select: Select,
    terms: Terms,
    { signal, read }: { readonly signal: AbortSignal; readonly read: { pieces: number } },
  ): Promise<AsyncIterable<Buffer>> {
    const { shape, mostRows } = terms;
    if (shape.format === 'parquet') return withFirstPiece(this.#parquet(session, select, mostRows));
    const lines = answerLines(session, compileLines(select, shape), signal, (rows) => {
      if (mostRows !== null && rows > mostRows) throw sqlTooManyRows(mostRows);
    });
    return answerBody(select.columns, shape, await withFirstPiece(counted(lines, read)));
  }

  /** Parquet has its metadata at the end, so it is written to the scratch folder and sent from there. */
  async *#parquet(session: Session, select: Select, mostRows: number | null): AsyncGenerator<Buffer> {
    const path = this.#engine.scratch.path('parquet');
    try {
      await session.run(`CREATE OR REPLACE TEMP TABLE answer AS ${select.sql}`, select.values);
      const [[count] = []] = await session.rows('SELECT count(*) FROM answer');
      if (mostRows !== null && Number(count) > mostRows) throw sqlTooManyRows(mostRows);
      await session.run(`COPY answer TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
      await session.run('DROP TABLE answer');
      for await (const part of createReadStream(path)) yield part as Buffer;
    } finally {
      await session.close();
      await rm(path, { force: true });
    }
  }

  /** An answer that fails half way cannot be repeated; a damaged day that stopped it is set aside for the next one. */
  async *#explained(
    body: AsyncIterable<Buffer>,
    check: () => Promise<void>,
    { files, explain }: Terms,
  ): AsyncGenerator<Buffer> {
    const before = files();
    try {
      yield* body;
      await check();
    } catch (error) {
      await this.#damagedDays.examine(before, files, error);
      throw explain(error);
    }
  }
}

/** The same pieces, counted as they are read. */
async function* counted(pieces: AsyncIterable<Buffer>, read: { pieces: number }): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    read.pieces += 1;
    yield piece;
  }
}
