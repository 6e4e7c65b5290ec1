import { datasetNotReadYet } from '../base/errors.js';
import { Turns } from '../base/turns.js';
import { AppendFile, type Recovery } from '../csv/append-file.js';
import { sameLayout } from '../csv/columns.js';
import { rowAt, splitRows } from '../csv/decode.js';
import { encodeHeader, noRows } from '../csv/encode.js';
import type { Files } from '../csv/files.js';
import { concatRows, relayout } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Content, DatasetKind, DatasetStatus } from './dataset.js';
import type { PollHealth } from './freshness.js';
import { typesFromCells } from './infer-columns.js';
import type { Relation, SealedDay } from './relation.js';
import { lastTimeIn, timeOfRow } from './row-time.js';
import { createYielder } from './yielding.js';

/** Bytes of recent rows kept in memory, so that the SQL engine can follow a growing file without reading it again. */
const RECENT_LIMIT = 2 * 1024 * 1024;

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
  readonly #turns = new Turns();
  #timeColumn: string;
  #columns: readonly Column[] | null;
  #keys: readonly string[];
  #rows = 0;
  /** Time of the newest row in milliseconds; 0: no row. */
  #lastAt = 0;
  #recent: { readonly before: string; readonly rows: EncodedRows }[] = [];
  #recentBytes = 0;
  #persisted = true;
  sealedDays: readonly SealedDay[] = [];

  private constructor(options: AppendedOptions, file: AppendFile) {
    this.name = options.name;
    this.kind = options.kind;
    this.source = options.source;
    this.description = options.description;
    this.#file = file;
    this.#health = options.health;
    this.#timeColumn = options.timeColumn;
    this.#columns = options.known;
    this.#keys = options.keys;
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
    return `${this.#file.size.toString(36)}-${this.#lastAt.toString(36)}`;
  }

  /** Size of the file in bytes. */
  get size(): number {
    return this.#file.size;
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
        this.#columns = columns;
        this.#keys = keys;
        this.#timeColumn = timeColumn;
      };
      if (fits) return adopt();
      const rows = this.#file.size === 0 ? null : await this.#readRows();
      const body = rows === null ? Buffer.alloc(0) : relayout(rows, columns).body;
      await this.#replace([encodeHeader(columns), body], adopt);
    });
  }

  /** Appends one poll's rows, laid out as `layOut` said. Rejects, and leaves the file as it was, when it cannot. */
  append(added: EncodedRows, at: number): Promise<void> {
    return this.#turns.run(async () => {
      const rows = this.#columns === null ? added : relayout(added, this.#columns);
      const before = this.version;
      try {
        await this.#file.append(rows.body);
      } catch (error) {
        this.#persisted = false;
        throw error;
      }
      this.#persisted = true;
      if (rows.ends.length === 0) return;
      this.#rows += rows.ends.length;
      this.#lastAt = at;
      if (before !== null) this.#remember(before, rows);
    });
  }

  /** Replaces everything in the file by these rows, in one step. */
  fill(rows: EncodedRows, at: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#replace([encodeHeader(rows.columns), rows.body], () => {
        this.#columns = rows.columns;
        this.#rows = rows.ends.length;
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
   * Takes the rows before an instant out of the file, and shows the sealed days instead, in one step for every reader.
   */
  dropRowsBefore(instant: number, days: readonly SealedDay[]): Promise<void> {
    return this.#turns.run(async () => {
      const rows = await this.#readRows();
      const rest = await filterRows(rows, (row) => timeOfRow(row) >= instant);
      await this.#replace([encodeHeader(rest.columns), rest.body], () => {
        this.#rows = rest.ends.length;
        this.sealedDays = days;
      });
    });
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#file.close());
  }

  async #load(): Promise<void> {
    this.#forget();
    this.#rows = 0;
    this.#lastAt = 0;
    if (this.#file.size === 0) return;
    const { header, body, ends } = await splitRows(await this.#file.read());
    const known = new Map(this.#columns?.map((column) => [column.name, column]));
    const bare = header.map((name) => known.get(name) ?? { name, type: 'string' as const, seen: false });
    const rows = { columns: bare, body, ends };
    this.#columns = await typesFromCells(rows, new Set(header.filter((name) => !known.has(name))));
    this.#rows = ends.length;
    this.#lastAt = lastTimeIn(rows);
  }

  async #readRows(): Promise<EncodedRows> {
    if (this.#file.size === 0) return noRows(this.#columns ?? []);
    const { body, ends } = await splitRows(await this.#file.read());
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
    this.#recent.push({ before, rows });
    this.#recentBytes += rows.body.length;
    while (this.#recentBytes > RECENT_LIMIT) this.#recentBytes -= this.#recent.shift()?.rows.body.length ?? 0;
  }

  #forget(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }
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

/** Rows `from` (included) to `to` (excluded). */
export function sliceRows(rows: EncodedRows, from: number, to: number): EncodedRows {
  const start = from === 0 ? 0 : (rows.ends[from - 1] ?? 0);
  const end = to === 0 ? 0 : (rows.ends[to - 1] ?? 0);
  return {
    columns: rows.columns,
    body: rows.body.subarray(start, end),
    ends: rows.ends.slice(from, to).map((rowEnd) => rowEnd - start),
  };
}

async function filterRows(rows: EncodedRows, keeps: (row: Buffer) => boolean): Promise<EncodedRows> {
  const breathe = createYielder();
  const parts: EncodedRows[] = [sliceRows(rows, 0, 0)];
  let start = 0;
  for (let row = 0; row < rows.ends.length; row++) {
    if ((row & 1023) === 0) await breathe();
    if (keeps(rowAt(rows, row))) continue;
    if (row > start) parts.push(sliceRows(rows, start, row));
    start = row + 1;
  }
  parts.push(sliceRows(rows, start, rows.ends.length));
  return concatRows(parts);
}
