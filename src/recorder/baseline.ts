import { createYielder } from '../base/event-loop.js';
import { decodeRow, rowAt, splitRows } from '../csv/decode.js';
import { encodeFile, encodeRow, encodeRows, noRows } from '../csv/encode.js';
import { concatRows, relayout, relayoutInSlices } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { typesFromCells } from '../datasets/infer-columns.js';
import type { Files } from '../volume/files.js';
import { SnapshotFile } from '../volume/snapshot-file.js';
import { type Deleted, readChange } from './change-rows.js';
import { type Difference, rowKey } from './diff.js';

/** Vanished items whose last known values are kept for the day they come back; the oldest go first beyond it. */
const DELETED_LIMIT = 100_000;
/** Rows encoded at a time, between two looks at the event loop. */
const BATCH = 512;

/**
 * A table's items as the latest poll found them, with what the items that vanished looked like: what the next poll is
 * compared with. Two files: the snapshot itself (`<name>.csv`, or `.dynamo-csv/<name>.baseline.csv` for a table whose
 * `<name>.csv` is a log) and `.dynamo-csv/<name>.deleted.csv`.
 */
export class Baseline {
  readonly #path: string;
  readonly #files: Files;
  readonly #file: SnapshotFile;
  readonly #deletedFile: SnapshotFile;
  #columns: readonly Column[] = [];
  /** Whether the file of the vanished items is behind what is known of them. */
  #isDeletedBehind = false;
  /** Null until a first poll or a file gave rows. */
  rows: EncodedRows | null = null;
  deleted: Deleted = new Map();

  constructor(paths: { readonly rows: string; readonly deleted: string }, files: Files) {
    this.#path = paths.rows;
    this.#files = files;
    this.#file = new SnapshotFile(paths.rows, files);
    this.#deletedFile = new SnapshotFile(paths.deleted, files);
  }

  /**
   * Reads both files; `known` gives the columns their order and types.
   * Returns when the snapshot file was last replaced, in milliseconds since the epoch, null without a file.
   */
  async load(known: readonly Column[], keyCount: number): Promise<number | null> {
    const found = await readRows(this.#file, known);
    this.#columns = found === null ? known : union(known, found.columns);
    if (found === null) return null;
    this.rows = relayout(found, this.#columns);
    const deleted = await readRows(this.#deletedFile, known);
    if (deleted !== null) this.#loadDeleted(relayout(deleted, this.#columns), keyCount);
    return (await this.#files.stat(this.#path))?.modifiedAt ?? null;
  }

  #loadDeleted(rows: EncodedRows, keyCount: number): void {
    for (let index = 0; index < rows.ends.length; index++) {
      const row = rowAt(rows, index);
      this.deleted.set(rowKey(row, keyCount), decodeRow(row));
    }
  }

  /**
   * Applies changes that were written before the snapshot was: after a crash between the two. Doing it again changes
   * nothing. `changes` are rows of the changes dataset in its file's layout, which may be behind `layout`, the one that
   * belongs to the table's own `columns`: a crash may come before the file is widened too.
   */
  redo(changes: EncodedRows, layout: readonly Column[], columns: readonly Column[], keyCount: number): void {
    if (changes.ends.length === 0) return;
    const places = layout.map(({ name }) => changes.columns.findIndex((column) => column.name === name));
    const rows = new Map<string, Buffer>();
    const present = this.rows === null ? null : relayout(this.rows, columns);
    for (let index = 0; index < (present?.ends.length ?? 0); index++) {
      const row = rowAt(present as EncodedRows, index);
      rows.set(rowKey(row, keyCount), row);
    }
    for (let index = 0; index < changes.ends.length; index++) {
      const found = decodeRow(rowAt(changes, index));
      const { change, cells } = readChange(
        places.map((place) => found[place] ?? null),
        columns.length,
        keyCount,
      );
      const row = Buffer.from(encodeRow(cells));
      const key = rowKey(row, keyCount);
      if (change === 'delete') {
        rows.delete(key);
        this.deleted.set(key, cells);
      } else {
        rows.set(key, row);
        this.deleted.delete(key);
      }
    }
    this.#isDeletedBehind = true;
    this.setRows(columns, [...rows.values()]);
  }

  /** Replaces the rows in memory. */
  setRows(columns: readonly Column[], rows: readonly Buffer[]): void {
    this.rows = joinRows(columns, rows);
    this.#columns = columns;
  }

  /** Rows and remembered cells follow the table's layout when it widens. */
  async layOut(columns: readonly Column[]): Promise<void> {
    const breathe = createYielder();
    if (this.rows !== null) this.rows = await relayoutInSlices(this.rows, columns);
    const positions = columns.map((column) => this.#columns.findIndex((old) => old.name === column.name));
    let index = 0;
    for (const [key, cells] of this.deleted) {
      if ((index++ & 255) === 0) await breathe();
      this.deleted.set(
        key,
        positions.map((position) => (position === -1 ? null : (cells[position] ?? null))),
      );
    }
    this.#columns = columns;
  }

  /** The key schema changed: nothing that was is comparable with what is. */
  clear(): void {
    this.rows = null;
    this.deleted.clear();
    this.#isDeletedBehind = true;
  }

  /** Keeps the last known values of vanished items in step with what happened. */
  async track(differences: readonly Difference[], keyCount: number): Promise<void> {
    const breathe = createYielder();
    for (const [index, { before, after }] of differences.entries()) {
      if ((index & 255) === 0) await breathe();
      if (after === null && before !== null) {
        this.deleted.set(rowKey(before, keyCount), decodeRow(before));
        this.#isDeletedBehind = true;
      } else if (before === null && after !== null) {
        this.#isDeletedBehind = this.deleted.delete(rowKey(after, keyCount)) || this.#isDeletedBehind;
      }
    }
    for (const key of this.deleted.keys()) {
      if (this.deleted.size <= DELETED_LIMIT) break;
      this.deleted.delete(key);
    }
  }

  /** Replaces both files; `bytes` are header and rows. Rejects when the disk does not take them. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#isDeletedBehind) {
      await this.#deletedFile.replace(encodeFile(await this.#encodeDeleted()));
      this.#isDeletedBehind = false;
    }
    await this.#file.replace(bytes);
  }

  async #encodeDeleted(): Promise<EncodedRows> {
    const breathe = createYielder();
    const all = [...this.deleted.values()];
    const parts = [noRows(this.#columns)];
    for (let start = 0; start < all.length; start += BATCH) {
      parts.push(encodeRows(this.#columns, all.slice(start, start + BATCH)));
      await breathe();
    }
    return concatRows(parts);
  }
}

async function readRows(file: SnapshotFile, known: readonly Column[]): Promise<EncodedRows | null> {
  const bytes = await file.read();
  if (bytes === null || bytes.length === 0) return null;
  const { header, body, ends } = await splitRows(bytes, file.path);
  const types = new Map(known.map((column) => [column.name, column]));
  const columns = header.map((name) => types.get(name) ?? { name, type: 'string' as const, seen: false });
  const unknown = new Set(header.filter((name) => !types.has(name)));
  return { columns: await typesFromCells({ columns, body, ends }, unknown), body, ends };
}

function union(known: readonly Column[], found: readonly Column[]): Column[] {
  const names = new Set(known.map((column) => column.name));
  return [...known, ...found.filter((column) => !names.has(column.name))];
}

function joinRows(columns: readonly Column[], rows: readonly Buffer[]): EncodedRows {
  const ends = new Uint32Array(rows.length);
  let end = 0;
  for (const [index, row] of rows.entries()) {
    end += row.length;
    ends[index] = end;
  }
  return { columns, body: Buffer.concat(rows), ends };
}
