import { hash } from 'node:crypto';
import { concatRows, relayout } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import { ItemScanner, NOT_PLAIN } from './item-scanner.js';
import { type KeyAttribute, SortKeyWriter } from './keys.js';
import { type ColumnOptions, ItemLayout } from './layout.js';
import { type Page, rewritten } from './page.js';
import { RowWriter } from './row-writer.js';
import { type Run, sortedKeys, sortedOrder, sortedRows } from './sort.js';

const COMMA = 0x2c;
/** A CSV row is shorter than its item's JSON, which has a name and a type with each value. */
const CSV_PER_JSON = 0.5;

/** What the encoder needs to know about a table; plain data, so that it can be posted to a thread. */
export interface TableShape {
  readonly table: string;
  readonly keys: readonly KeyAttribute[];
  readonly options: ColumnOptions;
  /** The columns the dataset already has. As long as items have no other attributes, rows are encoded only once. */
  readonly known: readonly Column[];
}

/** The result for some pages: the rows of the decoded items, and for each segment what is known about all its items. */
export interface EncodedRun {
  readonly run: Run;
  readonly segments: readonly SegmentBlocks[];
}

/**
 * Turns pages of items into one run of rows. Items are encoded immediately, so only the CSV and keys of a page are kept;
 * items that an earlier reading had with the same bytes are not decoded at all.
 */
export class RunEncoder {
  readonly #layout: ItemLayout;
  readonly #keys: SortKeyWriter;
  readonly #scanner = new ItemScanner();
  readonly #earlier: ReadonlyMap<number, SegmentBlocks>;
  readonly #segments = new Map<number, { known: KnownBlocks | null; collector: BlockCollector }>();
  readonly #parts: EncodedRows[] = [];
  readonly #keyNames: readonly string[];
  /** By the attribute's number. */
  #kinds = new Uint8Array(64);
  #indexes = new Int32Array(0);
  #items = 0;

  /** `earlier`: what the previous reading knew about the items, with the same shape. */
  constructor({ table, keys, options, known }: TableShape, earlier: readonly SegmentBlocks[]) {
    this.#layout = new ItemLayout(table, keys, options, known);
    this.#keys = new SortKeyWriter(table, keys);
    this.#keyNames = keys.map(({ name }) => name);
    this.#earlier = new Map(earlier.map((blocks) => [blocks.segment, blocks]));
  }

  /** Items so far. */
  get items(): number {
    return this.#items;
  }

  /** Adds the next page of a segment. Throws a `SyntaxError` for invalid JSON, or if it has no items. */
  add(segment: number, page: Page): void {
    const { known, collector } = this.#segment(segment);
    const expected = known?.next ?? 0;
    let { bytes } = page;
    let parts = this.#split(page, known);
    if (parts === null) {
      if (known !== null) known.next = expected;
      const plain = rewritten(page);
      bytes = plain.bytes;
      parts = this.#split(plain, known);
    }
    if (parts === null) throw new SyntaxError('the Items of the answer are not items');
    let decoded = this.#keys.count;
    this.#writeRows(bytes, decodedBytes(parts));
    for (const part of parts) {
      collector.add(bytes, part, decoded);
      if (part.known < 0) decoded += part.items;
      this.#items += part.items;
    }
  }

  /** The decoded rows, in key order. The encoder must not be used afterwards. */
  finish(): EncodedRun {
    const { names } = this.#scanner.attributes;
    const kinds = names.map((name, number) => [name, this.#kinds[number] ?? 0] as const);
    const columns = this.#layout.typedColumns(kinds);
    const rows = concatRows(this.#laidOut(columns));
    const keys = this.#keys.finish();
    const order = sortedOrder(keys);
    const segments = Array.from(this.#segments.values(), ({ collector }) => collector.finish());
    followOrder(segments, order);
    return {
      run: {
        rows: sortedRows(rows, order),
        keys: sortedKeys(keys, order),
        origins: this.#layout.origins,
        mixed: this.#layout.mixedColumns(kinds),
      },
      segments,
    };
  }

  #segment(segment: number) {
    const found = this.#segments.get(segment);
    if (found !== undefined) return found;
    const blocks = this.#earlier.get(segment);
    const known = blocks === undefined ? null : new KnownBlocks(blocks);
    const created = { known, collector: new BlockCollector(segment, known) };
    this.#segments.set(segment, created);
    return created;
  }

  /** Finds known blocks, and scans everything else. Null for a page in another form than DynamoDB's. */
  #split({ bytes, start, end }: Page, known: KnownBlocks | null): PagePart[] | null {
    const scanner = this.#scanner;
    scanner.clear();
    const parts: PagePart[] = [];
    const hasKnown = known !== null;
    let open = { start, items: 0 };
    /** `behind`: the offset after the last item before `at`. */
    const close = (behind: number, at: number) => {
      if (open.items > 0) parts.push({ known: -1, start: open.start, end: behind, items: open.items });
      open = { start: at, items: 0 };
    };
    for (let at = start; start < end; ) {
      const block = known === null ? -1 : known.find(bytes, at, end);
      let behind: number;
      if (known !== null && block >= 0) {
        close(at - 1, at);
        behind = at + known.blocks.lengths[block]!;
        parts.push({ known: block, start: at, end: behind, items: known.blocks.counts[block]! });
        open = { start: behind + 1, items: 0 };
      } else {
        behind = scanner.scan(bytes, at, end);
        if (behind === NOT_PLAIN) return null;
        open.items += 1;
        if (isFull(behind - open.start, { hasKnown })) close(behind, behind + 1);
      }
      if (behind === end) {
        close(end, end);
        return parts;
      }
      if (bytes[behind] !== COMMA) return null;
      at = behind + 1;
    }
    return parts;
  }

  /** Writes the rows of the scanned items. New attributes of this page get their columns together. */
  #writeRows(bytes: Buffer, decodedBytes: number): void {
    const scanner = this.#scanner;
    if (scanner.items === 0) return;
    this.#place();
    const places = {
      columns: this.#layout.columns,
      indexes: this.#indexes,
      kinds: this.#kinds,
      keys: this.#keyNames,
    };
    const writer = new RowWriter(places, this.#keys, Math.ceil(decodedBytes * CSV_PER_JSON));
    const { fields } = scanner;
    for (let item = 0; item < scanner.items; item += 1) {
      writer.add(bytes, fields, scanner.firstField(item), scanner.firstField(item + 1));
    }
    this.#parts.push(writer.finish());
  }

  #place(): void {
    const { names } = this.#scanner.attributes;
    const placed = this.#indexes.length;
    if (names.length === placed) return;
    this.#layout.add(names.slice(placed));
    this.#indexes = Int32Array.from(names, (name) => this.#layout.indexOf(name));
    if (names.length <= this.#kinds.length) return;
    const kinds = new Uint8Array(names.length * 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
  }

  /** All rows in the final layout; adjacent rows with the same columns are converted together. */
  #laidOut(columns: readonly Column[]): EncodedRows[] {
    const laidOut: EncodedRows[] = [];
    const parts = this.#parts.splice(0);
    for (let first = 0; first < parts.length; ) {
      let behind = first + 1;
      while (behind < parts.length && parts[behind]!.columns === parts[first]!.columns) behind += 1;
      laidOut.push({ ...relayout(concatRows(parts.slice(first, behind)), columns), columns });
      first = behind;
    }
    return laidOut.length > 0 ? laidOut : [{ columns, body: Buffer.alloc(0), ends: new Uint32Array(0) }];
  }
}

/** Sets the row indexes of decoded items to those after sorting. */
function followOrder(segments: readonly SegmentBlocks[], order: Uint32Array): void {
  const places = new Uint32Array(order.length);
  for (let place = 0; place < order.length; place += 1) places[order[place]!] = place;
  for (const { rows } of segments) {
    for (let item = 0; item < rows.length; item += 1) {
      const row = rows[item]!;
      if (row >= DECODED) rows[item] = DECODED + places[row - DECODED]!;
    }
  }
}

function decodedBytes(parts: readonly PagePart[]): number {
  return parts.reduce((sum, { known, start, end }) => (known < 0 ? sum + end - start : sum), 0);
}

/*
 * What is remembered of the items of one segment, so that items whose bytes did not change are not decoded again.
 *
 * Items are remembered in blocks: about two kilobytes of consecutive items, by the SHA-256 of their bytes. If a block's
 * bytes occur again at an item boundary, they are the same items, whatever page they are in now. Of an item's row only its
 * index in the previous reading is remembered: the rows themselves are in memory once, in the dataset.
 */

/** Bytes from which a block is full, without and with blocks of the previous reading to match. */
const BLOCK_BYTES = 2048;
const MOST_BLOCK_BYTES = 2 * BLOCK_BYTES;
const HASH_BYTES = 32;
/** Bytes at the beginning of a block that are compared before it is hashed. */
const MARK_BYTES = 64;
/** Set in `SegmentBlocks.rows` for an item that was decoded: the other bits are its index among the decoded rows. */
export const DECODED = 0x8000_0000;

/** The items of one segment in the order in which they were read; plain data in memory that threads share. */
export interface SegmentBlocks {
  readonly segment: number;
  /** SHA-256 of each block, 32 bytes each. */
  readonly hashes: Uint8Array;
  /** Bytes of each block. */
  readonly lengths: Uint32Array;
  /** Of the first bytes of each block. */
  readonly marks: Uint32Array;
  /** Items in each block. */
  readonly counts: Uint32Array;
  /** For each item the index of its row. */
  readonly rows: Uint32Array;
}

/** FNV-1a of the first bytes of a block. */
function markOf(bytes: Uint8Array, at: number, end: number): number {
  const stop = Math.min(end, at + MARK_BYTES);
  let mark = 0x811c9dc5;
  for (let index = at; index < stop; index += 1) mark = Math.imul(mark ^ bytes[index]!, 0x01000193);
  return mark >>> 0;
}

/** The hash as a string of 32 characters, which is cheaper to get than a buffer. */
function hashOf(bytes: Uint8Array, start: number, end: number): string {
  return hash('sha256', bytes.subarray(start, end), 'latin1' as 'hex');
}

/** Finds the blocks of an earlier reading in bytes, each at most once and in their order. */
export class KnownBlocks {
  readonly blocks: SegmentBlocks;
  /** The block that is expected next. */
  next = 0;
  /** Blocks by mark; created when a block is not where it was expected. */
  #places: Map<number, number> | null = null;
  /** By block: the number of its first item. */
  readonly #firstItems: Uint32Array;

  constructor(blocks: SegmentBlocks) {
    this.blocks = blocks;
    this.#firstItems = new Uint32Array(blocks.counts.length);
    let item = 0;
    for (let block = 0; block < blocks.counts.length; block += 1) {
      this.#firstItems[block] = item;
      item += blocks.counts[block]!;
    }
  }

  /** The row indexes of a block's items. */
  rowsOf(block: number): Uint32Array {
    const first = this.#firstItems[block]!;
    return this.blocks.rows.subarray(first, first + this.blocks.counts[block]!);
  }

  /** The block at `at`, where an item starts; -1 for none. Its successor is expected next. */
  find(bytes: Uint8Array, at: number, end: number): number {
    if (this.next >= this.blocks.marks.length) return -1;
    const mark = markOf(bytes, at, end);
    if (this.#stands(this.next, mark, bytes, at, end)) return this.#found(this.next);
    const elsewhere = this.#place(mark);
    return elsewhere > this.next && this.#stands(elsewhere, mark, bytes, at, end)
      ? this.#found(elsewhere)
      : -1;
  }

  #found(block: number): number {
    this.next = block + 1;
    return block;
  }

  #place(mark: number): number {
    if (this.#places === null) {
      this.#places = new Map();
      const { marks } = this.blocks;
      for (let block = marks.length - 1; block >= 0; block -= 1) this.#places.set(marks[block]!, block);
    }
    return this.#places.get(mark) ?? -1;
  }

  /** Whether the block is at `at`; `mark`: of the bytes there. */
  #stands(block: number, mark: number, bytes: Uint8Array, at: number, end: number): boolean {
    const { lengths, marks, hashes } = this.blocks;
    const length = lengths[block]!;
    const behind = at + length;
    if (behind > end || marks[block] !== (length < MARK_BYTES ? markOf(bytes, at, behind) : mark))
      return false;
    const found = hashOf(bytes, at, behind);
    for (let index = 0; index < HASH_BYTES; index += 1) {
      if (hashes[block * HASH_BYTES + index] !== found.charCodeAt(index)) return false;
    }
    return true;
  }
}

/** A part of a page: a block that is known, or items that were decoded. */
export interface PagePart {
  /** -1: decoded. */
  readonly known: number;
  /** Offsets of the items' bytes. */
  readonly start: number;
  readonly end: number;
  readonly items: number;
}

/** Whether decoded items of that many bytes make a block. */
export function isFull(bytes: number, { hasKnown }: { readonly hasKnown: boolean }): boolean {
  // A block in which one item changed should end where it ended before, so that the next one is found.
  return bytes >= (hasKnown ? MOST_BLOCK_BYTES : BLOCK_BYTES);
}

/** Collects the blocks of one segment as it is read. */
class BlockCollector {
  readonly #segment: number;
  readonly #known: KnownBlocks | null;
  readonly #hashes: string[] = [];
  readonly #lengths: number[] = [];
  readonly #marks: number[] = [];
  readonly #counts: number[] = [];
  #rows = new Uint32Array(1024);
  #items = 0;

  constructor(segment: number, known: KnownBlocks | null) {
    this.#segment = segment;
    this.#known = known;
  }

  /** Adds a part of a page. `decoded`: the index of its first item among the decoded rows. */
  add(bytes: Uint8Array, { known, start, end, items }: PagePart, decoded: number): void {
    this.#hashes.push(known < 0 ? hashOf(bytes, start, end) : this.#knownHash(known));
    this.#lengths.push(end - start);
    this.#marks.push(markOf(bytes, start, end));
    this.#counts.push(items);
    this.#reserve(items);
    if (known < 0) {
      for (let item = 0; item < items; item += 1) this.#rows[this.#items + item] = DECODED + decoded + item;
    } else {
      this.#rows.set((this.#known as KnownBlocks).rowsOf(known), this.#items);
    }
    this.#items += items;
  }

  finish(): SegmentBlocks {
    const hashes = new Uint8Array(new SharedArrayBuffer(this.#hashes.length * HASH_BYTES));
    for (const [block, text] of this.#hashes.entries())
      Buffer.from(hashes.buffer).write(text, block * HASH_BYTES, 'latin1');
    return {
      segment: this.#segment,
      hashes,
      lengths: shared(this.#lengths),
      marks: shared(this.#marks),
      counts: shared(this.#counts),
      rows: shared(this.#rows.subarray(0, this.#items)),
    };
  }

  #knownHash(block: number): string {
    const { hashes } = (this.#known as KnownBlocks).blocks;
    return Buffer.from(hashes.buffer, block * HASH_BYTES, HASH_BYTES).toString('latin1');
  }

  #reserve(items: number): void {
    if (this.#items + items <= this.#rows.length) return;
    const larger = new Uint32Array(Math.max(this.#rows.length * 2, this.#items + items));
    larger.set(this.#rows);
    this.#rows = larger;
  }
}

function shared(values: ArrayLike<number>): Uint32Array {
  const array = new Uint32Array(new SharedArrayBuffer(values.length * Uint32Array.BYTES_PER_ELEMENT));
  array.set(values);
  return array;
}
