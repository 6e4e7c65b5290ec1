import { hash } from 'node:crypto';

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
export class BlockCollector {
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
