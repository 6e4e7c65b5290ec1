import { crc32 } from 'node:zlib';
import { sameColumns } from '../csv/columns.js';
import { concatRows } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Content, DatasetKind, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Relation, SealedDay } from '../datasets/relation.js';

/** Bytes of recent rows kept in memory, so that the SQL engine can follow a growing file without reading it again. */
const RECENT_LIMIT = 2 * 1024 * 1024;
/** What a remembered poll costs beside its bytes: most polls have a few rows only. */
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
  readonly timeColumn: string;
}

/** The part of a CSV file that counts: its whole polls. Times in milliseconds since the epoch, 0 without rows. */
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
 * A log or changes as readers see them: rows appended poll by poll to one CSV file, in the order of time, their poll's
 * time in the last column; closed days are sealed away from it. The file is the only full copy: memory holds the last
 * few polls for the SQL engine, nothing else. Whoever writes the file, or follows another process that does, derives
 * from this.
 */
export abstract class AppendedDataset implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string;
  readonly #health: PollHealth;
  readonly #recent = new RecentRows();
  #extent = NOTHING;
  #columns: readonly Column[] | null = null;
  /** Tells one layout, types included, from another. */
  #layout = '';
  #keys: readonly string[];
  #timeColumn: string;
  #persisted = true;
  sealedDays: readonly SealedDay[] = [];

  constructor(options: AppendedOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.source = options.source;
    this.description = options.description;
    this.#health = options.health;
    this.#keys = options.keys;
    this.#timeColumn = options.timeColumn;
    if (options.known !== null) this.adopt(options.known, options.keys, options.timeColumn);
  }

  /** Does `work` while the file stays as it is; `first` reads so many bytes from its beginning. */
  protected abstract readFile<T>(work: (first: (size: number) => Promise<Buffer>) => Promise<T>): Promise<T>;

  get columns(): readonly Column[] | null {
    return this.#columns;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  get timeColumn(): string {
    return this.#timeColumn;
  }

  get version(): string | null {
    const { size, lastAt } = this.#extent;
    if (this.#columns === null || size === 0) return null;
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

  /** Whether the latest poll's rows reached the file. */
  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }

  protected get extent(): Extent {
    return this.#extent;
  }

  /** The file has these columns. */
  protected adopt(columns: readonly Column[], keys: readonly string[], timeColumn: string): void {
    this.#keys = keys;
    this.#timeColumn = timeColumn;
    if (this.#columns !== null && sameColumns(this.#columns, columns)) return;
    this.#columns = columns;
    this.#layout = crc32(JSON.stringify(columns)).toString(36);
  }

  /** The file is another one than before. */
  protected replaced(extent: Extent): void {
    this.#recent.forget();
    this.#extent = extent;
  }

  /** These rows were added to the file, which is `size` bytes long now; the newest is of that time. */
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

  /** Null when that version is too old, or was of another file. */
  since(version: string): EncodedRows | null {
    const from = this.#appends.findIndex((append) => append.before === version);
    return from === -1 ? null : concatRows(this.#appends.slice(from).map((append) => append.rows));
  }

  add(before: string, rows: EncodedRows): void {
    // In memory of its own: a few rows are a part of one of Node's pools, and would keep all of it.
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
