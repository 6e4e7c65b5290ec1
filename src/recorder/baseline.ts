import { createYielder } from '../base/event-loop.js';
import { hashOf } from '../base/hash.js';
import { decodeRow, rowAt, splitRows } from '../csv/decode.js';
import { encodeFile, encodeRow, encodeRows, isSameMemory, noRows } from '../csv/encode.js';
import { inferColumns } from '../csv/infer.js';
import { concatRows, relayout, relayoutInSlices } from '../csv/relayout.js';
import { type CompareKeys, joinRows, RowBlocks, rowKey, sortRows } from '../csv/row-blocks.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';
import type { Files } from '../volume/files.js';
import { SnapshotFile } from '../volume/write.js';
import { type Deleted, type Difference, isRemoval, readChange } from './changes.js';
import type { FileMark } from './table-state.js';

/** Deleted items whose last known values are kept in case they return; beyond this, the oldest are dropped. */
const DELETED_LIMIT = 100_000;
/** Rows encoded between two yields to the event loop. */
const BATCH = 512;
/** How many possible contents are tracked while the disk refuses to replace a file. */
const MOST_MARKS = 8;
/** Bytes per second, see `RecorderOptions.writeRate`: 100 MB are written every five and a half minutes. */
const WRITE_RATE = 300_000;

/**
 * What a file of the baseline turned out to hold. `expected`: content that this service wrote; `newest` if it is the
 * latest. `changed`: something else changed, removed or damaged it. `unknown`: no state says what it should hold.
 */
export type Finding = 'newest' | 'expected' | 'changed' | 'unknown';

/**
 * A table's items as of the latest poll, and the last known values of deleted items: what the next poll is compared
 * with. Two files: the snapshot itself (`<name>.csv`, or `.dynamo-csv/<name>.baseline.csv` for a table whose
 * `<name>.csv` is a log) and `.dynamo-csv/<name>.deleted.csv`.
 */
export class Baseline {
  readonly #files: Files;
  readonly #writeRate: number;
  readonly #items: MarkedFile;
  readonly #deletedItems: MarkedFile;
  #columns: readonly Column[] = [];
  /** Whether the file of deleted items is behind memory. */
  #isDeletedBehind = false;
  #tracked: { readonly key: string; readonly before: readonly Cell[] | null }[] = [];
  /** Whether the rows are in the order of a full reading. */
  #isInOrder = false;
  #rows: EncodedRows | null = null;
  /** The items in blocks, once deltas are applied to them; then `#rows` is null. */
  #blocks: RowBlocks | null = null;
  /** The poll that the announced items are of, and when they were written; in milliseconds since the epoch. */
  #itemsAt: number | null = null;
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** Whether the rows are those of the latest poll. Otherwise changes since then are unknown. */
  isTrue = true;
  deleted: Deleted = new Map();

  constructor(
    paths: { readonly rows: string; readonly deleted: string },
    files: Files,
    writeRate = WRITE_RATE,
  ) {
    this.#files = files;
    this.#writeRate = writeRate;
    this.#items = new MarkedFile(paths.rows, files);
    this.#deletedItems = new MarkedFile(paths.deleted, files);
  }

  /** Whether there are items, from a first poll or a file. */
  get isKnown(): boolean {
    return this.#rows !== null || this.#blocks !== null;
  }

  /** Null until there are items, and while they are in blocks. */
  get rows(): EncodedRows | null {
    return this.#rows;
  }

  /** The items as a poll found them, in the order of a full reading. */
  set rows(rows: EncodedRows) {
    this.#rows = rows;
    this.#blocks = null;
    this.#isInOrder = true;
    this.isTrue = true;
  }

  /** The items after a delta. */
  set blocks(blocks: RowBlocks) {
    this.#blocks = blocks;
    this.#rows = null;
  }

  /** The items, whether they are in blocks or not; null: there are none. */
  async allRows(): Promise<EncodedRows | null> {
    return this.#rows ?? (await this.#blocks?.toRows()) ?? null;
  }

  /** The items in blocks and in the order of a full reading, which is the order of `compare`. */
  async inBlocks(keyCount: number, compare: CompareKeys): Promise<RowBlocks> {
    if (this.#blocks !== null) return this.#blocks;
    const rows = this.#rows ?? noRows(this.#columns);
    const inOrder = this.#isInOrder ? rows : sortRows(rows, keyCount, compare);
    this.blocks = await RowBlocks.from(inOrder, keyCount, compare);
    this.release();
    return this.#blocks!;
  }

  /** The items' file has the items of that poll. */
  set fileAt(at: number | null) {
    this.#itemsAt = at;
  }

  /** Whether the items' file is to be replaced by a delta at that time: a large one not every second. */
  isDue(now: number, size: number): boolean {
    return now - this.#writtenAt >= (size / this.#writeRate) * 1_000;
  }

  /** Path of the items' file. */
  get path(): string {
    return this.#items.path;
  }

  /** Path of the deleted items' file. */
  get deletedPath(): string {
    return this.#deletedItems.path;
  }

  /** What the files may hold from now on, newest first; goes into the state. */
  get marks(): {
    readonly items: FileMark[];
    readonly itemsAt: number | null;
    readonly deleted: FileMark[];
  } {
    const deleted = [...this.#deletedItems.marks];
    return { items: [...this.#items.marks], itemsAt: this.#itemsAt, deleted };
  }

  /**
   * Reads the items. `known`: the columns' order and types; `marks`: what the file should hold. Returns what it turned out
   * to hold, and when it was last replaced (milliseconds since the epoch; null without a file). Rejects with
   * `CSV_MALFORMED` if it is not a CSV file.
   */
  async load(
    known: readonly Column[],
    marks: readonly FileMark[] | null,
  ): Promise<{ readonly finding: Finding; readonly modifiedAt: number | null }> {
    const { bytes, finding } = await this.#items.read(marks);
    this.#columns = known;
    if (bytes === null || bytes.length === 0) return { finding, modifiedAt: null };
    const found = await readRows(bytes, this.path, known);
    this.#columns = union(known, found.columns);
    this.#rows = relayout(found, this.#columns);
    this.#isInOrder = finding === 'newest' || finding === 'expected';
    return { finding, modifiedAt: (await this.#files.stat(this.path))?.modifiedAt ?? null };
  }

  /** Reads the deleted items; call it after `load`. Rejects with `CSV_MALFORMED` if the file is not a CSV file. */
  async loadDeleted(keyCount: number, marks: readonly FileMark[] | null): Promise<Finding> {
    const { bytes, finding } = await this.#deletedItems.read(marks);
    if (finding === 'changed' || bytes === null || bytes.length === 0) return finding;
    const rows = await readRows(bytes, this.deletedPath, this.#columns);
    const laidOut = relayout(rows, union(this.#columns, rows.columns));
    for (let index = 0; index < laidOut.ends.length; index++) {
      const row = rowAt(laidOut, index);
      this.deleted.set(rowKey(row, keyCount), decodeRow(row).slice(0, this.#columns.length));
    }
    return finding;
  }

  /**
   * Applies changes that are newer than the items. Idempotent. `changes` are rows of the changes dataset in its file's
   * layout, which may lag behind `layout`, the one for the table's own `columns`: a crash may have come before the file
   * was widened.
   */
  redo(changes: EncodedRows, layout: readonly Column[], columns: readonly Column[], keyCount: number): void {
    if (changes.ends.length === 0) return;
    const rows = this.#rowsByKey(columns, keyCount);
    for (const { change, cells } of readChanges(changes, layout, columns.length, keyCount)) {
      const row = Buffer.from(encodeRow(cells));
      const key = rowKey(row, keyCount);
      if (isRemoval(change)) rows.delete(key);
      else rows.set(key, row);
    }
    this.setRows(columns, [...rows.values()]);
    this.rememberDeleted(changes, layout, columns, keyCount);
  }

  /**
   * Adds items from a log of new items that are newer than the file. Idempotent. What became of them since is not known:
   * the next poll is compared with them as they were logged.
   */
  redoNew(logged: EncodedRows, columns: readonly Column[], keyCount: number): void {
    if (logged.ends.length === 0) return;
    const rows = this.#rowsByKey(columns, keyCount);
    for (const cells of cellsOf(logged, columns)) {
      const row = Buffer.from(encodeRow(cells));
      const key = rowKey(row, keyCount);
      if (!rows.has(key)) rows.set(key, row);
    }
    this.setRows(columns, [...rows.values()]);
  }

  /** Shows the same items with their cells written in another way; nothing else changes. */
  rewrite(rows: EncodedRows): void {
    this.#rows = rows;
  }

  #rowsByKey(columns: readonly Column[], keyCount: number): Map<string, Buffer> {
    const rows = new Map<string, Buffer>();
    const present = this.rows === null ? null : relayout(this.rows, columns);
    for (let index = 0; index < (present?.ends.length ?? 0); index++) {
      const row = rowAt(present as EncodedRows, index);
      rows.set(rowKey(row, keyCount), row);
    }
    return rows;
  }

  /** Learns from changes which items were deleted, with their last known values. */
  rememberDeleted(
    changes: EncodedRows,
    layout: readonly Column[],
    columns: readonly Column[],
    keyCount: number,
  ): void {
    for (const { change, cells } of readChanges(changes, layout, columns.length, keyCount)) {
      const key = rowKey(Buffer.from(encodeRow(cells)), keyCount);
      if (isRemoval(change)) this.deleted.set(key, cells);
      else this.deleted.delete(key);
    }
    this.#isDeletedBehind = true;
  }

  /** Replaces the rows in memory. */
  setRows(columns: readonly Column[], rows: readonly Buffer[]): void {
    this.#rows = joinRows(columns, rows);
    this.#blocks = null;
    this.#isInOrder = false;
    this.isTrue = true;
    this.#columns = columns;
  }

  /** Converts rows and remembered cells to a wider layout of the table. */
  async layOut(columns: readonly Column[]): Promise<void> {
    const breathe = createYielder();
    if (this.#rows !== null) this.#rows = await relayoutInSlices(this.#rows, columns);
    if (this.#blocks !== null) this.#blocks = await this.#blocks.layOut(columns);
    const old = new Map(this.#columns.map(({ name }, index) => [name, index]));
    const positions = columns.map(({ name }) => old.get(name) ?? -1);
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

  /** Forgets everything: earlier items are not comparable, because the key schema changed or the items are unknown. */
  clear(): void {
    this.#rows = null;
    this.#blocks = null;
    this.deleted.clear();
    this.#isDeletedBehind = true;
  }

  /** Updates the last known values of deleted items with these differences; `untrack` undoes it. */
  async track(differences: readonly Difference[], keyCount: number): Promise<void> {
    this.#tracked = [];
    const breathe = createYielder();
    for (const [index, { before, after }] of differences.entries()) {
      if ((index & 255) === 0) await breathe();
      if (after === null && before !== null) {
        this.#setDeleted(rowKey(before, keyCount), decodeRow(before));
      } else if (before === null && after !== null) {
        this.#setDeleted(rowKey(after, keyCount), null);
      }
    }
    for (const key of this.deleted.keys()) {
      if (this.deleted.size <= DELETED_LIMIT) break;
      this.#setDeleted(key, null);
    }
  }

  /** Undoes the last `track`: its poll does not count. */
  untrack(): void {
    for (const { key, before } of this.#tracked.splice(0).reverse()) {
      if (before === null) this.deleted.delete(key);
      else this.deleted.set(key, before);
    }
  }

  #setDeleted(key: string, cells: readonly Cell[] | null): void {
    const before = this.deleted.get(key) ?? null;
    if (before === null && cells === null) return;
    this.#tracked.push({ key, before });
    this.#isDeletedBehind = true;
    if (cells === null) this.deleted.delete(key);
    else this.deleted.set(key, cells);
  }

  /**
   * Announces what `write` will write, so that the state can record it first. `bytes` are header and rows; `at`: the poll
   * that they are of, in milliseconds since the epoch.
   */
  async announce(bytes: Buffer, at: number): Promise<void> {
    await this.#items.announce(bytes);
    this.#itemsAt = at;
    if (this.#isDeletedBehind) await this.#deletedItems.announce(encodeFile(await this.#encodeDeleted()));
  }

  /** Replaces both files by the announced content. Rejects if the disk does not accept it. */
  async write(): Promise<void> {
    await this.#deletedItems.write();
    await this.#items.write();
    this.#isDeletedBehind = false;
    this.#writtenAt = this.#itemsAt ?? this.#writtenAt;
  }

  /** Releases the bytes of the file, when the items in memory are not these bytes. */
  release(): void {
    this.#items.release();
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

/** A file that is replaced as a whole, with the contents that it may hold: the last announced one and possible earlier ones. */
class MarkedFile {
  readonly #file: SnapshotFile;
  #announced: Buffer | null = null;
  marks: FileMark[] = [];

  constructor(path: string, files: Files) {
    this.#file = new SnapshotFile(path, files);
  }

  get path(): string {
    return this.#file.path;
  }

  async read(
    expected: readonly FileMark[] | null,
  ): Promise<{ readonly bytes: Buffer | null; readonly finding: Finding }> {
    const bytes = await this.#file.read();
    const mark = bytes === null ? null : await markOf(bytes);
    this.marks = [mark];
    if (expected === null || expected.length === 0) return { bytes, finding: 'unknown' };
    const index = expected.findIndex((one) => one?.size === mark?.size && one?.hash === mark?.hash);
    return { bytes, finding: index === 0 ? 'newest' : index > 0 ? 'expected' : 'changed' };
  }

  async announce(bytes: Buffer): Promise<void> {
    if (this.#announced !== null && isSameMemory(this.#announced, bytes)) return;
    if (this.#announced?.equals(bytes) === true) return;
    const mark = await markOf(bytes);
    this.#announced = bytes;
    const others = this.marks.filter((one) => one?.hash !== mark.hash);
    // The last one is what the file held before the disk started refusing writes.
    this.marks = [mark, ...(others.length < MOST_MARKS ? others : others.toSpliced(MOST_MARKS - 2, 1))];
  }

  release(): void {
    this.#announced = null;
    this.#file.release();
  }

  async write(): Promise<void> {
    if (this.#announced === null) return;
    await this.#file.replace(this.#announced);
    this.marks = this.marks.slice(0, 1);
  }
}

async function markOf(bytes: Buffer): Promise<Exclude<FileMark, null>> {
  return { size: bytes.length, hash: await hashOf(bytes) };
}

/** What the rows of changes say, in the table's own layout. */
export function* readChanges(
  changes: EncodedRows,
  layout: readonly Column[],
  width: number,
  keyCount: number,
) {
  for (const cells of cellsOf(changes, layout)) yield readChange(cells, width, keyCount);
}

/** Each row's cells in another layout, which may leave columns out. */
function* cellsOf(rows: EncodedRows, layout: readonly Column[]): Generator<Cell[], void, undefined> {
  const indexes = new Map(rows.columns.map(({ name }, index) => [name, index]));
  const places = layout.map(({ name }) => indexes.get(name) ?? -1);
  for (let index = 0; index < rows.ends.length; index++) {
    const found = decodeRow(rowAt(rows, index));
    yield places.map((place) => found[place] ?? null);
  }
}

async function readRows(bytes: Buffer, path: string, known: readonly Column[]): Promise<EncodedRows> {
  const { header, body, ends } = await splitRows(bytes, path);
  const types = new Map(known.map((column) => [column.name, column]));
  const columns = header.map((name) => types.get(name) ?? { name, type: 'string' as const, seen: false });
  const unknown = new Set(header.filter((name) => !types.has(name)));
  return { columns: await inferColumns({ columns, body, ends }, unknown), body, ends };
}

function union(known: readonly Column[], found: readonly Column[]): Column[] {
  const names = new Set(known.map((column) => column.name));
  return [...known, ...found.filter((column) => !names.has(column.name))];
}
