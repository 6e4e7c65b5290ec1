import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.js';
import { DynamoCsvError } from '../base/errors.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Answer, Parameters, Queries, Query } from '../datasets/queries.js';
import { answerBody } from '../windows/compile/answer-body.js';
import { compileWindow, type Select } from '../windows/compile/compile-window.js';
import { compileLines } from '../windows/compile/lines.js';
import { compilePivotValues } from '../windows/compile/pivot-sql.js';
import { literal } from '../windows/compile/sql-text.js';
import { badParameter } from '../windows/errors.js';
import { named, SHAPE_PARAMETERS } from '../windows/parameters.js';
import { parseWindow } from '../windows/parse-window.js';
import { CONTENT_TYPES, type OutputShape, parseShape } from '../windows/shape.js';
import { isRelative, shapeKey, windowKey } from '../windows/window-key.js';
import { answerLines } from './answer-lines.js';
import type { Catalog } from './catalog.js';
import { columnOf } from './computed-columns.js';
import type { Engine } from './engine.js';
import { sqlFailed, sqlRefused, sqlTooManyRows } from './errors.js';
import { withPrunedPartitions } from './partition-pruning.js';
import { readDuckDbError, SelectMistake } from './select-mistake.js';
import type { SelectParser } from './select-parser.js';
import type { Session, SessionOptions } from './session.js';
import { NOW_STANDS, readTogether, syncAll } from './sql-dataset.js';

/** Milliseconds that a window may compute: nobody waits longer for a panel. */
const WINDOW_LIMIT = 30_000;
/** The same for foreign SQL, of which one runs at a time. */
const FOREIGN_LIMIT = 10_000;
/** Rows that foreign SQL may answer with. */
const FOREIGN_ROWS = 1_000_000;

export interface SqlQueriesOptions {
  readonly engine: Engine;
  readonly parser: SelectParser;
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** How a SELECT is computed. */
interface Terms {
  readonly shape: OutputShape;
  readonly session: Pick<SessionOptions, 'lane' | 'limit' | 'now'>;
  readonly mostRows: number | null;
  /** What DuckDB's error means to the one who asked. */
  readonly explain: (error: unknown) => unknown;
}

/** Windows and foreign SQL, computed by DuckDB. */
export class SqlQueries implements Queries {
  readonly #engine: Engine;
  readonly #parser: SelectParser;
  readonly #catalog: Catalog;
  readonly #clock: Clock;

  constructor({ engine, parser, catalog, clock }: SqlQueriesOptions) {
    this.#engine = engine;
    this.#parser = parser;
    this.#catalog = catalog;
    this.#clock = clock;
  }

  async window(dataset: Dataset, parameters: Parameters): Promise<Query> {
    const shape = parseShape(parameters);
    const table = this.#catalog.of(dataset);
    await table.sync();
    const { columns } = table.table({ from: null, to: null });
    const { name, keys, timeColumn } = dataset;
    const now = this.#clock.now();
    const windowed = { name, keys, timeColumn, columns: columns.map(({ column }) => column) };
    const window = parseWindow(parameters, windowed, now);
    const range = { from: window.time?.from ?? null, to: window.time?.to ?? null };
    const terms: Terms = {
      shape,
      // Only a view too large to be kept asks for the time here.
      session: { lane: 'ours', limit: WINDOW_LIMIT, ...(dataset.kind === 'view' ? { now } : {}) },
      mostRows: null,
      explain: (error) => error,
    };
    return {
      key: windowKey(window, shape),
      version: table.state,
      until: isRelative(window) ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: dataset.status().readAt,
      run: (signal) =>
        this.#run(terms, signal, async (session) => {
          // It may have been loaded anew, with other columns, since the window was understood.
          await readTogether(session, [table]);
          const source = table.table(range);
          const values = compilePivotValues(window, source);
          const found = values === null ? [] : await session.rows(values.sql, values.values);
          return compileWindow(
            window,
            source,
            found.map(([value]) => String(value)),
          );
        }),
    };
  }

  async sql(text: string, parameters: Parameters): Promise<Query> {
    refuseOthers(parameters);
    const shape = parseShape(parameters);
    const now = this.#clock.now();
    const select = await this.#parser.parse(text).catch((error: unknown) => {
      throw refusal(error);
    });
    const inputs = select.tables.map((table) => this.#catalog.find(table));
    const tables = this.#catalog.tables(inputs);
    const state = await syncAll([...tables.values()]);
    const times = inputs.flatMap((input) => input.status().readAt ?? []);
    const terms: Terms = {
      shape,
      session: { lane: 'foreign', limit: FOREIGN_LIMIT, now },
      mostRows: FOREIGN_ROWS,
      explain: refusal,
    };
    return {
      key: `${shapeKey(shape)} ${select.sql}`,
      version: state,
      until: select.dependsOnNow ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: times.length === 0 ? null : Math.min(...times),
      run: (signal) =>
        this.#run(terms, signal, async (session) => {
          const { withDays } = await withPrunedPartitions(session, select, tables);
          const columns = await columnsOf(session, select.sql, withDays);
          return {
            sql: `${withDays}SELECT * FROM (${select.sql}\n) LIMIT ${FOREIGN_ROWS + 1}`,
            values: [],
            columns: columns.map(({ name, type }) => columnOf(name, type)),
            types: columns.map(({ type }) => type),
          };
        }),
    };
  }

  /** Computes what `compile` gives; the session lives until the answer was read. */
  async #run(
    terms: Terms,
    signal: AbortSignal,
    compile: (session: Session) => Promise<Select>,
  ): Promise<Answer> {
    const session = await this.#engine.open({ ...terms.session, signal });
    try {
      const select = await compile(session);
      const body =
        terms.shape.format === 'parquet'
          ? this.#parquet(session, select, terms)
          : this.#text(session, select, terms, signal);
      return { columns: select.columns, body: explained(body, terms.explain) };
    } catch (error) {
      await session.close();
      throw terms.explain(error);
    }
  }

  #text(session: Session, select: Select, terms: Terms, signal: AbortSignal): AsyncIterable<Buffer> {
    const { shape, mostRows } = terms;
    const lines = answerLines(session, compileLines(select, shape), signal, (rows) => {
      if (mostRows !== null && rows > mostRows) throw sqlTooManyRows(mostRows);
    });
    return answerBody(select.columns, shape, lines);
  }

  /** Parquet has its table of contents at the end: it is written to the scratch folder and sent from there. */
  async *#parquet(session: Session, select: Select, { mostRows }: Terms): AsyncGenerator<Buffer> {
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
}

async function* explained(
  body: AsyncIterable<Buffer>,
  explain: Terms['explain'],
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  }
}

/** Foreign SQL says itself which rows and columns it wants: beside it stand parameters of the output only. */
function refuseOthers(parameters: Parameters): void {
  const other = parameters.find(([name]) => !SHAPE_PARAMETERS.some((known) => known === name));
  if (other === undefined) return;
  throw badParameter(
    `${named(other[0])}: SQL has no such parameter`,
    `say it in the SQL; the output has ${SHAPE_PARAMETERS.join(', ')}`,
  );
}

/** What a foreign SELECT gives; a mistake in it is told with its place in the text. `withDays`: see `withPrunedPartitions`. */
async function columnsOf(session: Session, sql: string, withDays: string): ReturnType<Session['describe']> {
  try {
    // On lines of its own, so that columns count from its beginning.
    return await session.describe(`${withDays}SELECT * FROM (\n${sql}\n)`);
  } catch (error) {
    throw refusal(error, 1);
  }
}

/**
 * Foreign SQL that does not work is a mistake of the one who asked. `linesBefore`: lines of ours before the text; null: it
 * stands somewhere in a statement of ours, so that DuckDB's place says nothing about the text.
 */
function refusal(error: unknown, linesBefore: number | null = null): unknown {
  if (error instanceof SelectMistake) {
    return error.remedy === null
      ? sqlFailed(error.message, error.place)
      : sqlRefused(error.message, error.remedy);
  }
  if (error instanceof DynamoCsvError || !(error instanceof Error) || error.name !== 'Error') return error;
  const { reason, place } = readDuckDbError(error);
  const isTold = place !== null && linesBefore !== null && place.line > linesBefore;
  return sqlFailed(reason, isTold ? { ...place, line: place.line - linesBefore } : null);
}
