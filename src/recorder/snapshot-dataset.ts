import { crc32 } from 'node:zlib';
import { hashOf } from '../base/hash.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Content, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Relation } from '../datasets/relation.js';

export interface SnapshotOptions {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly health: PollHealth;
}

/** What the latest poll found, in memory as the bytes that are served; the file is its owner's business. */
export class SnapshotDataset implements Relation {
  readonly name: string;
  readonly kind = 'snapshot';
  readonly source: string;
  readonly description: string;
  readonly timeColumn = null;
  readonly sealedDays = [];
  readonly #health: PollHealth;
  #content: Content | null = null;
  #keys: readonly string[] = [];
  #persisted = true;

  constructor(options: SnapshotOptions) {
    this.name = options.name;
    this.source = options.source;
    this.description = options.description;
    this.#health = options.health;
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
   * Shows a poll's rows to readers, all at once. `bytes`: header and rows; `known`: `hashOf(bytes)`, where it was computed already. The
   * version has a checksum of the columns too: a text "5" in the place of the number 5 changes a type and no byte.
   */
  async show(
    bytes: Buffer,
    rows: EncodedRows,
    keys: readonly string[],
    readAt: number,
    known?: string,
  ): Promise<void> {
    const hash = known ?? (await hashOf(bytes));
    const version = `${hash}-${crc32(JSON.stringify(rows.columns)).toString(36)}`;
    this.#content = { version, readAt, columns: rows.columns, rows: rows.ends.length, bytes, hash };
    this.#keys = keys;
  }

  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }
}
