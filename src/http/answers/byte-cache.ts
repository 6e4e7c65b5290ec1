import { LRUCache } from 'lru-cache';

/** Bytes that an entry costs besides its body: key, headers, bookkeeping. */
const OVERHEAD = 1_024;

/** `lru-cache`, bounded in bytes: the least recently used entries are dropped first. */
export class ByteCache<T extends object | string> {
  readonly #values: LRUCache<string, T>;

  /** `limit`: total bytes of all entries. */
  constructor(limit: number) {
    this.#values = new LRUCache({ maxSize: limit });
  }

  /** Total bytes of all entries. */
  get bytes(): number {
    return this.#values.calculatedSize;
  }

  /** The value, which counts as a use of it; undefined if there is none. */
  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** Stores a value of `bytes` bytes under a key, replacing any other. A value larger than the limit is not stored. */
  set(key: string, value: T, bytes: number): void {
    this.#values.set(key, value, { size: bytes + OVERHEAD });
  }

  /** Adds `bytes` to the size of a stored value; does nothing if that value is no longer stored. */
  grow(key: string, value: T, bytes: number): void {
    if (this.#values.peek(key) !== value) return;
    const { size = OVERHEAD } = this.#values.info(key) ?? {};
    // Stored again, since the size of an entry whose value stays the same is not updated.
    this.#values.delete(key);
    this.#values.set(key, value, { size: size + bytes });
  }

  /** Removes a key, if it is there. */
  delete(key: string): void {
    this.#values.delete(key);
  }
}
