import { crc32 } from 'node:zlib';
import { SerialQueue } from '../base/serial-queue.js';
import { sameColumns, sameLayout } from '../csv/columns.js';
import { rowAt, splitRows } from '../csv/decode.js';
import { encodeHeader, noRows } from '../csv/encode.js';
import { concatRows, inSlices, relayout, relayoutInSlices, sliceRows } from '../csv/relayout.js';
import { lastTimeIn, timeOfRow } from '../csv/row-time.js';
import type { Column, EncodedRows, RowRange } from '../csv/rows.js';
import type { Content, DatasetKind, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import { typesFromCells } from '../datasets/infer-columns.js';
import type { Relation, SealedDay } from '../datasets/relation.js';
import { AppendFile, type Recovery } from '../volume/append-file.js';
import type { Files } from '../volume/files.js';

/** Bytes of recent rows kept in memory, so that the SQL engine can follow a growing file without reading it again. */
const RECENT_LIMIT = 2 * 1024 * 1024;
/** What a remembered poll costs beside its bytes: most polls have a few rows only. */
const RECENT_OVERHEAD = 512;

export interface AppendedOptions {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string;
  readonly path: string;
  readonly files: Files;
  readonly health: PollHealth;
  /** Columns with their types as last known, or null at the very first start. */
  readonly known: readonly Column[] | null;
  readonly keys: readonly string[];
  readonly timeColumn: string;
}

/**
 * What a log and changes have in common: rows appended poll by poll to one CSV file, in the order of time, their poll's
 * time in the last column; older days are sealed away from it. The file is the only full copy: memory holds the last
 * few polls for the SQL engine, nothing else.
 */
export class AppendedDataset implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string;
  readonly #file: AppendFile;
  readonly #health: PollHealth;
  readonly #turns = new SerialQueue();
  #timeColumn: string;
  #columns: readonly Column[] | null = null;
  /** Tells one layout, types included, from another. */
  #layout = '';
  #keys: readonly string[];
  #rows = 0;
  /** Times of the oldest and the newest row in milliseconds; 0: no row. */
  #firstAt = 0;
  #lastAt = 0;
  #recent: { readonly before: string; readonly rows: EncodedRows }[] = [];
  #recentBytes = 0;
  #persisted = true;
  sealedDays: readonly SealedDay[] = [];
  /** Rows that are newer (milliseconds since the epoch) have to stay in the file: the recorder needs them yet. */
  neededAfter = Number.POSITIVE_INFINITY;

  private constructor(options: AppendedOptions, file: AppendFile) {
    this.name = options.name;
    this.kind = options.kind;
    this.source = options.source;
    this.description = options.description;
    this.#file = file;
    this.#health = options.health;
    this.#timeColumn = options.timeColumn;
    this.#keys = options.keys;
    if (options.known !== null) this.#haveColumns(options.known);
  }

  /** Opens the file and takes over what is there. `recovery`: what an interruption left at its end, cut off by now. */
  static async open(
    options: AppendedOptions,
  ): Promise<{ readonly dataset: AppendedDataset; readonly recovery: Recovery | null }> {
    const file = await AppendFile.open(options.path, options.files);
    const dataset = new AppendedDataset(options, file);
    await dataset.#load();
    return { dataset, recovery: file.recovery };
  }

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
    if (this.#columns === null || this.#file.size === 0) return null;
    return `${this.#file.size.toString(36)}-${this.#lastAt.toString(36)}-${this.#layout}`;
  }

  /** Size of the file in bytes. */
  get size(): number {
    return this.#file.size;
  }

  /** Time of the oldest row, milliseconds since the epoch; 0 without rows. */
  get firstAt(): number {
    return this.#firstAt;
  }

  /** Time of the newest row, milliseconds since the epoch; 0 without rows. */
  get lastAt(): number {
    return this.#lastAt;
  }

  get isEmpty(): boolean {
    return this.#rows === 0 && this.sealedDays.length === 0;
  }

  status(): DatasetStatus {
    const { readAt, interval, nextPollAt, lastError, freshness } = this.#health;
    const known = this.version !== null;
    return {
      rows: known ? this.#rows : null,
      bytes: known ? this.#file.size : null,
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
    return this.#turns.run(async () => {
      const version = this.version;
      if (version === null || this.#columns === null)
        throw datasetNotReadYet(this.name, this.#health.lastError);
      const bytes = await this.#file.read();
      return {
        version,
        readAt: this.#health.readAt ?? this.#lastAt,
        columns: this.#columns,
        rows: this.#rows,
        bytes,
      };
    });
  }

  appendedSince(version: string): EncodedRows | null {
    const from = this.#recent.findIndex((appended) => appended.before === version);
    return from === -1 ? null : concatRows(this.#recent.slice(from).map((appended) => appended.rows));
  }

  /**
   * Makes the file's layout that of `wanted` before rows with these columns are appended: a new attribute widens the
   * file, every old row gets an empty cell. Columns of the file that are not wanted any more (the table has another key
   * schema) stay, before the time. The file is replaced atomically; nothing happens when the layout fits.
   */
  layOut(wanted: readonly Column[], keys: readonly string[], timeColumn: string): Promise<void> {
    return this.#turns.run(async () => {
      const columns = this.#file.size === 0 ? wanted : withColumnsOf(this.#columns ?? [], wanted);
      const fits = this.#file.size > 0 && this.#columns !== null && sameLayout(this.#columns, columns);
      const adopt = () => {
        this.#haveColumns(columns);
        this.#keys = keys;
        this.#timeColumn = timeColumn;
      };
      if (fits) return adopt();
      const rows = this.#file.size === 0 ? null : await this.#readRows();
      const parts = rows === null ? [] : await inSlices(rows, (part) => relayout(part, columns));
      await this.#replace([encodeHeader(columns), ...parts.map(({ body }) => body)], adopt);
    });
  }

  /** Appends one poll's rows, laid out as `layOut` said. Rejects, and leaves the file as it was, when it cannot. */
  append(added: EncodedRows, at: number): Promise<void> {
    return this.#turns.run(async () => {
      const rows = this.#columns === null ? added : await relayoutInSlices(added, this.#columns);
      const before = this.version;
      try {
        await this.#file.append(rows.body);
      } catch (error) {
        this.#persisted = false;
        throw error;
      }
      this.#persisted = true;
      if (rows.ends.length === 0) return;
      if (this.#rows === 0) this.#firstAt = timeOfRow(rowAt(rows, 0));
      this.#rows += rows.ends.length;
      this.#lastAt = at;
      if (before !== null) this.#remember(before, rows);
    });
  }

  /** Replaces everything in the file by these rows, in one step. */
  fill(rows: EncodedRows, at: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#replace([encodeHeader(rows.columns), rows.body], () => {
        this.#haveColumns(rows.columns);
        this.#rows = rows.ends.length;
        this.#firstAt = rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, 0));
        this.#lastAt = at;
      });
    });
  }

  /** Whether the latest poll's rows reached the file. */
  markPersisted(persisted: boolean): void {
    this.#persisted = persisted;
  }

  /** All rows of the file. */
  rows(): Promise<EncodedRows> {
    return this.#turns.run(() => this.#readRows());
  }

  /**
   * Takes rows out of the file and shows these sealed days instead, in one step for every reader. `ranges`: rows as
   * `rows` gave them, in order; what was appended since stays.
   */
  dropRows(ranges: readonly RowRange[], days: readonly SealedDay[]): Promise<void> {
    return this.#turns.run(async () => {
      if (ranges.length === 0) {
        this.sealedDays = days;
        return;
      }
      const rows = await this.#readRows();
      const kept = rangesBetween(ranges, rows.ends.length).map(({ from, to }) => sliceRows(rows, from, to));
      const count = kept.reduce((sum, part) => sum + part.ends.length, 0);
      await this.#replace([encodeHeader(rows.columns), ...kept.map((part) => part.body)], () => {
        this.#rows = count;
        this.#firstAt = kept[0] === undefined ? 0 : timeOfRow(rowAt(kept[0], 0));
        this.sealedDays = days;
      });
    });
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#file.close());
  }

  async #load(): Promise<void> {
    this.#forget();
    if (this.#file.size === 0) return;
    const { header, body, ends } = await splitRows(await this.#file.read(), this.#file.path);
    const known = new Map(this.#columns?.map((column) => [column.name, column]));
    const bare = header.map((name) => known.get(name) ?? { name, type: 'string' as const, seen: false });
    const rows = { columns: bare, body, ends };
    this.#haveColumns(await typesFromCells(rows, new Set(header.filter((name) => !known.has(name)))));
    this.#rows = ends.length;
    this.#firstAt = ends.length === 0 ? 0 : timeOfRow(rowAt(rows, 0));
    this.#lastAt = lastTimeIn(rows);
  }

  #haveColumns(columns: readonly Column[]): void {
    if (this.#columns !== null && sameColumns(this.#columns, columns)) return;
    this.#columns = columns;
    this.#layout = crc32(JSON.stringify(columns)).toString(36);
  }

  async #readRows(): Promise<EncodedRows> {
    if (this.#file.size === 0) return noRows(this.#columns ?? []);
    const { body, ends } = await splitRows(await this.#file.read(), this.#file.path);
    return { columns: this.#columns ?? [], body, ends };
  }

  /** Replaces the file, and has `adopt` take over what is known of it as soon as the new one is there, safely or not. */
  async #replace(parts: readonly Buffer[], adopt: () => void): Promise<void> {
    const { replacements } = this.#file;
    try {
      await this.#file.replace(parts);
    } finally {
      if (this.#file.replacements > replacements) {
        this.#forget();
        adopt();
      }
    }
  }

  #remember(before: string, rows: EncodedRows): void {
    // In memory of its own: a few rows are a part of one of Node's pools, and would keep all of it.
    const body = Buffer.allocUnsafeSlow(rows.body.length);
    rows.body.copy(body);
    this.#recent.push({ before, rows: { ...rows, body } });
    this.#recentBytes += sizeOf(rows);
    while (this.#recentBytes > RECENT_LIMIT) this.#recentBytes -= sizeOf(this.#recent.shift()!.rows);
  }

  #forget(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }
}

function sizeOf({ body, ends }: EncodedRows): number {
  return body.length + ends.byteLength + RECENT_OVERHEAD;
}

/** The wanted columns and, before the last of them (the time), those of the file that are missing there. */
function withColumnsOf(file: readonly Column[], wanted: readonly Column[]): readonly Column[] {
  const names = new Set(wanted.map(({ name }) => name));
  const others = file.filter(({ name }) => !names.has(name));
  return others.length === 0 ? wanted : [...wanted.slice(0, -1), ...others, ...wanted.slice(-1)];
}

/** The rows that are newer than an instant; rows are in the order of time. */
export function rowsAfter(rows: EncodedRows, instant: number): EncodedRows {
  let first = rows.ends.length;
  while (first > 0 && timeOfRow(rowAt(rows, first - 1)) > instant) first--;
  return sliceRows(rows, first, rows.ends.length);
}

/** The rows of `count` that are in none of the ranges, which are in order. */
function rangesBetween(ranges: readonly RowRange[], count: number): RowRange[] {
  const between: RowRange[] = [];
  let from = 0;
  for (const range of [...ranges, { from: count, to: count }]) {
    if (range.from > from) between.push({ from, to: range.from });
    from = range.to;
  }
  return between;
}
