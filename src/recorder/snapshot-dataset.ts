import { crc32 } from 'node:zlib';
import { hashOf } from '../base/hash.js';
import { isSameMemory } from '../csv/encode.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { ColumnException, Content, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Relation } from '../datasets/relation.js';
import type { ItemTimes } from './item-times.js';

export interface SnapshotOptions {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly health: PollHealth;
  /** The times of its items; null or absent: they have none. */
  readonly times?: ItemTimes | null;
  /** See `Dataset.optionsAt`. */
  readonly optionsAt?: string;
}

/** The items of the latest poll, in memory as the bytes that are served. The owner of the dataset writes the file. */
export class SnapshotDataset implements Relation {
  readonly name: string;
  readonly kind = 'snapshot';
  readonly source: string;
  readonly description: string;
  readonly timeColumn: string | null;
  readonly optionsAt?: string;
  readonly sealedDays = [];
  readonly #times: ItemTimes | null;
  readonly #health: PollHealth;
  #content: Content | null = null;
  #keys: readonly string[] = [];
  #persisted = true;

  constructor(options: SnapshotOptions) {
    this.name = options.name;
    this.source = options.source;
    this.description = options.description;
    this.timeColumn = options.times?.time.column ?? null;
    if (options.optionsAt !== undefined) this.optionsAt = options.optionsAt;
    this.#times = options.times ?? null;
    this.#health = options.health;
  }

  get exceptions(): readonly ColumnException[] {
    return [...(this.#times?.exceptions ?? []), ...this.#health.exceptions];
  }

  get columns(): readonly Column[] | null {
    return this.#content?.columns ?? null;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  get version(): string | null {
    return this.#content?.version ?? null;
  }

  status(): DatasetStatus {
    const { readAt, interval, nextPollAt, lastError, freshness } = this.#health;
    return {
      rows: this.#content?.rows ?? null,
      bytes: this.#content?.bytes.length ?? null,
      readAt,
      interval,
      freshness: this.#content !== null && readAt === null ? 'stale' : freshness,
      nextPollAt,
      persisted: this.#persisted,
      lastError,
    };
  }

  async content(): Promise<Content> {
    if (this.#content === null) throw datasetNotReadYet(this.name, this.#health.lastError);
    return this.#content;
  }

  appendedSince(): null {
    return null;
  }

  /**
   * Shows a poll's rows to readers, all at once. `bytes`: header and rows; `hashed`: `hashOf(bytes)`, if already computed.
   * The version covers the columns too: text "5" instead of the number 5 changes a type but no byte.
   */
  async show(
    bytes: Buffer,
    rows: EncodedRows,
    keys: readonly string[],
    readAt: number,
    hashed?: string,
  ): Promise<void> {
    const shown = this.#content;
    const known = hashed ?? (shown !== null && isSameMemory(shown.bytes, bytes) ? shown.hash : undefined);
    const hash = known ?? (await hashOf(bytes));
    const version = `${hash}-${crc32(JSON.stringify(rows.columns)).toString(36)}`;
    this.#content = { version, readAt, columns: rows.columns, rows: rows.ends.length, bytes, hash };
    this.#keys = keys;
  }

  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }
}
