import { systemClock } from '../../src/base/clock.js';
import { hashOf } from '../../src/base/hash.js';
import { encodeFile, encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column, EncodedRows } from '../../src/csv/rows.js';
import type { Content, DatasetKind, DatasetStatus, Definition } from '../../src/datasets/dataset.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { Relation, SealedDay } from '../../src/datasets/relation.js';

export interface ScriptedOptions {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly kind?: DatasetKind;
  readonly keys?: readonly string[];
  readonly timeColumn?: string;
  readonly description?: string;
  readonly definition?: Definition;
}

const INTERVAL = 30_000;

/** A dataset whose rows and state a test sets. */
export class ScriptedDataset implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source = 'a test';
  readonly description: string | null;
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly definition?: Definition;
  sealedDays: readonly SealedDay[] = [];
  /** When it was read, when it will be, and what went wrong. */
  readonly health = new PollHealth(INTERVAL, systemClock);
  #content: Content | null = null;

  constructor({ name, columns, kind, keys, timeColumn, description, definition }: ScriptedOptions) {
    this.name = name;
    this.columns = columns;
    this.kind = kind ?? 'snapshot';
    this.keys = keys ?? [];
    this.timeColumn = timeColumn ?? null;
    this.description = description ?? null;
    if (definition !== undefined) this.definition = definition;
  }

  get version(): string | null {
    return this.#content?.version ?? null;
  }

  status(): DatasetStatus {
    const { readAt, interval, nextPollAt, lastError, freshness } = this.health;
    return {
      rows: this.#content?.rows ?? null,
      bytes: this.#content?.bytes.length ?? null,
      readAt,
      interval,
      freshness,
      nextPollAt,
      persisted: true,
      lastError,
    };
  }

  async content(): Promise<Content> {
    return this.#content!;
  }

  appendedSince(): null {
    return null;
  }

  /** As a poll that lands now. */
  async land(cells: Iterable<readonly Cell[]>): Promise<void> {
    const rows: EncodedRows = encodeRows(this.columns, cells);
    const bytes = encodeFile(rows);
    const readAt = Date.now();
    this.#content = {
      version: await hashOf(bytes),
      readAt,
      columns: this.columns,
      rows: rows.ends.length,
      bytes,
    };
    this.health.readAt = readAt;
    this.health.nextPollAt = readAt + INTERVAL;
    this.health.lastError = null;
  }
}

export function column(name: string, type: Column['type'] = 'string'): Column {
  return { name, type, seen: true };
}
