import { createYielder } from '../base/event-loop.js';
import { sameLayout } from './columns.js';
import { decodeRow, rowAt } from './decode.js';
import { bodyBehindHeader } from './encode.js';
import { relayoutInSlices } from './relayout.js';
import type { Cell, Column, EncodedRows } from './rows.js';
import { COMMA, LF, QUOTE } from './scan.js';

/** Rows of a block when it is made, and the most that it grows to before it is split. */
const USUAL = 64;
const MOST = 2 * USUAL;
/** Patches that a block has before its rows are written anew. */
const MOST_PATCHES = 16;
/** Bytes of memory that a patch takes besides its row. */
const PATCH_OVERHEAD = 200;
/** What edits may add in memory before all rows are joined: a share of the bytes of the rows, and bytes for small ones. */
const MOST_ADDED = { share: 0.25, bytes: 1 << 16 };

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

/** A row of a block after edits: it replaces the one at a place of the block, or is inserted there. */
interface Patch {
  readonly place: number;
  readonly isThere: boolean;
  /** Null: the row at that place is gone. */
  readonly row: Buffer | null;
}

/** Adjacent rows: at least one row of `body`, and patches in their order. */
interface Block {
  /** As in `EncodedRows`; the block has the rows `from` (included) to `to` (excluded). */
  readonly body: Buffer;
  readonly ends: Uint32Array;
  readonly from: number;
  readonly to: number;
  readonly patches: readonly Patch[];
  /** The key of the row `from`, once somebody asked for it. */
  first: readonly Cell[] | null;
}

const NO_PATCHES: readonly Patch[] = [];
const NO_ROWS: Block = {
  body: Buffer.alloc(0),
  ends: new Uint32Array(0),
  from: 0,
  to: 0,
  patches: NO_PATCHES,
  first: null,
};

/** A row that edits touch: its block and its place there, or where it belongs. */
interface Touched {
  readonly block: number;
  readonly place: number;
  readonly isThere: boolean;
  readonly key: readonly Cell[];
  /** Of earlier edits. */
  readonly patch: Patch | null;
  readonly before: Buffer | null;
  after: Buffer | null;
}

/**
 * Rows in the order of their keys, in blocks, so that the cost of edits depends on the number of edits and hardly on the
 * number of rows. Blocks are pieces of the rows that they were made of, and edits are patches of blocks. Immutable: edited
 * rows share all blocks that were not touched. Rows are joined when somebody asks for all of them, and before patches
 * take much memory.
 */
export class RowBlocks {
  readonly columns: readonly Column[];
  /** The number of rows, and their bytes. */
  readonly count: number;
  readonly size: number;
  readonly #keyCount: number;
  readonly #compare: CompareKeys;
  #blocks: readonly Block[];
  /** Bytes of memory that edits have added to the rows that the blocks were made of. */
  #added: number;
  #joined: Promise<EncodedRows> | null = null;

  private constructor(
    columns: readonly Column[],
    blocks: readonly Block[],
    keyCount: number,
    compare: CompareKeys,
    totals: { readonly count: number; readonly size: number; readonly added: number },
  ) {
    this.columns = columns;
    this.count = totals.count;
    this.size = totals.size;
    this.#blocks = blocks;
    this.#keyCount = keyCount;
    this.#compare = compare;
    this.#added = totals.added;
  }

  /** Rows that are in the order of `compare`; their memory is shared. Their first `keyCount` cells are the key. */
  static async from(rows: EncodedRows, keyCount: number, compare: CompareKeys): Promise<RowBlocks> {
    const totals = { count: rows.ends.length, size: rows.body.length, added: 0 };
    const made = new RowBlocks(rows.columns, await blocksOf(rows), keyCount, compare, totals);
    made.#joined = Promise.resolve(rows);
    return made;
  }

  /** The rows after these edits, one after another, and what each of them did. */
  async edit(
    edits: readonly RowEdit[],
  ): Promise<{ readonly rows: RowBlocks; readonly edited: readonly EditedRow[] }> {
    const blocks = this.#blocks;
    const added = this.#added;
    const touched = new Map<string, Touched>();
    const edited: EditedRow[] = [];
    const keys = edits.map(({ row }) => rowKey(row, this.#keyCount));
    const copies = copiesOf(edits, keys);
    const breathe = createYielder();
    for (const [index, { row }] of edits.entries()) {
      if ((index & 63) === 0) await breathe();
      const key = keys[index]!;
      const found = touched.get(key) ?? this.#locate(blocks, keyCells(row, this.#keyCount));
      touched.set(key, found);
      const before = found.after;
      found.after = copies[index]!;
      edited.push({ before, after: found.after });
    }
    const rows = await this.#with(blocks, [...touched.values()], added);
    if (rows.#added > rows.size * MOST_ADDED.share + MOST_ADDED.bytes) await rows.toRows();
    return { rows, edited };
  }

  /** The same rows with `columns`, which has all of their own. */
  async layOut(columns: readonly Column[]): Promise<RowBlocks> {
    if (!sameLayout(this.columns, columns)) {
      const laidOut = await relayoutInSlices(await this.toRows(), columns);
      return RowBlocks.from(laidOut, this.#keyCount, this.#compare);
    }
    const { count, size } = this;
    const totals = { count, size, added: this.#added };
    const same = new RowBlocks(columns, this.#blocks, this.#keyCount, this.#compare, totals);
    same.#joined = this.#joined?.then((rows) => ({ ...rows, columns })) ?? null;
    return same;
  }

  /** All rows as one. From then on they are what the blocks are pieces of. */
  toRows(): Promise<EncodedRows> {
    this.#joined ??= this.#join();
    return this.#joined;
  }

  async #join(): Promise<EncodedRows> {
    const breathe = createYielder();
    const body = bodyBehindHeader(this.columns, this.size);
    const ends = new Uint32Array(this.count);
    let size = 0;
    let row = 0;
    for (const [index, block] of this.#blocks.entries()) {
      if ((index & 63) === 0) await breathe();
      eachPart(block, (part, from, to) => {
        const start = startOf(part.ends, from);
        const moved = size - start;
        for (let next = from; next < to; next++) ends[row++] = part.ends[next]! + moved;
        size += part.body.copy(body, size, start, startOf(part.ends, to));
      });
    }
    const rows = { columns: this.columns, body, ends };
    this.#blocks = await blocksOf(rows);
    this.#added = 0;
    return rows;
  }

  #locate(blocks: readonly Block[], key: readonly Cell[]): Touched {
    const firstIsUpTo = (index: number) => this.#compare(this.#firstOf(blocks[index]!), key) <= 0;
    const block = Math.max(0, bisect(0, blocks.length, firstIsUpTo) - 1);
    const { body, ends, from, to, patches } = blocks[block] ?? NO_ROWS;
    const rowOf = (index: number) => rowIn(body, ends, index);
    const isBefore = (row: Buffer) => this.#compare(keyCells(row, this.#keyCount), key);
    const index = bisect(from, to, (at) => isBefore(rowOf(at)) < 0);
    const isThere = index < to && isBefore(rowOf(index)) === 0;
    const place = index - from;
    const patch =
      patches.find(
        (one) => one.place === place && one.isThere === isThere && (isThere || isBefore(one.row!) === 0),
      ) ?? null;
    const own = isThere ? rowOf(index) : null;
    const before = patch === null ? own : patch.row;
    return { block, place, isThere, key, patch, before, after: before };
  }

  #firstOf(block: Block): readonly Cell[] {
    block.first ??= keyCells(rowIn(block.body, block.ends, block.from), this.#keyCount);
    return block.first;
  }

  async #with(blocks: readonly Block[], touched: readonly Touched[], added: number): Promise<RowBlocks> {
    const totals = { count: this.count, size: this.size, added };
    const byBlock = new Map<number, Touched[]>();
    for (const one of touched) {
      const { block, before, after } = one;
      totals.count += Number(after !== null) - Number(before !== null);
      totals.size += (after?.length ?? 0) - (before?.length ?? 0);
      totals.added += (after?.length ?? 0) + PATCH_OVERHEAD;
      const others = byBlock.get(block);
      if (others === undefined) byBlock.set(block, [one]);
      else others.push(one);
    }
    const breathe = createYielder();
    const edited = blocks.slice();
    const divided = new Map<number, readonly Block[]>();
    for (const [index, edits] of byBlock) {
      await breathe();
      const block = blocks[index] ?? NO_ROWS;
      const patched = { ...block, patches: this.#patches(block, edits) };
      if (block !== NO_ROWS && patched.patches.length <= MOST_PATCHES) edited[index] = patched;
      else {
        const rows = this.#writtenAnew(patched);
        totals.added += rows.body.length + rows.ends.byteLength;
        divided.set(index, await blocksOf(rows, MOST));
      }
    }
    return new RowBlocks(this.columns, withBlocks(edited, divided), this.#keyCount, this.#compare, totals);
  }

  /** A block's patches after edits, in the order of their rows: what is inserted at a place comes before its row. */
  #patches(block: Block, touched: readonly Touched[]): readonly Patch[] {
    const replaced = new Set(touched.map(({ patch }) => patch));
    const kept = block.patches.filter((patch) => !replaced.has(patch));
    const keyed = [
      ...kept.map((patch) => ({ patch, key: patch.isThere ? [] : keyCells(patch.row!, this.#keyCount) })),
      ...touched.map(({ place, isThere, key, after }) => ({ patch: { place, isThere, row: after }, key })),
    ];
    return keyed
      .filter(({ patch }) => patch.isThere || patch.row !== null)
      .sort(
        (a, b) =>
          a.patch.place - b.patch.place ||
          Number(a.patch.isThere) - Number(b.patch.isThere) ||
          this.#compare(a.key, b.key),
      )
      .map(({ patch }) => patch);
  }

  /** The rows of a block in memory of their own. */
  #writtenAnew(block: Block): EncodedRows {
    const parts: Buffer[] = [];
    const ends: number[] = [];
    let size = 0;
    eachPart(block, (part, from, to) => {
      const start = startOf(part.ends, from);
      for (let row = from; row < to; row++) ends.push(part.ends[row]! - start + size);
      const bytes = part.body.subarray(start, startOf(part.ends, to));
      parts.push(bytes);
      size += bytes.length;
    });
    return { columns: this.columns, body: joined(parts, size), ends: Uint32Array.from(ends) };
  }
}

/** Rows as blocks of their memory, of `USUAL` rows; as one block if there are at most `undivided`. */
async function blocksOf({ body, ends }: EncodedRows, undivided = USUAL): Promise<readonly Block[]> {
  const breathe = createYielder();
  const blocks: Block[] = [];
  const rows = ends.length <= undivided ? undivided : USUAL;
  for (let from = 0; from < ends.length; from += rows) {
    if ((blocks.length & 1023) === 0) await breathe();
    const to = Math.min(ends.length, from + rows);
    blocks.push({ body, ends, from, to, patches: NO_PATCHES, first: null });
  }
  return blocks;
}

function withBlocks(
  blocks: readonly Block[],
  divided: ReadonlyMap<number, readonly Block[]>,
): readonly Block[] {
  if (divided.size === 0) return blocks;
  const parts: (readonly Block[])[] = [];
  let next = 0;
  for (const [index, instead] of [...divided].sort(([a], [b]) => a - b)) {
    parts.push(blocks.slice(next, index), instead);
    next = index + 1;
  }
  return parts.concat([blocks.slice(next)]).flat();
}

/** Calls `use` with the rows of a block in their order, as ranges of rows in memory. */
function eachPart(
  { body, ends, from, to, patches }: Block,
  use: (rows: Pick<EncodedRows, 'body' | 'ends'>, from: number, to: number) => void,
): void {
  let next = from;
  for (const { place, isThere, row } of patches) {
    if (from + place > next) use({ body, ends }, next, from + place);
    if (row !== null) use({ body: row, ends: Uint32Array.of(row.length) }, 0, 1);
    next = from + place + Number(isThere);
  }
  if (to > next) use({ body, ends }, next, to);
}

/**
 * Copies of the rows of edits, null for a removal: they outlive the reading, and should not hold its memory. Nor should the
 * last row of an item hold that of rows which other edits have replaced.
 */
function copiesOf(edits: readonly RowEdit[], keys: readonly string[]): readonly (Buffer | null)[] {
  const last = new Map(keys.map((key, index) => [key, index]));
  const copyOf = copier(edits.filter((_, index) => last.get(keys[index]!) === index));
  const copyOfReplaced = copier(edits.filter((_, index) => last.get(keys[index]!) !== index));
  return edits.map((edit, index) => (last.get(keys[index]!) === index ? copyOf(edit) : copyOfReplaced(edit)));
}

/** Copies these edits' rows together. Returns a function that has to be called for each of them in their order. */
function copier(edits: readonly RowEdit[]): (edit: RowEdit) => Buffer | null {
  const rows = edits.filter(({ isRemoval }) => !isRemoval).map(({ row }) => row);
  const size = rows.reduce((sum, { length }) => sum + length, 0);
  const body = joined(rows, size);
  let end = 0;
  return ({ row, isRemoval }) => {
    if (isRemoval) return null;
    end += row.length;
    return body.subarray(end - row.length, end);
  };
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

/** A copy of its own: in Node's pool rows would hold the memory of what else is there. */
function joined(parts: readonly Buffer[], size: number): Buffer {
  const body = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) at += part.copy(body, at);
  return body;
}

/** Where row `index` begins. */
function startOf(ends: Uint32Array, index: number): number {
  return index === 0 ? 0 : ends[index - 1]!;
}

function rowIn(body: Buffer, ends: Uint32Array, index: number): Buffer {
  return body.subarray(startOf(ends, index), ends[index]);
}

/** The first index from `from` on of which `isBefore` is false, at most `to`; it is true up to there. */
function bisect(from: number, to: number, isBefore: (index: number) => boolean): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBefore(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
