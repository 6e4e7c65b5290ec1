import type { Column } from '../csv/rows.js';
import type { Dataset } from './dataset.js';

/** A request's query string, decoded, in the order it was written. */
export type Parameters = readonly (readonly [name: string, value: string])[];

/** What the SQL engine answers: windows of datasets, and SQL where that is allowed. */
export interface Queries {
  /**
   * A window of a dataset, understood and checked but not yet computed. Rejects with a `DynamoCsvError`: 400 for an
   * unknown or wrong parameter, 503 for a dataset not read yet, 500 for a view that is broken.
   */
  window(dataset: Dataset, parameters: Parameters): Promise<Query>;
  /**
   * SQL from outside: exactly one SELECT over the datasets, with the parameters of the output (`format`, `pad`, `null`,
   * `header`, `delimiter`). Rejects with 400 for anything else.
   */
  sql(text: string, parameters: Parameters): Promise<Query>;
}

/** Something to be answered, checked. */
export interface Query {
  /** The same for requests that ask for the same, however they are written and whenever they are asked. */
  readonly key: string;
  /** Names the state of everything that the answer depends on: the same version and key, the same answer. */
  readonly version: string;
  /** Milliseconds since the epoch up to which an answer may be kept, because it depends on "now"; null: on `version` alone. */
  readonly until: number | null;
  /** `text/csv; charset=utf-8`, `application/json` or `application/vnd.apache.parquet`. */
  readonly contentType: string;
  /** Milliseconds since the epoch when the oldest data that it depends on was read; null: not known. */
  readonly readAt: number | null;
  /** Computes the answer. The signal stops it for good; so does the engine's time limit, by a rejection with 503. */
  run(signal: AbortSignal): Promise<Answer>;
}

export interface Answer {
  readonly columns: readonly Column[];
  /** Bytes as they are computed; reading slowly slows the computing. It may reject half way. */
  readonly body: AsyncIterable<Buffer>;
}
