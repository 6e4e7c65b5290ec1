import type { Column } from '../csv/rows.js';
import type { Dataset } from './dataset.js';

/** A request's query string, decoded, in the order it was written. */
export type Parameters = readonly (readonly [name: string, value: string])[];

/** Answers windows of datasets and ad-hoc SQL. */
export interface Queries {
  /**
   * Parses and checks a window of a dataset, without computing it. Rejects with a `DynamoCsvError`: 400 for an
   * unknown or wrong parameter, 503 for a dataset not read yet, 500 for a view that is broken.
   */
  window(dataset: Dataset, parameters: Parameters): Promise<Query>;
  /**
   * Checks ad-hoc SQL, which must be exactly one SELECT over the datasets, and the parameters of the output
   * (`format`, `pad`, `null`, `header`, `delimiter`). Rejects with 400 for anything else.
   */
  sql(text: string, parameters: Parameters): Promise<Query>;
}

/** A checked query that can be run. */
export interface Query {
  /** Identifies the query: equal for equivalent requests, however and whenever they are written. */
  readonly key: string;
  /** Identifies the state of all data it depends on: equal key and version mean an equal answer. */
  readonly version: string;
  /** Milliseconds since the epoch until which the answer may be cached, if it depends on the time; null if it does not. */
  readonly until: number | null;
  /** `text/csv; charset=utf-8`, `application/json` or `application/vnd.apache.parquet`. */
  readonly contentType: string;
  /** Milliseconds since the epoch when the oldest data it depends on was read; null: unknown. */
  readonly readAt: number | null;
  /**
   * The complete answer, if it takes no longer than starting a computation: a few rows that are copied from memory. Null:
   * use `run`.
   */
  readonly atOnce?: () => Buffer | null;
  /** Computes the answer. The signal stops it; the engine's time limit stops it with a 503. */
  run(signal: AbortSignal): Promise<Answer>;
}

/** The result of a query. */
export interface Answer {
  readonly columns: readonly Column[];
  /** The bytes as they are computed. Slow readers slow down the computation; it may reject half way. */
  readonly body: AsyncIterable<Buffer>;
}
