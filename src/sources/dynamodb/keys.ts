import { freeBuffer } from '../../base/garbage.js';
import type { EncodedRows } from '../../csv/rows.js';
import { cellEnd, QUOTE } from '../../csv/scan.js';
import { type AttributeValue, type Binary, bytesOf } from './attributes.js';
import { keyAttributeMissing } from './errors.js';
import { NUMBER_KEY_BYTES, plainDecimal, writeNumberKey } from './numbers.js';

/** A key attribute as the table's key schema declares it. */
export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}

/**
 * Sort keys of many rows in one buffer, in a form whose order by bytes is the order of the rows.
 * Key i is `bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i])`.
 */
export interface SortKeys {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Follows an escaped zero byte within a partition key, so that the key's end (zero, one) sorts before it. */
const ESCAPED_ZERO = 0xff;
const END = 1;
/** Up to this length, copying bytes one by one is faster than a native call. */
const SHORT_STRING = 32;

/** Collects the sort keys of items: numbers by value, strings by UTF-8 bytes, binary by bytes; partition first. */
export class SortKeyWriter {
  readonly #table: string;
  readonly #keys: readonly KeyAttribute[];
  #bytes: Buffer;
  #length = 0;
  #ends: Uint32Array;
  #count = 0;

  constructor(table: string, keys: readonly KeyAttribute[]) {
    this.#table = table;
    this.#keys = keys;
    this.#bytes = Buffer.allocUnsafeSlow(4096);
    this.#ends = new Uint32Array(256);
  }

  get count(): number {
    return this.#count;
  }

  /** Ends the key of one item after all its parts were added. */
  endKey(): void {
    if (this.#count === this.#ends.length) this.#ends = grown(this.#ends, this.#count * 2);
    this.#ends[this.#count] = this.#length;
    this.#count += 1;
  }

  /** Adds the key part that is a number in plain decimal notation. Throws as `addValue` does. */
  addNumber(part: number, bytes: Uint8Array, start: number, end: number): void {
    this.#expect(part, 'N');
    this.#reserve(end - start + NUMBER_KEY_BYTES);
    this.#length = writeNumberKey(bytes, start, end, this.#bytes, this.#length);
  }

  /** Adds the key part that is a string, by its UTF-8 bytes. Throws as `addValue` does. */
  addText(part: number, bytes: Uint8Array, start: number, end: number): void {
    this.#expect(part, 'S');
    const length = end - start;
    this.#reserve(length);
    if (length > SHORT_STRING) this.#bytes.set(bytes.subarray(start, end), this.#length);
    else for (let at = 0; at < length; at += 1) this.#bytes[this.#length + at] = bytes[start + at]!;
    this.#endPart(length, part);
  }

  /** Adds a key part of any kind. Throws `keyAttributeMissing` if it does not match the table's key schema. */
  addValue(part: number, value: AttributeValue | undefined): void {
    const { S, N, B } = value ?? {};
    if (N !== undefined) {
      const plain = Buffer.from(plainDecimal(N));
      this.addNumber(part, plain, 0, plain.length);
    } else if (S !== undefined) {
      const bytes = Buffer.from(S);
      this.addText(part, bytes, 0, bytes.length);
    } else {
      this.#expect(part, B === undefined ? null : 'B');
      const bytes = bytesOf(B as Binary);
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#length);
      this.#endPart(bytes.length, part);
    }
  }

  /** Forgets the keys so far. */
  clear(): void {
    this.#count = 0;
    this.#length = 0;
  }

  /** A view of the keys so far, which is valid until the next call; there may be ends behind them. */
  get written(): SortKeys {
    return { bytes: this.#bytes, ends: this.#ends };
  }

  /** The keys so far. The writer must not be used afterwards. */
  finish(): SortKeys {
    return { bytes: this.#bytes.subarray(0, this.#length), ends: this.#ends.slice(0, this.#count) };
  }

  #expect(part: number, found: KeyAttribute['type'] | null): void {
    const { name, type } = this.#keys[part]!;
    if (found !== type) throw keyAttributeMissing(this.#table, name, type);
  }

  /** Call after writing `length` bytes at the end. All but the last part get an end mark that sorts first. */
  #endPart(length: number, part: number): void {
    const start = this.#length;
    this.#length += length;
    if (part === this.#keys.length - 1) return;
    if (this.#bytes.subarray(start, this.#length).includes(0)) this.#escapeZeros(start);
    this.#reserve(2);
    this.#bytes[this.#length++] = 0;
    this.#bytes[this.#length++] = END;
  }

  #escapeZeros(start: number): void {
    const part = Uint8Array.prototype.slice.call(this.#bytes, start, this.#length);
    this.#reserve(part.length);
    this.#length = start;
    for (const byte of part) {
      this.#bytes[this.#length++] = byte;
      if (byte === 0) this.#bytes[this.#length++] = ESCAPED_ZERO;
    }
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    freeBuffer(this.#bytes.buffer as ArrayBuffer);
    this.#bytes = larger;
  }
}

/**
 * The sort keys of rows, each made from the row's cells when it is asked for: few of them ever are, and all of them would take
 * a fifth of the rows' memory. The rows have their key in the first columns.
 */
export class RowKeys {
  readonly #rows: EncodedRows;
  readonly #types: readonly KeyAttribute['type'][];
  readonly #writer: SortKeyWriter;
  #row = -1;

  constructor(table: string, keys: readonly KeyAttribute[], rows: EncodedRows) {
    this.#rows = rows;
    this.#types = keys.map(({ type }) => type);
    this.#writer = new SortKeyWriter(table, keys);
  }

  /** How many rows there are. */
  get count(): number {
    return this.#rows.ends.length;
  }

  /** The key of that row as the first one, valid until the next call. */
  of(row: number): SortKeys {
    if (row !== this.#row) this.#write(row);
    return this.#writer.written;
  }

  #write(row: number): void {
    const { body, ends } = this.#rows;
    this.#row = row;
    this.#writer.clear();
    let at = row === 0 ? 0 : ends[row - 1]!;
    for (let part = 0; part < this.#types.length; part += 1) {
      const end = cellEnd(body, at);
      this.#writePart(part, body, at, end);
      at = end + 1;
    }
    this.#writer.endKey();
  }

  #writePart(part: number, body: Buffer, at: number, end: number): void {
    const type = this.#types[part]!;
    if (type === 'N') this.#writer.addNumber(part, body, at, end);
    else if (type === 'S' && body[at] !== QUOTE) this.#writer.addText(part, body, at, end);
    else this.#writer.addValue(part, { [type]: cellText(body, at, end) });
  }
}

/** Whether two rows are of the same item: that many first cells have the same bytes. */
export function haveSameKey({ body, ends }: EncodedRows, a: number, b: number, parts: number): boolean {
  let x = a === 0 ? 0 : ends[a - 1]!;
  let y = b === 0 ? 0 : ends[b - 1]!;
  for (let part = 0; part < parts; part += 1) {
    // Quotes and what ends the cell are compared too, so that both cells end at the same place.
    const end = cellEnd(body, x);
    while (x <= end) if (body[x++] !== body[y++]) return false;
  }
  return true;
}

function cellText(body: Buffer, at: number, end: number): string {
  return body[at] === QUOTE
    ? body.toString('utf8', at + 1, end - 1).replaceAll('""', '"')
    : body.toString('utf8', at, end);
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(array);
  freeBuffer(array.buffer as ArrayBuffer);
  return larger;
}
