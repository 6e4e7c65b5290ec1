import { freeBuffer } from '../../base/garbage.js';
import { concatRows, relayout } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import { BlockCollector, DECODED, isFull, KnownBlocks, type PagePart, type SegmentBlocks } from './blocks.js';
import { type Descent, ItemScanner, NOT_PLAIN } from './item-scanner.js';
import { type KeyAttribute, SortKeyWriter } from './keys.js';
import { type ColumnOptions, ItemLayout, LEFT_OUT } from './layout.js';
import { isText, type Page, rewritten } from './page.js';
import { configuredPaths, parsePath } from './paths.js';
import { RowMemory, RowWriter } from './row-writer.js';
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

interface SegmentState {
  readonly known: KnownBlocks | null;
  readonly collector: BlockCollector | null;
}

/**
 * Turns pages of items into one run of rows. Items are encoded immediately, so only the CSV and keys of a page are kept;
 * items that an earlier reading had with the same bytes are not decoded at all.
 */
export class RunEncoder {
  readonly #layout: ItemLayout;
  /** Null: rows are not sorted. */
  readonly #keys: SortKeyWriter | null;
  readonly #scanner: ItemScanner;
  readonly #descends: boolean;
  #placed = 0;
  readonly #earlier: ReadonlyMap<number, SegmentBlocks>;
  readonly #segments = new Map<number, SegmentState>();
  readonly #parts: EncodedRows[] = [];
  readonly #memory = new RowMemory();
  readonly #keyNames: readonly string[];
  /** By the attribute's number. */
  #kinds = new Uint8Array(64);
  #indexes = new Int32Array(0);
  #items = 0;

  /**
   * `earlier`: what the previous reading knew about the items, with the same shape; null: rows are wanted by
   * `finishInOrder` only, so that nothing is remembered of the items.
   */
  constructor({ table, keys, options, known }: TableShape, earlier: readonly SegmentBlocks[] | null) {
    const descent = descentOf(options, known);
    this.#scanner = new ItemScanner(descent);
    this.#descends = descent !== null;
    this.#layout = new ItemLayout(table, keys, options, known);
    this.#keys = earlier === null ? null : new SortKeyWriter(table, keys);
    this.#keyNames = keys.map(({ name }) => name);
    this.#earlier = new Map(earlier?.map((blocks) => [blocks.segment, blocks]));
  }

  /** Items so far. */
  get items(): number {
    return this.#items;
  }

  /** Adds the next page of a segment. Throws a `SyntaxError` for invalid JSON, or if it has no items. */
  add(segment: number, page: Page): void {
    const { known, collector } = this.#segment(segment);
    const expected = known?.next ?? 0;
    const add = (given: Page) =>
      collector === null ? this.#addInOrder(given) : this.#addPage(given, known, collector);
    if (add(page)) return;
    if (known !== null) known.next = expected;
    if (!add(rewritten(page))) throw new SyntaxError('the Items of the answer are not items');
  }

  /** False for a page in another form than DynamoDB's. */
  #addPage(page: Page, known: KnownBlocks | null, collector: BlockCollector): boolean {
    const { bytes, start, end } = page;
    const tag = collector.tagOf(bytes, start, end);
    const parts = knownPage(page, tag, known) ?? (isText(page) ? this.#split(page, known) : null);
    if (parts === null) return false;
    const decoded = this.#keys!.count;
    this.#writeRows(bytes, decodedBytes(parts));
    collector.addPage(bytes, tag, end - start, parts, decoded);
    for (const { items } of parts) this.#items += items;
    return true;
  }

  /** The same where nothing is remembered. */
  #addInOrder(page: Page): boolean {
    if (!isText(page) || this.#split(page, null) === null) return false;
    this.#writeRows(page.bytes, page.end - page.start);
    this.#items += this.#scanner.items;
    return true;
  }

  /** The decoded rows, in key order; needs `earlier`. The encoder must not be used afterwards. */
  finish(): EncodedRun {
    const { rows, kinds } = this.#encoded();
    const keys = this.#keys!.finish();
    const order = sortedOrder(keys);
    const segments = Array.from(this.#segments.values(), ({ collector }) => collector!.finish());
    followOrder(segments, order);
    const run = {
      rows: sortedRows(rows, order),
      keys: sortedKeys(keys, order),
      origins: this.#layout.origins,
      mixed: this.#layout.mixedColumns(kinds),
      beyond: [...this.#scanner.beyond],
    };
    this.#memory.free();
    for (const { buffer } of [rows.body, keys.bytes]) freeBuffer(buffer as ArrayBuffer);
    return { run, segments };
  }

  /**
   * The rows of all items in the order in which they were added, for an encoder with `earlier: null`. The encoder must not be
   * used afterwards.
   */
  finishInOrder(): Pick<Run, 'rows' | 'mixed' | 'origins'> & { readonly keys: readonly string[] } {
    const { rows, kinds } = this.#encoded();
    const { origins, keys } = this.#layout;
    return { rows, mixed: this.#layout.mixedColumns(kinds), origins, keys };
  }

  #encoded() {
    const { names } = this.#scanner.attributes;
    const kinds = names.map((name, number) => [name, this.#kinds[number] ?? 0] as const);
    const columns = this.#layout.typedColumns(kinds);
    return { kinds, rows: concatRows(this.#laidOut(columns)) };
  }

  #segment(segment: number): SegmentState {
    const found = this.#segments.get(segment);
    if (found !== undefined) return found;
    const blocks = this.#earlier.get(segment);
    const known = blocks === undefined ? null : new KnownBlocks(blocks);
    const collector = this.#keys === null ? null : new BlockCollector(segment, known);
    const created = { known, collector };
    this.#segments.set(segment, created);
    return created;
  }

  /** Finds known blocks, and scans everything else. Null for a page in another form than DynamoDB's. */
  #split({ bytes, start, end }: Page, known: KnownBlocks | null): PagePart[] | null {
    const scanner = this.#scanner;
    scanner.clear();
    const parts: PagePart[] = [];
    const hasKnown = known !== null;
    let opened = start;
    let items = 0;
    for (let at = start; start < end; ) {
      const block = known === null ? -1 : known.find(bytes, at, end);
      let behind: number;
      if (known !== null && block >= 0) {
        addDecoded(parts, opened, at - 1, items);
        behind = at + known.blocks.lengths[block]!;
        addKnown(parts, block, at, behind, known.itemsOf(block, 1));
        opened = behind + 1;
        items = 0;
      } else {
        behind = scanner.scan(bytes, at, end);
        if (behind === NOT_PLAIN) return null;
        items += 1;
        if (isFull(behind - opened, { hasKnown })) {
          addDecoded(parts, opened, behind, items);
          opened = behind + 1;
          items = 0;
        }
      }
      if (behind === end) {
        addDecoded(parts, opened, end, items);
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
    if (decodedBytes === 0) return;
    this.#place();
    const places = {
      columns: this.#layout.columns,
      indexes: this.#indexes,
      kinds: this.#kinds,
      keys: this.#keyNames,
    };
    const writer = new RowWriter(places, this.#keys, this.#memory, Math.ceil(decodedBytes * CSV_PER_JSON));
    const { fields } = scanner;
    for (let item = 0; item < scanner.items; item += 1) {
      writer.add(bytes, fields, scanner.firstField(item), scanner.firstField(item + 1));
    }
    this.#parts.push(writer.finish());
  }

  #place(): void {
    const { attributes } = this.#scanner;
    const { names } = attributes;
    const placed = this.#placed;
    this.#placed = this.#descends ? attributes.used : names.length;
    if (this.#placed === placed) return;
    const isField = (_: string, number: number) => !this.#descends || attributes.isUsed(number);
    this.#layout.add(this.#descends ? names.filter(isField) : names.slice(placed));
    this.#indexes = Int32Array.from(names, (name, number) =>
      isField(name, number) ? this.#layout.indexOf(name) : LEFT_OUT,
    );
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

/** Adds scanned items, if there are any. No closure of `#split`: V8 would compile that anew for every page. */
function addDecoded(parts: PagePart[], start: number, end: number, items: number): void {
  if (items > 0) parts.push({ known: -1, blocks: 1, start, end, items });
}

function addKnown(parts: PagePart[], block: number, start: number, end: number, items: number): void {
  const last = parts.at(-1);
  if (last === undefined || !isNext(last, block, start)) {
    parts.push({ known: block, blocks: 1, start, end, items });
    return;
  }
  last.blocks += 1;
  last.items += items;
  last.end = end;
}

/** Whether a known block at `at` continues this part. */
function isNext({ known, blocks, end }: PagePart, block: number, at: number): boolean {
  return known >= 0 && known + blocks === block && end === at - 1;
}

/** The page as one part, if it is the page that followed in the previous reading; null if not. */
function knownPage({ start, end }: Page, tag: Uint8Array, known: KnownBlocks | null): PagePart[] | null {
  if (known === null) return null;
  const first = known.next;
  const blocks = known.findPage(tag, end - start);
  return blocks === 0 ? null : [{ known: first, blocks, start, end, items: known.itemsOf(first, blocks) }];
}

/** Columns that `expand` adds to a table at most. */
export const MOST_EXPANDED = 500;

/** What is inside of maps and lists and becomes columns; null: nothing. */
function descentOf(options: ColumnOptions, known: readonly Column[]): Descent | null {
  const paths = configuredPaths(options);
  if (paths.length === 0 && options.expand !== true) return null;
  const names = known.map(({ name }) => name);
  const isPath = (name: string) => (parsePath(name)?.length ?? 0) > 1;
  const expandTo = options.expand === true ? Math.max(1, MOST_EXPANDED - names.filter(isPath).length) : 0;
  return { paths, expandTo, known: new Set(names) };
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
