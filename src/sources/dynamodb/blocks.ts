import { createCipheriv, hash, randomBytes } from 'node:crypto';
import { Growing, shared } from './growing.js';

/*
 * What is remembered of the items of one segment, so that items whose bytes did not change are not decoded again.
 *
 * Items are remembered in blocks: about two kilobytes of consecutive items, by the SHA-256 of their bytes. If a block's
 * bytes occur again at an item boundary, they are the same items, whatever page they are in now. Of an item's row only its
 * index in the previous reading is remembered: the rows themselves are in memory once, in the dataset.
 *
 * A whole page of known blocks is recognised by its tag, which costs a tenth of hashing its blocks.
 */

/** Bytes from which a block is full, without and with blocks of the previous reading to match. */
const BLOCK_BYTES = 2048;
const MOST_BLOCK_BYTES = 2 * BLOCK_BYTES;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
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
  readonly pages: KnownPages;
}

/** The pages of one segment; a page consists of whole blocks. */
interface KnownPages {
  /** The secret with which the tags are made, see `tagOf`. */
  readonly key: Uint8Array;
  /** Of each page, 16 bytes each. */
  readonly tags: Uint8Array;
  /** Bytes of each page's items. */
  readonly lengths: Uint32Array;
  /** Blocks in each page. */
  readonly blocks: Uint32Array;
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

/** One nonce suffices: tags under one key are compared with each other, and neither leaves the process. */
const NONCE = Buffer.alloc(12);

/**
 * AES-GCM's authentication code (GMAC), with processor support seven times as fast as SHA-256. Under a random key that
 * nobody knows, two different pages of 16 MB have the same tag with a probability of at most 2^-108
 * (https://csrc.nist.gov/pubs/sp/800/38/d/final, appendix A: the number of 16-byte blocks divided by 2^128).
 */
function tagOf(key: Uint8Array, bytes: Uint8Array, start: number, end: number): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, NONCE);
  cipher.setAAD(bytes.subarray(start, end));
  cipher.final();
  return cipher.getAuthTag();
}

/** Offsets of the parts whose lengths are given; one more than there are parts. */
function offsetsOf(lengths: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  for (let index = 0; index < lengths.length; index += 1)
    offsets[index + 1] = offsets[index]! + lengths[index]!;
  return offsets;
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
  /** By page: the number of its first block. */
  readonly #firstBlocks: Uint32Array;
  /** No page before this one begins with the next block. */
  #page = 0;

  constructor(blocks: SegmentBlocks) {
    this.blocks = blocks;
    this.#firstItems = offsetsOf(blocks.counts);
    this.#firstBlocks = offsetsOf(blocks.pages.blocks);
  }

  /** The row indexes of the items of adjacent blocks. */
  rowsOf(first: number, blocks: number): Uint32Array {
    return this.blocks.rows.subarray(this.#firstItems[first]!, this.#firstItems[first + blocks]!);
  }

  /** The items of adjacent blocks. */
  itemsOf(first: number, blocks: number): number {
    return this.#firstItems[first + blocks]! - this.#firstItems[first]!;
  }

  /**
   * The number of blocks from `next` on that these bytes are, if they are a whole page that begins there; 0 if not.
   * `tag`: of the bytes, under the segment's key.
   */
  findPage(tag: Uint8Array, length: number): number {
    const { lengths, blocks } = this.blocks.pages;
    while (this.#page < blocks.length && this.#firstBlocks[this.#page]! < this.next) this.#page += 1;
    const page = this.#page;
    if (page === blocks.length || this.#firstBlocks[page] !== this.next || lengths[page] !== length) return 0;
    if (!this.#hasTag(page, tag)) return 0;
    this.next += blocks[page]!;
    return blocks[page]!;
  }

  /** Whether a part of that length and tag is the whole page of that number. */
  isPage(page: number, { known, blocks }: PagePart, length: number, tag: Uint8Array): boolean {
    const { pages } = this.blocks;
    return (
      known === this.#firstBlocks[page] &&
      blocks === pages.blocks[page] &&
      length === pages.lengths[page] &&
      this.#hasTag(page, tag)
    );
  }

  #hasTag(page: number, tag: Uint8Array): boolean {
    const { tags } = this.blocks.pages;
    for (let index = 0; index < TAG_BYTES; index += 1) {
      if (tags[page * TAG_BYTES + index] !== tag[index]) return false;
    }
    return true;
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

/** A part of a page: adjacent blocks that are known, or items that were decoded, which become one block. */
export interface PagePart {
  /** The first of the known blocks; -1: decoded. */
  readonly known: number;
  blocks: number;
  /** Offsets of the items' bytes. */
  readonly start: number;
  end: number;
  items: number;
}

/** Whether decoded items of that many bytes make a block. */
export function isFull(bytes: number, { hasKnown }: { readonly hasKnown: boolean }): boolean {
  // A block in which one item changed should end where it ended before, so that the next one is found.
  return bytes >= (hasKnown ? MOST_BLOCK_BYTES : BLOCK_BYTES);
}

/** A segment seldom grows by more than this from one poll to the next. */
function withRoom(before = 1024): number {
  return Math.ceil(before * 1.1) + 16;
}

/**
 * Collects the blocks of one segment as it is read. As long as its pages are those of the previous reading, one after the
 * other, nothing is collected; if all are, its blocks are the same object.
 */
export class BlockCollector {
  readonly #segment: number;
  readonly #known: KnownBlocks | null;
  readonly #key: Uint8Array;
  /** Pages that are those of the previous reading. */
  #samePages = 0;
  /** Null: no page differed so far. */
  #lists: BlockLists | null = null;

  constructor(segment: number, known: KnownBlocks | null) {
    this.#segment = segment;
    this.#known = known;
    this.#key = known?.blocks.pages.key ?? randomBytes(KEY_BYTES);
  }

  /** The tag of a page's items, to be compared with those of the previous reading. */
  tagOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return tagOf(this.#key, bytes, start, end);
  }

  /** Adds a page. `decoded`: the index of its first decoded item among the decoded rows. */
  addPage(
    bytes: Uint8Array,
    tag: Uint8Array,
    length: number,
    parts: readonly PagePart[],
    decoded: number,
  ): void {
    const isSame =
      this.#lists === null &&
      parts.length === 1 &&
      this.#known?.isPage(this.#samePages, parts[0]!, length, tag) === true;
    if (isSame) this.#samePages += 1;
    else this.#ownLists().addPage(bytes, tag, length, parts, decoded);
  }

  finish(): SegmentBlocks {
    const known = this.#known?.blocks;
    if (this.#lists === null && known?.pages.blocks.length === this.#samePages) return known;
    return this.#ownLists().finish(this.#segment, this.#key);
  }

  #ownLists(): BlockLists {
    this.#lists ??= new BlockLists(this.#known, this.#samePages);
    return this.#lists;
  }
}

class BlockLists {
  readonly #known: KnownBlocks | null;
  readonly #hashes: Growing<Uint8Array>;
  readonly #lengths: Growing<Uint32Array>;
  readonly #marks: Growing<Uint32Array>;
  readonly #counts: Growing<Uint32Array>;
  readonly #rows: Growing<Uint32Array>;
  readonly #tags = new Growing(Uint8Array, 4 * TAG_BYTES);
  readonly #pageLengths = new Growing(Uint32Array, 4);
  readonly #pageBlocks = new Growing(Uint32Array, 4);

  /** Begins with that many pages of the previous reading. */
  constructor(known: KnownBlocks | null, pages: number) {
    this.#known = known;
    const blocks = withRoom(known?.blocks.lengths.length);
    this.#hashes = new Growing(Uint8Array, blocks * HASH_BYTES);
    this.#lengths = new Growing(Uint32Array, blocks);
    this.#marks = new Growing(Uint32Array, blocks);
    this.#counts = new Growing(Uint32Array, blocks);
    this.#rows = new Growing(Uint32Array, withRoom(known?.blocks.rows.length));
    if (known !== null) this.#addPages(known.blocks.pages, pages);
  }

  addPage(
    bytes: Uint8Array,
    tag: Uint8Array,
    length: number,
    parts: readonly PagePart[],
    decoded: number,
  ): void {
    let blocks = 0;
    let row = decoded;
    for (const part of parts) {
      blocks += part.blocks;
      if (part.known >= 0) this.#addKnown(part.known, part.blocks);
      else {
        this.#addDecoded(bytes, part, row);
        row += part.items;
      }
    }
    this.#tags.add(tag);
    this.#pageLengths.push(length);
    this.#pageBlocks.push(blocks);
  }

  finish(segment: number, key: Uint8Array): SegmentBlocks {
    return {
      segment,
      hashes: shared(Uint8Array, this.#hashes),
      lengths: shared(Uint32Array, this.#lengths),
      marks: shared(Uint32Array, this.#marks),
      counts: shared(Uint32Array, this.#counts),
      rows: shared(Uint32Array, this.#rows),
      pages: {
        key,
        tags: this.#tags.values.slice(),
        lengths: this.#pageLengths.values.slice(),
        blocks: this.#pageBlocks.values.slice(),
      },
    };
  }

  #addPages({ tags, lengths, blocks }: KnownPages, pages: number): void {
    const ofPages = blocks.subarray(0, pages);
    this.#addKnown(
      0,
      ofPages.reduce((sum, count) => sum + count, 0),
    );
    this.#tags.add(tags.subarray(0, pages * TAG_BYTES));
    this.#pageLengths.add(lengths.subarray(0, pages));
    this.#pageBlocks.add(ofPages);
  }

  #addKnown(first: number, blocks: number): void {
    const known = this.#known as KnownBlocks;
    const { hashes, lengths, marks, counts } = known.blocks;
    const behind = first + blocks;
    this.#hashes.add(hashes.subarray(first * HASH_BYTES, behind * HASH_BYTES));
    this.#lengths.add(lengths.subarray(first, behind));
    this.#marks.add(marks.subarray(first, behind));
    this.#counts.add(counts.subarray(first, behind));
    this.#rows.add(known.rowsOf(first, blocks));
  }

  #addDecoded(bytes: Uint8Array, { start, end, items }: PagePart, row: number): void {
    const hash = hashOf(bytes, start, end);
    for (let index = 0; index < HASH_BYTES; index += 1) this.#hashes.push(hash.charCodeAt(index));
    this.#lengths.push(end - start);
    this.#marks.push(markOf(bytes, start, end));
    this.#counts.push(items);
    for (let item = 0; item < items; item += 1) this.#rows.push(DECODED + row + item);
  }
}
