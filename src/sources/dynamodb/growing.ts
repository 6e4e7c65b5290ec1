import { freeBuffer } from '../../base/garbage.js';

type Numbers = Uint8Array | Uint32Array;
type NumbersType<T extends Numbers> = new (source: number | ArrayBufferLike) => T;

/** A typed array that grows. */
export class Growing<T extends Numbers> {
  readonly #type: NumbersType<T>;
  #values: T;
  #length = 0;

  constructor(type: NumbersType<T>, capacity: number) {
    this.#type = type;
    this.#values = new type(capacity);
  }

  /** A view of what was added. */
  get values(): T {
    return this.#values.subarray(0, this.#length) as T;
  }

  push(value: number): void {
    this.#reserve(1);
    this.#values[this.#length++] = value;
  }

  add(values: Numbers): void {
    this.#reserve(values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#values.length) return;
    const larger = new this.#type(Math.max(needed, 2 * this.#values.length));
    larger.set(this.#values);
    freeBuffer(this.#values.buffer as ArrayBuffer);
    this.#values = larger;
  }
}

/** What was added, in memory that threads share. The array must not be used afterwards. */
export function shared<T extends Numbers>(type: NumbersType<T>, { values }: Growing<T>): T {
  const array = new type(new SharedArrayBuffer(values.byteLength));
  array.set(values);
  freeBuffer(values.buffer as ArrayBuffer);
  return array;
}
