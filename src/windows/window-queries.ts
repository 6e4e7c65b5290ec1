import type { Clock } from '../base/clock.js';
import { LocalDays } from '../base/local-days.js';
import type { Column } from '../csv/rows.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Answer, Parameters, Queries, Query } from '../datasets/queries.js';
import type { Relation, SealedDay } from '../datasets/relation.js';
import { directCost, MOST_DIRECT } from './cost.js';
import { DayLasts, needsLastsOfDays } from './direct/day-lasts.js';
import { DayRows, joined } from './direct/day-rows.js';
import { Declined } from './direct/declined.js';
import { answerAtOnce, type DirectQuestion, directAnswer } from './direct/direct-answer.js';
import { RowStores } from './direct/row-stores.js';
import type { Rows } from './direct/rows.js';
import { sliceOf } from './direct/slice.js';
import type { DayBounds } from './direct/whole-days.js';
import { NoTimeColumn } from './errors.js';
import { parseWindow } from './parse-window.js';
import { SealedReach } from './sealed-reach.js';
import { CONTENT_TYPES, type OutputShape, parseShape } from './shape.js';
import { withTimeHint } from './time-hint.js';
import type { Window } from './window.js';
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
  readonly #days: DayRows;
  readonly #lasts: DayLasts;

  constructor({ clock, localDays, next }: WindowQueriesOptions) {
    this.#clock = clock;
    this.#localDays = localDays;
    this.#next = next;
    this.#stores = new RowStores(clock);
    this.#sealed = new SealedReach(localDays);
    this.#days = new DayRows(next, (date) => this.#boundsOf(date));
    this.#lasts = new DayLasts(next, localDays, (date) => this.#boundsOf(date));
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
    const query = rows === null ? null : await this.#direct(dataset as Relation, parameters, shape, rows);
    return query ?? this.#next.window(dataset, parameters);
  }

  /** Null if DuckDB has to answer it. */
  async #direct(
    dataset: Relation,
    parameters: Parameters,
    shape: OutputShape,
    unsealed: Rows,
  ): Promise<Query | null> {
    const { name, keys, timeColumn } = dataset;
    const now = this.#clock.now();
    const window = parseWindow(parameters, { name, keys, timeColumn, columns: unsealed.columns }, now);
    const days = this.#sealed.daysIn(window.time, dataset.sealedDays);
    const rows = days.length === 0 ? unsealed : await this.#withDays(dataset, window, days, unsealed);
    const slice = rows && sliceOf(window, rows);
    if (slice === null || directCost(window, shape, slice) > MOST_DIRECT) return null;
    const question = { window, shape, slice, localDays: this.#localDays };
    return {
      key: windowKey(window, shape),
      version: slice.rows.state,
      until: isRelative(window) ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: dataset.status().readAt,
      atOnce: () => answerAtOnce(question),
      run: (signal) => this.#run(question, dataset, parameters, signal),
    };
  }

  /** The rows of these sealed days and the unsealed ones, as far as a window reaches; null if DuckDB has to answer it. */
  async #withDays(
    dataset: Relation,
    window: Window,
    days: readonly SealedDay[],
    unsealed: Rows,
  ): Promise<Rows | null> {
    const first = unsealed.count === 0 ? Number.POSITIVE_INFINITY : unsealed.times?.[0];
    const { to: end } = this.#boundsOf(days.at(-1)!.date);
    // Rows of a sealed day that are not sealed themselves stand among its rows.
    if (!unsealed.isWhole || !unsealed.isInOrder || first === undefined || first < end) return null;
    const sealed = await this.#sealedRows(dataset, window, days, unsealed.columns);
    if (sealed === null) return null;
    const to = window.time?.to ?? Number.POSITIVE_INFINITY;
    const parts = to <= first && sealed.length > 0 ? sealed : [...sealed, unsealed];
    return joined(parts, window.time?.from ?? Number.NEGATIVE_INFINITY, to);
  }

  /** What a window needs of these days; null if DuckDB has to answer it. */
  async #sealedRows(
    dataset: Relation,
    window: Window,
    days: readonly SealedDay[],
    columns: readonly Column[],
  ): Promise<readonly Rows[] | null> {
    if (!needsLastsOfDays(window)) return this.#days.rowsOf(dataset, days, columns);
    const to = window.time?.to ?? Number.POSITIVE_INFINITY;
    const bounds = this.#boundsOf(days.at(-1)!.date);
    if (to >= bounds.to) return this.#lasts.rowsOf(dataset, days, columns);
    // The last day ends before its end: all of its rows are needed, unless it only begins there.
    const rest = to <= bounds.from ? [] : await this.#days.rowsOf(dataset, days.slice(-1), columns);
    const lasts = rest && (await this.#lasts.rowsOf(dataset, days.slice(0, -1), columns));
    return lasts && [...lasts, ...rest!];
  }

  #boundsOf(date: string): DayBounds {
    const from = this.#localDays.startOf(date);
    return { from, to: this.#localDays.startOf(LocalDays.daysBefore(date, -1)) };
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
