import type { Clock } from '../base/clock.js';
import { encodeFile, encodeRows } from '../csv/encode.js';
import type { Cell, Column, ColumnType } from '../csv/rows.js';
import { type Content, type DatasetStatus, THIS_SERVICE } from './dataset.js';
import type { Relation } from './relation.js';

/** How long one answer stands, in milliseconds: what it tells (ages above all) changes all the time. */
const KEPT = 5_000;

export interface StatusOptions {
  readonly name: string;
  readonly description: string;
  readonly clock: Clock;
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly keys: readonly string[];
  /** The rows as of now. */
  readonly rows: () => readonly (readonly Cell[])[];
}

/** A dataset about the service itself, computed when asked for and kept for five seconds. */
export class StatusDataset implements Relation {
  readonly name: string;
  readonly kind = 'status';
  readonly source = THIS_SERVICE;
  readonly description: string;
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  readonly timeColumn = null;
  readonly sealedDays = [];
  readonly #clock: Clock;
  readonly #rows: StatusOptions['rows'];
  #kept: { readonly version: string; readonly content: Promise<Content> } | null = null;

  constructor(options: StatusOptions) {
    this.name = options.name;
    this.description = options.description;
    this.columns = options.columns.map((column) => ({ ...column, seen: true }));
    this.keys = options.keys;
    this.#clock = options.clock;
    this.#rows = options.rows;
  }

  get version(): string {
    return String(Math.floor(this.#clock.now() / KEPT));
  }

  status(): DatasetStatus {
    return {
      rows: this.#rows().length,
      bytes: null,
      readAt: this.#clock.now(),
      interval: null,
      freshness: 'fresh',
      nextPollAt: null,
      persisted: true,
      lastError: null,
    };
  }

  content(): Promise<Content> {
    const { version } = this;
    if (this.#kept?.version !== version) this.#kept = { version, content: this.#compute(version) };
    return this.#kept.content;
  }

  appendedSince(): null {
    return null;
  }

  async #compute(version: string): Promise<Content> {
    const readAt = this.#clock.now();
    const { columns } = this;
    const rows = encodeRows(columns, this.#rows());
    return { version, readAt, columns, rows: rows.ends.length, bytes: encodeFile(rows) };
  }
}
