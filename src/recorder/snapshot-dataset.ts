import { crc32 } from 'node:zlib';
import { hashOf } from '../base/hash.js';
import { sameColumns } from '../csv/columns.js';
import { encodeFile, encodeHeader, isSameMemory } from '../csv/encode.js';
import { type EditedRow, joinRows, type RowBlocks, rowKey } from '../csv/row-blocks.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { ColumnException, Content, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { EditedRows, Relation } from '../datasets/relation.js';
import type { ItemTimes } from './item-times.js';

export interface SnapshotOptions {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly health: PollHealth;
  /** The times of its items; null or absent: they have none. */
  readonly times?: ItemTimes | null;
  /** See `Dataset.optionsAt`. */
  readonly optionsAt?: string | undefined;
}

/** Items in blocks, and their bytes once somebody asked for them. */
interface Blocks {
  readonly items: RowBlocks;
  readonly version: string;
  readonly readAt: number;
  content: Promise<Buffer> | null;
}

/**
 * Rows that deltas changed which are remembered, and their bytes if all rows together have fewer; who is further behind loads
 * everything.
 */
const MOST_EDITS = { rows: 20_000, bytes: 1 << 20 };

/** Counts the deltas of all snapshots, so that no version occurs twice. */
let deltas = 0;

/** What followers need of an edit, without holding the block of the row that was there before. */
function gistOf({ before, after }: EditedRow): readonly EditedRow[] {
  if (after !== null) return [{ before: null, after }];
  return before === null ? [] : [{ before: Buffer.from(before), after }];
}

/** Of each item the last edit. */
function lastOf(edited: readonly EditedRow[], keyCount: number): readonly EditedRow[] {
  const last = new Map<string, EditedRow>();
  for (const row of edited) last.set(rowKey((row.after ?? row.before)!, keyCount), row);
  return [...last.values()];
}

async function contentOf(blocks: Blocks): Promise<Content> {
  const { items, version, readAt } = blocks;
  blocks.content ??= items.toRows().then(encodeFile);
  return { version, readAt, columns: items.columns, rows: items.count, bytes: await blocks.content };
}

/** The items of the latest poll, in memory as the bytes that are served. The owner of the dataset writes the file. */
export class SnapshotDataset implements Relation {
  readonly name: string;
  readonly kind = 'snapshot';
  readonly source: string;
  readonly description: string;
  readonly timeColumn: string | null;
  readonly optionsAt: string | undefined;
  readonly sealedDays = [];
  readonly #times: ItemTimes | null;
  readonly #health: PollHealth;
  #content: Content | null = null;
  /** The items after deltas: their bytes are made when they are asked for. */
  #blocks: Blocks | null = null;
  /** What the latest deltas did, each after a version. */
  readonly #edits: {
    readonly after: string;
    readonly edited: readonly EditedRow[];
    readonly bytes: number;
  }[] = [];
  #keys: readonly string[] = [];
  #persisted = true;

  constructor(options: SnapshotOptions) {
    this.name = options.name;
    this.source = options.source;
    this.description = options.description;
    this.timeColumn = options.times?.time.column ?? null;
    this.optionsAt = options.optionsAt;
    this.#times = options.times ?? null;
    this.#health = options.health;
  }

  get exceptions(): readonly ColumnException[] {
    return [...(this.#times?.exceptions ?? []), ...this.#health.exceptions];
  }

  get columns(): readonly Column[] | null {
    return this.#content?.columns ?? this.#blocks?.items.columns ?? null;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  get version(): string | null {
    return this.#content?.version ?? this.#blocks?.version ?? null;
  }

  status(): DatasetStatus {
    const { readAt, interval, nextPollAt, lastError, freshness } = this.#health;
    return {
      rows: this.#content?.rows ?? this.#blocks?.items.count ?? null,
      bytes: this.#content?.bytes.length ?? this.#size,
      readAt,
      interval,
      freshness: this.version !== null && readAt === null ? 'stale' : freshness,
      nextPollAt,
      persisted: this.#persisted,
      lastError,
    };
  }

  /** Bytes of the items; 0 before there are any. */
  get size(): number {
    return this.#content?.bytes.length ?? this.#size ?? 0;
  }

  get #size(): number | null {
    if (this.#blocks === null) return null;
    const { columns, size } = this.#blocks.items;
    return encodeHeader(columns).length + size;
  }

  async content(): Promise<Content> {
    if (this.#content === null && this.#blocks !== null) return contentOf(this.#blocks);
    if (this.#content === null) throw datasetNotReadYet(this.name, this.#health.lastError);
    return this.#content;
  }

  appendedSince(): null {
    return null;
  }

  editedSince(version: string): EditedRows | null {
    const first = this.#edits.findIndex((edit) => edit.after === version);
    const { columns } = this;
    if (first === -1 || columns === null) return null;
    const rows = lastOf(
      this.#edits.slice(first).flatMap(({ edited }) => edited),
      this.#keys.length,
    );
    const put = rows.flatMap(({ after }) => after ?? []);
    const removed = rows.flatMap(({ before, after }) => (after === null && before !== null ? before : []));
    return { put: joinRows(columns, put), removed: joinRows(columns, removed) };
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
    this.#blocks = null;
    this.#edits.length = 0;
    this.#keys = keys;
  }

  /** Shows the items after a delta, which did `edited` to them. */
  showBlocks(items: RowBlocks, keys: readonly string[], readAt: number, edited: readonly EditedRow[]): void {
    if (edited.length === 0 && this.version !== null) this.seen(readAt);
    else {
      deltas += 1;
      this.#remember(edited, items, keys.length);
      this.#blocks = { items, version: `delta-${deltas}`, readAt, content: null };
      this.#content = null;
      this.#keys = keys;
    }
  }

  /** Remembers what a delta did, for those who follow the rows. */
  #remember(edited: readonly EditedRow[], { columns, size }: RowBlocks, keyCount: number): void {
    const { version } = this;
    const isSameLayout = this.columns !== null && sameColumns(this.columns, columns);
    if (!isSameLayout) this.#edits.length = 0;
    const last = lastOf(edited.flatMap(gistOf), keyCount);
    const bytes = sum(last.map(({ before, after }) => (after ?? before)!.length));
    if (version !== null && isSameLayout) this.#edits.push({ after: version, edited: last, bytes });
    const most = { rows: MOST_EDITS.rows, bytes: Math.max(size, MOST_EDITS.bytes) };
    const total = {
      rows: sum(this.#edits.map((edit) => edit.edited.length)),
      bytes: sum(this.#edits.map((edit) => edit.bytes)),
    };
    while (total.rows > most.rows || total.bytes > most.bytes) {
      const forgotten = this.#edits.shift()!;
      total.rows -= forgotten.edited.length;
      total.bytes -= forgotten.bytes;
    }
  }

  /** Nothing has changed until that time, in milliseconds since the epoch. */
  seen(readAt: number): void {
    if (this.#content !== null) this.#content = { ...this.#content, readAt };
    if (this.#blocks !== null) this.#blocks = { ...this.#blocks, readAt };
  }

  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
