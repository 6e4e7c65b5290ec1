import { freeBuffer } from '../../base/garbage.js';
import { encodeCell } from '../../csv/encode.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import { COMMA, LF, Offsets, QUOTE } from '../../csv/scan.js';
import { type AttributeValue, attributeToCell } from './attributes.js';
import * as field from './item-scanner.js';
import type { SortKeyWriter } from './keys.js';
import { BOOLEAN_KIND, kindOf, LEFT_OUT, NUMBER_KIND, OTHER_KIND } from './layout.js';

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NOTHING = Buffer.alloc(0);
/** A native copy costs as much as a loop over about fifty bytes; most cells are shorter. */
const SHORT_COPY = 48;

/** Numbers per field, as `ItemScanner.fields` has them. */
const FIELD = 4;

/** The columns of attributes, by attribute number. */
export interface Places {
  readonly columns: readonly Column[];
  /** Index of the attribute's column, or `LEFT_OUT`. */
  readonly indexes: Int32Array;
  /** Kinds of value seen of each attribute, as bits; updated here. */
  readonly kinds: Uint8Array;
  /** The key's attributes; their columns are the first ones. */
  readonly keys: readonly string[];
}

/** Bytes of a piece of memory for rows: pieces of this size are given back to the system when they are freed. */
const PIECE_BYTES = 1 << 20;

/**
 * Memory for the rows of many pages. A page with few changes has few rows; a buffer for each of them would leave gaps in the
 * memory of the process when it is freed.
 */
export class RowMemory {
  readonly #pieces: Buffer[] = [];
  #rest: Buffer = NOTHING;

  /** At least that many bytes, with any content. Only the last taken memory is in use. */
  take(bytes: number): Buffer {
    if (bytes > this.#rest.length) {
      this.#rest = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, bytes));
      this.#pieces.push(this.#rest);
    }
    return this.#rest;
  }

  /** Keeps the first bytes of the memory taken last; returns them. */
  keep(bytes: number): Buffer {
    const kept = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return kept;
  }

  /** Frees all memory; nothing of it may be used afterwards. */
  free(): void {
    this.#rest = NOTHING;
    for (const { buffer } of this.#pieces.splice(0)) freeBuffer(buffer as ArrayBuffer);
  }
}

/** Writes scanned items as CSV rows, and their sort keys if they are wanted. */
export class RowWriter {
  readonly columns: readonly Column[];
  readonly #places: Places;
  readonly #keys: SortKeyWriter | null;
  /** By column: one more than the index of its field; 0 for an absent cell. */
  readonly #cells: Int32Array;
  readonly #ends = new Offsets();
  readonly #memory: RowMemory;
  #target: Buffer = NOTHING;
  #size = 0;
  /** Upper bound of the current row's bytes, without values of `OTHER`. */
  #rowBytes = 0;

  /** `keys`: null for rows without sort keys. `expectedBytes`: of all rows; there may be more. */
  constructor(places: Places, keys: SortKeyWriter | null, memory: RowMemory, expectedBytes: number) {
    this.columns = places.columns;
    this.#places = places;
    this.#keys = keys;
    this.#cells = new Int32Array(places.columns.length);
    this.#memory = memory;
    this.#target = memory.take(expectedBytes);
  }

  /** Writes the item whose fields are those from index `first` to `end`, of a page's bytes. */
  add(bytes: Buffer, fields: Int32Array, first: number, end: number): void {
    const { indexes } = this.#places;
    const cells = this.#cells;
    // Per cell a comma and two quotes, or `false`, of which no byte is in the page as it is; a line end.
    this.#rowBytes = 6 * cells.length + 3;
    for (let at = first; at < end; at += FIELD) {
      const column = indexes[fields[at]!]!;
      if (column === LEFT_OUT) continue;
      cells[column] = at + 1;
      this.#rowBytes += fields[at + 3]! - fields[at + 2]!;
    }
    if (this.#keys !== null) this.#addKey(bytes, fields, this.#keys);
    this.#reserve(this.#rowBytes);
    this.#writeCells(bytes, fields);
  }

  finish(): EncodedRows {
    return { columns: this.columns, body: this.#memory.keep(this.#size), ends: this.#ends.toArray() };
  }

  #addKey(bytes: Buffer, fields: Int32Array, sortKeys: SortKeyWriter): void {
    const { keys } = this.#places;
    for (let part = 0; part < keys.length; part += 1) {
      const at = this.#cells[part]! - 1;
      const kind = at < 0 ? field.NULL : fields[at + 1]!;
      if (kind === field.NUMBER) sortKeys.addNumber(part, bytes, fields[at + 2]!, fields[at + 3]!);
      else if (kind === field.TEXT || kind === field.TEXT_TO_QUOTE) {
        sortKeys.addText(part, bytes, fields[at + 2]!, fields[at + 3]!);
      } else sortKeys.addValue(part, at < 0 ? undefined : keyValue(bytes, fields, at));
    }
    sortKeys.endKey();
  }

  #writeCells(bytes: Buffer, fields: Int32Array): void {
    const cells = this.#cells;
    const width = cells.length;
    const start = this.#size;
    for (let column = 0; column < width; column += 1) {
      if (column > 0) this.#target[this.#size++] = COMMA;
      const at = cells[column]! - 1;
      if (at < 0) continue;
      cells[column] = 0;
      this.#writeCell(bytes, fields[at]!, fields[at + 1]!, fields[at + 2]!, fields[at + 3]!);
    }
    // A row that is nothing but one absent cell: see csv/encode.ts.
    if (width === 1 && this.#size === start) this.#writeEmptyText();
    this.#target[this.#size++] = LF;
    this.#ends.push(this.#size);
  }

  #writeCell(bytes: Buffer, attribute: number, kind: number, start: number, end: number): void {
    switch (kind) {
      case field.TEXT:
      case field.BINARY:
        this.#meet(attribute, OTHER_KIND);
        if (start === end) this.#writeEmptyText();
        else this.#copy(bytes, start, end);
        break;
      case field.TEXT_TO_QUOTE:
        this.#meet(attribute, OTHER_KIND);
        this.#target[this.#size++] = QUOTE;
        this.#copy(bytes, start, end);
        this.#target[this.#size++] = QUOTE;
        break;
      case field.NUMBER:
        this.#meet(attribute, NUMBER_KIND);
        this.#copy(bytes, start, end);
        break;
      case field.TRUE:
        this.#meet(attribute, BOOLEAN_KIND);
        this.#copy(TRUE, 0, TRUE.length);
        break;
      case field.FALSE:
        this.#meet(attribute, BOOLEAN_KIND);
        this.#copy(FALSE, 0, FALSE.length);
        break;
      case field.NULL:
        break;
      default:
        this.#writeOther(bytes, attribute, start, end);
    }
  }

  #writeOther(bytes: Buffer, attribute: number, start: number, end: number): void {
    const value = valueAt(bytes, start, end);
    this.#meet(attribute, kindOf(value));
    const cell = Buffer.from(encodeCell(attributeToCell(value)));
    // The text may be longer than in the page: `1E+125`.
    this.#reserve(cell.length + this.#rowBytes);
    this.#copy(cell, 0, cell.length);
  }

  #meet(attribute: number, kind: number): void {
    this.#places.kinds[attribute]! |= kind;
  }

  #writeEmptyText(): void {
    this.#target[this.#size++] = QUOTE;
    this.#target[this.#size++] = QUOTE;
  }

  #copy(source: Buffer, start: number, end: number): void {
    const target = this.#target;
    let size = this.#size;
    if (end - start > SHORT_COPY) source.copy(target, size, start, end);
    else for (let at = start; at < end; at += 1) target[size++] = source[at]!;
    this.#size += end - start;
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#target.length) return;
    const larger = this.#memory.take(Math.max(this.#target.length * 2, needed));
    this.#target.copy(larger, 0, 0, this.#size);
    this.#target = larger;
  }
}

function valueAt(bytes: Buffer, start: number, end: number): AttributeValue {
  return JSON.parse(bytes.toString('utf8', start, end)) as AttributeValue;
}

/** The value of a key attribute that is neither a plain number nor plain text. */
function keyValue(bytes: Buffer, fields: Int32Array, at: number): AttributeValue {
  const [, kind, start, end] = fields.subarray(at, at + FIELD);
  if (kind === field.OTHER) return valueAt(bytes, start!, end!);
  return kind === field.BINARY ? { B: bytes.toString('latin1', start, end) } : {};
}
