import { createYielder } from '../base/event-loop.js';
import { sameLayout } from './columns.js';
import { decodeRow, rowAt } from './decode.js';
import { bodyBehindHeader, noRows } from './encode.js';
import { relayout, sliceRows } from './relayout.js';
import type { Cell, Column, EncodedRows } from './rows.js';
import { COMMA, LF, QUOTE } from './scan.js';

/** Rows of a block when it is made, and the most that it grows to before it is split. */
const USUAL = 64;
const MOST = 2 * USUAL;

/** The order of the rows, by the cells of two keys: negative when the first comes first. */
export type CompareKeys = (a: readonly Cell[], b: readonly Cell[]) => number;

/** What becomes of the row with a key. */
export interface RowEdit {
  /** The new row as a CSV line, its key first; of a removed one only the key counts. */
  readonly row: Buffer;
  readonly isRemoval: boolean;
}

/** A row before and after one edit; null: there was none. */
export interface EditedRow {
  readonly before: Buffer | null;
  readonly after: Buffer | null;
}

/** Adjacent rows; at least one. */
interface Block {
  readonly body: Buffer;
  /** As in `EncodedRows`. */
  readonly ends: Uint32Array;
  /** The key of the first row. */
  readonly first: readonly Cell[];
}

/** A row that edits touch: its block and its index there, or where it belongs. */
interface Touched {
  readonly block: number;
  readonly place: number;
  readonly isThere: boolean;
  readonly key: readonly Cell[];
  after: Buffer | null;
}

/**
 * Rows in the order of their keys, in blocks, so that the cost of edits depends on the number of edits and hardly on the
 * number of rows. Immutable: edited rows share all blocks that were not touched.
 */
export class RowBlocks {
  readonly columns: readonly Column[];
  /** The number of rows, and their bytes. */
  readonly count: number;
  readonly size: number;
  readonly #blocks: readonly Block[];
  readonly #keyCount: number;
  readonly #compare: CompareKeys;

  private constructor(
    columns: readonly Column[],
    blocks: readonly Block[],
    keyCount: number,
    compare: CompareKeys,
    totals: { readonly count: number; readonly size: number },
  ) {
    this.columns = columns;
    this.count = totals.count;
    this.size = totals.size;
    this.#blocks = blocks;
    this.#keyCount = keyCount;
    this.#compare = compare;
  }

  /** A copy of rows that are in the order of `compare`. Their first `keyCount` cells are the key. */
  static async from(rows: EncodedRows, keyCount: number, compare: CompareKeys): Promise<RowBlocks> {
    const breathe = createYielder();
    const blocks: Block[] = [];
    for (let from = 0; from < rows.ends.length; from += USUAL) {
      if ((blocks.length & 63) === 0) await breathe();
      const { body, ends } = sliceRows(rows, from, Math.min(rows.ends.length, from + USUAL));
      blocks.push(blockOf(joined([body], body.length), ends, keyCount));
    }
    const totals = { count: rows.ends.length, size: rows.body.length };
    return new RowBlocks(rows.columns, blocks, keyCount, compare, totals);
  }

  /** The rows after these edits, one after another, and what each of them did. */
  async edit(
    edits: readonly RowEdit[],
  ): Promise<{ readonly rows: RowBlocks; readonly edited: readonly EditedRow[] }> {
    const touched = new Map<string, Touched>();
    const edited: EditedRow[] = [];
    const breathe = createYielder();
    for (const { row, isRemoval } of edits) {
      if ((edited.length & 63) === 0) await breathe();
      const key = rowKey(row, this.#keyCount);
      const found = touched.get(key) ?? this.#locate(keyCells(row, this.#keyCount));
      touched.set(key, found);
      const before = found.after;
      found.after = isRemoval ? null : row;
      edited.push({ before, after: found.after });
    }
    return { rows: await this.#with([...touched.values()]), edited };
  }

  /** The same rows with `columns`, which has all of their own. */
  async layOut(columns: readonly Column[]): Promise<RowBlocks> {
    if (sameLayout(this.columns, columns))
      return new RowBlocks(columns, this.#blocks, this.#keyCount, this.#compare, this);
    const breathe = createYielder();
    const blocks: Block[] = [];
    let size = 0;
    for (const { body, ends, first } of this.#blocks) {
      if ((blocks.length & 63) === 0) await breathe();
      const laidOut = relayout({ columns: this.columns, body, ends }, columns);
      blocks.push({ body: laidOut.body, ends: laidOut.ends, first });
      size += laidOut.body.length;
    }
    return new RowBlocks(columns, blocks, this.#keyCount, this.#compare, { count: this.count, size });
  }

  /** All rows as one. */
  async toRows(): Promise<EncodedRows> {
    const breathe = createYielder();
    const body = bodyBehindHeader(this.columns, this.size);
    const ends = new Uint32Array(this.count);
    let offset = 0;
    let row = 0;
    for (const [index, block] of this.#blocks.entries()) {
      if ((index & 63) === 0) await breathe();
      block.body.copy(body, offset);
      for (const end of block.ends) ends[row++] = offset + end;
      offset += block.body.length;
    }
    return { columns: this.columns, body, ends };
  }

  #locate(key: readonly Cell[]): Touched {
    const blocks = this.#blocks;
    const block = Math.max(
      0,
      bisect(blocks.length, (index) => this.#compare(blocks[index]!.first, key) <= 0) - 1,
    );
    const found = blocks[block];
    if (found === undefined) return { block, place: 0, isThere: false, key, after: null };
    const keyAt = (index: number) => keyCells(rowOf(found, index), this.#keyCount);
    const place = bisect(found.ends.length, (index) => this.#compare(keyAt(index), key) < 0);
    const isThere = place < found.ends.length && this.#compare(keyAt(place), key) === 0;
    return { block, place, isThere, key, after: isThere ? rowOf(found, place) : null };
  }

  async #with(touched: readonly Touched[]): Promise<RowBlocks> {
    const breathe = createYielder();
    const byBlock = new Map<number, Touched[]>();
    for (const one of touched) byBlock.set(one.block, [...(byBlock.get(one.block) ?? []), one]);
    const blocks: Block[] = [];
    let { count, size } = this;
    let next = 0;
    for (const [index, edits] of [...byBlock].sort(([a], [b]) => a - b)) {
      await breathe();
      while (next < index) blocks.push(this.#blocks[next++]!);
      const old = this.#blocks[next++];
      const rows = this.#rebuilt(old, edits);
      count += rows.ends.length - (old?.ends.length ?? 0);
      size += rows.body.length - (old?.body.length ?? 0);
      blocks.push(...this.#split(rows));
    }
    while (next < this.#blocks.length) blocks.push(this.#blocks[next++]!);
    return new RowBlocks(this.columns, blocks, this.#keyCount, this.#compare, { count, size });
  }

  /** The rows of a block with the touched ones replaced. Rows between them are copied together. */
  #rebuilt(block: Block | undefined, touched: readonly Touched[]): EncodedRows {
    const inOrder = [...touched].sort((a, b) => a.place - b.place || this.#compare(a.key, b.key));
    const { body, ends: before } = block ?? noRows(this.columns);
    const parts: Buffer[] = [];
    const ends: number[] = [];
    let size = 0;
    let next = 0;
    const keepUntil = (place: number) => {
      const start = before[next - 1] ?? 0;
      for (; next < place; next++) ends.push(size + before[next]! - start);
      const kept = body.subarray(start, before[place - 1] ?? 0);
      if (kept.length > 0) parts.push(kept);
      size += kept.length;
    };
    for (const { place, isThere, after } of inOrder) {
      if (place > next) keepUntil(place);
      if (after !== null) {
        parts.push(after);
        size += after.length;
        ends.push(size);
      }
      if (isThere) next = place + 1;
    }
    if (before.length > next) keepUntil(before.length);
    return { columns: this.columns, body: joined(parts, size), ends: Uint32Array.from(ends) };
  }

  #split(rows: EncodedRows): Block[] {
    const count = rows.ends.length;
    if (count === 0) return [];
    if (count <= MOST) return [blockOf(rows.body, rows.ends, this.#keyCount)];
    const blocks: Block[] = [];
    for (let from = 0; from < count; from += USUAL) {
      const { body, ends } = sliceRows(rows, from, Math.min(count, from + USUAL));
      blocks.push(blockOf(joined([body], body.length), ends, this.#keyCount));
    }
    return blocks;
  }
}

/** Rows in the order of `compare`. */
export function sortRows(rows: EncodedRows, keyCount: number, compare: CompareKeys): EncodedRows {
  const keyed = Array.from(rows.ends, (_, index) => {
    const row = rowAt(rows, index);
    return { row, key: keyCells(row, keyCount) };
  });
  return joinRows(
    rows.columns,
    keyed.sort((a, b) => compare(a.key, b.key)).map(({ row }) => row),
  );
}

/** Rows one after another. */
export function joinRows(columns: readonly Column[], rows: readonly Buffer[]): EncodedRows {
  const ends = new Uint32Array(rows.length);
  let end = 0;
  for (const [index, row] of rows.entries()) {
    end += row.length;
    ends[index] = end;
  }
  return { columns, body: Buffer.concat(rows, end), ends };
}

/** The encoded bytes of the first `keyCount` cells: equal exactly for rows of the same item. */
export function rowKey(row: Buffer, keyCount: number): string {
  return row.toString('latin1', 0, keyEnd(row, keyCount));
}

/** The first `keyCount` cells of a row. */
export function keyCells(row: Buffer, keyCount: number): Cell[] {
  return decodeRow(row.subarray(0, keyEnd(row, keyCount)));
}

function keyEnd(row: Buffer, keyCount: number): number {
  let quoted = false;
  let cells = 0;
  for (let index = 0; index < row.length; index++) {
    const byte = row[index];
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === COMMA || byte === LF) && ++cells === keyCount) return index;
  }
  return row.length;
}

/** A copy of its own: in Node's pool a block would hold the memory of replaced ones. */
function joined(parts: readonly Buffer[], size: number): Buffer {
  const body = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) at += part.copy(body, at);
  return body;
}

function blockOf(body: Buffer, ends: Uint32Array, keyCount: number): Block {
  return { body, ends, first: keyCells(body.subarray(0, ends[0]), keyCount) };
}

function rowOf({ body, ends }: Block, index: number): Buffer {
  return rowAt({ columns: [], body, ends }, index);
}

/** The first index of which `isBefore` is false; it is true up to there. */
function bisect(count: number, isBefore: (index: number) => boolean): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBefore(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
