import { bytesOf, type Item } from './attributes.js';
import { keyAttributeMissing } from './errors.js';
import { NUMBER_KEY_BYTES, plainDecimal, writeNumberKey } from './numbers.js';

/** A key attribute as the table's key schema declares it. */
export interface KeyAttribute {
  readonly name: string;
  readonly type: 'S' | 'N' | 'B';
}

/**
 * Sort keys of many rows in one piece of memory, in a form that compares byte by byte as the rows are ordered.
 * Key i is `bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i])`.
 */
export interface SortKeys {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** A zero byte within a partition key becomes these two, so that the key's end (zero, one) sorts before it. */
const ESCAPED_ZERO = 0xff;
const END = 1;
/** Up to here writing characters one by one beats the call into native code. */
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

  /** Throws `keyAttributeMissing` when the item does not have the key that the table was said to have. */
  add(item: Item): void {
    const last = this.#keys.length - 1;
    for (let index = 0; index <= last; index += 1) this.#addPart(item, this.#keys[index]!, index === last);
    if (this.#count === this.#ends.length) this.#ends = grown(this.#ends, this.#count * 2);
    this.#ends[this.#count] = this.#length;
    this.#count += 1;
  }

  /** The keys so far. The writer is not to be used afterwards. */
  finish(): SortKeys {
    return { bytes: this.#bytes.subarray(0, this.#length), ends: this.#ends.slice(0, this.#count) };
  }

  #addPart(item: Item, key: KeyAttribute, last: boolean): void {
    const value = Object.hasOwn(item, key.name) ? item[key.name]! : {};
    if (key.type === 'N' && value.N !== undefined) {
      const plain = plainDecimal(value.N);
      this.#reserve(plain.length + NUMBER_KEY_BYTES);
      this.#length = writeNumberKey(plain, this.#bytes, this.#length);
    } else if (key.type === 'S' && value.S !== undefined) {
      this.#endPart(this.#writeText(value.S), last);
    } else if (key.type === 'B' && value.B !== undefined) {
      const bytes = bytesOf(value.B);
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#length);
      this.#endPart(bytes.length, last);
    } else {
      throw keyAttributeMissing(this.#table, key.name, key.type);
    }
  }

  /** Writes a string's UTF-8 bytes behind the current end; returns how many. */
  #writeText(text: string): number {
    this.#reserve(text.length * 3);
    if (text.length > SHORT_STRING) return this.#bytes.write(text, this.#length);
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 0x7f) return this.#bytes.write(text, this.#length);
      this.#bytes[this.#length + at] = code;
    }
    return text.length;
  }

  /** `length` bytes were written behind the current end. All but the last part need an end that sorts first. */
  #endPart(length: number, last: boolean): void {
    const start = this.#length;
    this.#length += length;
    if (last) return;
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
    this.#bytes = larger;
  }
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}
