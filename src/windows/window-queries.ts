import type { Clock } from '../base/clock.js';
import type { LocalDays } from '../base/local-days.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Answer, Parameters, Queries, Query } from '../datasets/queries.js';
import type { Relation } from '../datasets/relation.js';
import { directCost, MOST_DIRECT } from './cost.js';
import { Declined } from './direct/declined.js';
import { answerAtOnce, type DirectQuestion, directAnswer } from './direct/direct-answer.js';
import { RowStores } from './direct/row-stores.js';
import type { Rows } from './direct/rows.js';
import { sliceOf } from './direct/slice.js';
import { NoTimeColumn } from './errors.js';
import { parseWindow } from './parse-window.js';
import { SealedReach } from './sealed-reach.js';
import { CONTENT_TYPES, type OutputShape, parseShape } from './shape.js';
import { withTimeHint } from './time-hint.js';
import { isRelative, NOW_STANDS, windowKey } from './window-key.js';

export interface WindowQueriesOptions {
  readonly clock: Clock;
  /** Whose days `every` counts, and which days are sealed. */
  readonly localDays: LocalDays;
  /** Answers everything else. It is not used before that, so that DuckDB may never be loaded. */
  readonly next: Queries;
}

/**
 * Decides who answers a window. A small window of rows in memory is a slice of bytes, computed here. DuckDB answers windows
 * that reach into sealed days, would occupy the event loop too long (`cost.ts`), are Parquet, are of a view, or have cells
 * in a form that only DuckDB can interpret; and SQL. Both return the same bytes.
 */
export class WindowQueries implements Queries {
  readonly #clock: Clock;
  readonly #localDays: LocalDays;
  readonly #next: Queries;
  readonly #stores: RowStores;
  readonly #sealed: SealedReach;

  constructor({ clock, localDays, next }: WindowQueriesOptions) {
    this.#clock = clock;
    this.#localDays = localDays;
    this.#next = next;
    this.#stores = new RowStores(clock);
    this.#sealed = new SealedReach(localDays);
  }

  async window(dataset: Dataset, parameters: Parameters): Promise<Query> {
    try {
      return await this.#answer(dataset, parameters);
    } catch (error) {
      throw error instanceof NoTimeColumn ? await withTimeHint(error, dataset) : error;
    }
  }

  sql(text: string, parameters: Parameters): Promise<Query> {
    return this.#next.sql(text, parameters);
  }

  async #answer(dataset: Dataset, parameters: Parameters): Promise<Query> {
    const shape = parseShape(parameters);
    const rows = shape.format === 'parquet' ? null : await this.#stores.rowsOf(dataset);
    const query = rows === null ? null : this.#direct(dataset as Relation, parameters, shape, rows);
    return query ?? this.#next.window(dataset, parameters);
  }

  /** Null if DuckDB has to answer it. */
  #direct(dataset: Relation, parameters: Parameters, shape: OutputShape, rows: Rows): Query | null {
    const { name, keys, timeColumn } = dataset;
    const now = this.#clock.now();
    const window = parseWindow(parameters, { name, keys, timeColumn, columns: rows.columns }, now);
    if (this.#sealed.reaches(window.time, dataset.sealedDays)) return null;
    const slice = sliceOf(window, rows);
    if (slice === null || directCost(window, shape, slice) > MOST_DIRECT) return null;
    const question = { window, shape, slice, localDays: this.#localDays };
    return {
      key: windowKey(window, shape),
      version: rows.state,
      until: isRelative(window) ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: dataset.status().readAt,
      atOnce: () => answerAtOnce(question),
      run: (signal) => this.#run(question, dataset, parameters, signal),
    };
  }

  async #run(
    question: DirectQuestion,
    dataset: Dataset,
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      return await directAnswer(question, signal);
    } catch (error) {
      if (!(error instanceof Declined)) throw error;
      const query = await this.#next.window(dataset, parameters);
      return query.run(signal);
    }
  }
}
