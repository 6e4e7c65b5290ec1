import { crc32 } from 'node:zlib';
import { sameColumns } from '../csv/columns.js';
import { concatRows } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { ColumnException, Content, DatasetKind, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Relation, SealedDay } from '../datasets/relation.js';

/** Bytes of recent rows kept in memory, so that the SQL engine can follow a growing file without reading it again. */
const RECENT_LIMIT = 2 * 1024 * 1024;
/** Memory of a remembered poll in addition to its bytes: most polls have only a few rows. */
const RECENT_OVERHEAD = 512;

export interface AppendedOptions {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string;
  readonly health: PollHealth;
  /** Columns with their types as last known, or null at the very first start. */
  readonly known: readonly Column[] | null;
  readonly keys: readonly string[];
  /** The last column, the poll's time. */
  readonly pollColumn: string;
  /** Of a log of new items: the column of their own time. Absent or null: rows are of their poll's time. */
  readonly itemTime?: string | null;
  /** See `Dataset.exceptions`. */
  readonly exceptions?: () => readonly ColumnException[];
}

/** The committed part of a CSV file: its whole polls. Times in milliseconds since the epoch, 0 without rows. */
export interface Extent {
  /** Bytes, the header included; 0: no header yet. */
  readonly size: number;
  readonly rows: number;
  /** Times of the oldest and of the newest row. */
  readonly firstAt: number;
  readonly lastAt: number;
}

const NOTHING: Extent = { size: 0, rows: 0, firstAt: 0, lastAt: 0 };

/**
 * A log or changes as readers see them: rows appended poll by poll to one CSV file, with the poll's time in the last
 * column. That is the time of the rows, except in a log of new items, which have one of their own in another column. Closed days leave the file when they are sealed. The file is the only full copy; memory holds just
 * the last few polls, for the SQL engine. The writer of the file, and the follower of another process's file, extend
 * this class.
 */
export abstract class AppendedDataset implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string;
  readonly #exceptions: () => readonly ColumnException[];
  readonly #health: PollHealth;
  readonly #recent = new RecentRows();
  #extent = NOTHING;
  #columns: readonly Column[] | null = null;
  /** Identifies the layout, including types. */
  #layout = '';
  #keys: readonly string[];
  #pollColumn: string;
  #persisted = true;
  sealedDays: readonly SealedDay[] = [];
  /** In a log of new items the column of their own time, by which they are filed; null: rows are of their poll's time. */
  itemTime: string | null;

  constructor(options: AppendedOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.source = options.source;
    this.description = options.description;
    this.#health = options.health;
    this.#keys = options.keys;
    this.#pollColumn = options.pollColumn;
    this.itemTime = options.itemTime ?? null;
    this.#exceptions = options.exceptions ?? (() => []);
    if (options.known !== null) this.adopt(options.known, options.keys, options.pollColumn);
  }

  /** Runs `work` while the file cannot change; `first` reads that many bytes from its beginning. */
  protected abstract readFile<T>(work: (first: (size: number) => Promise<Buffer>) => Promise<T>): Promise<T>;

  get columns(): readonly Column[] | null {
    return this.#columns;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  get timeColumn(): string {
    return this.itemTime ?? this.#pollColumn;
  }

  /** The column of the poll's time, the last one. */
  get pollColumn(): string {
    return this.#pollColumn;
  }

  get exceptions(): readonly ColumnException[] {
    return [...this.#exceptions(), ...this.#health.exceptions];
  }

  get version(): string | null {
    const { size, rows, lastAt } = this.#extent;
    if (this.#columns === null || size === 0) return null;
    // The header of a new file is written before its first poll.
    if (rows === 0 && this.#health.readAt === null && this.sealedDays.length === 0) return null;
    return `${size.toString(36)}-${lastAt.toString(36)}-${this.#layout}`;
  }

  /** Time of the oldest row, milliseconds since the epoch; 0 without rows. */
  get firstAt(): number {
    return this.#extent.firstAt;
  }

  /** Time of the newest row, milliseconds since the epoch; 0 without rows. */
  get lastAt(): number {
    return this.#extent.lastAt;
  }

  get isEmpty(): boolean {
    return this.#extent.rows === 0 && this.sealedDays.length === 0;
  }

  status(): DatasetStatus {
    const { readAt, interval, nextPollAt, lastError, freshness } = this.#health;
    const known = this.version !== null;
    return {
      rows: known ? this.#extent.rows : null,
      bytes: known ? this.#extent.size : null,
      readAt,
      interval,
      freshness: known && readAt === null ? 'stale' : freshness,
      nextPollAt,
      persisted: this.#persisted,
      lastError,
    };
  }

  /** The rows of the file: the days that are not sealed. */
  content(): Promise<Content> {
    return this.readFile(async (first) => {
      const { version, columns } = this;
      const { size, rows, lastAt } = this.#extent;
      if (version === null || columns === null) throw datasetNotReadYet(this.name, this.#health.lastError);
      const bytes = await first(size);
      return { version, readAt: this.#health.readAt ?? lastAt, columns, rows, bytes };
    });
  }

  appendedSince(version: string): EncodedRows | null {
    return this.#recent.since(version);
  }

  /** Records whether the latest poll's rows are in the file. */
  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }

  protected get extent(): Extent {
    return this.#extent;
  }

  /** Sets the columns of the file. */
  protected adopt(columns: readonly Column[], keys: readonly string[], pollColumn: string): void {
    this.#keys = keys;
    this.#pollColumn = pollColumn;
    if (this.#columns !== null && sameColumns(this.#columns, columns)) return;
    this.#columns = columns;
    this.#layout = crc32(JSON.stringify(columns)).toString(36);
  }

  /** Notes that the file was replaced. */
  protected replaced(extent: Extent): void {
    this.#recent.forget();
    this.#extent = extent;
  }

  /** Notes that these rows were appended: the file now has `size` bytes, and `lastAt` is the newest row's time. */
  protected grew(rows: EncodedRows, size: number, firstAt: number, lastAt: number): void {
    const { version } = this;
    const before = this.#extent;
    this.#extent = {
      size,
      rows: before.rows + rows.ends.length,
      firstAt: before.rows === 0 ? firstAt : before.firstAt,
      lastAt,
    };
    if (version !== null) this.#recent.add(version, rows);
  }
}

/** The rows of the last few appends, each with the version before it. */
class RecentRows {
  #appends: { readonly before: string; readonly rows: EncodedRows }[] = [];
  #bytes = 0;

  /** The rows appended since a version; null if it is too old, or of another file. */
  since(version: string): EncodedRows | null {
    const from = this.#appends.findIndex((append) => append.before === version);
    return from === -1 ? null : concatRows(this.#appends.slice(from).map((append) => append.rows));
  }

  add(before: string, rows: EncodedRows): void {
    // Copied: a few rows are a slice of one of Node's buffer pools and would keep all of it in memory.
    const body = Buffer.allocUnsafeSlow(rows.body.length);
    rows.body.copy(body);
    this.#appends.push({ before, rows: { ...rows, body } });
    this.#bytes += sizeOf(rows);
    while (this.#bytes > RECENT_LIMIT) this.#bytes -= sizeOf(this.#appends.shift()!.rows);
  }

  forget(): void {
    this.#appends = [];
    this.#bytes = 0;
  }
}

function sizeOf({ body, ends }: EncodedRows): number {
  return body.length + ends.byteLength + RECENT_OVERHEAD;
}
