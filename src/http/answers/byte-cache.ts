import NodeCache from 'node-cache';

/** Bytes that an entry costs besides its body: key, headers, bookkeeping. */
const OVERHEAD = 1_024;

/** node-cache without cloning, bounded in bytes: the least recently used entries are dropped first. */
export class ByteCache<T> {
  readonly #limit: number;
  readonly #values = new NodeCache({ useClones: false, checkperiod: 0 });
  /** Size in bytes by key, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  #latest: string | null = null;
  #bytes = 0;

  /** `limit`: total bytes of all entries. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Total bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value, which counts as a use of it; undefined if there is none. */
  get(key: string): T | undefined {
    const value = this.#values.get<T>(key);
    if (value !== undefined && key !== this.#latest) this.#touch(key, this.#sizes.get(key) ?? 0);
    return value;
  }

  /** Stores a value of `bytes` bytes under a key, replacing any other. A value larger than the limit is not stored. */
  set(key: string, value: T, bytes: number): void {
    this.delete(key);
    const size = bytes + OVERHEAD;
    if (size > this.#limit) return;
    this.#values.set(key, value);
    this.#bytes += size;
    this.#touch(key, size);
    this.#makeRoom();
  }

  /** Adds `bytes` to the size of a stored value; does nothing if that value is no longer stored. */
  grow(key: string, value: T, bytes: number): void {
    const size = this.#sizes.get(key);
    if (size === undefined || this.#values.get<T>(key) !== value) return;
    this.#bytes += bytes;
    this.#touch(key, size + bytes);
    this.#makeRoom();
  }

  /** Removes a key, if it is there. */
  delete(key: string): void {
    const size = this.#sizes.get(key);
    if (size === undefined) return;
    this.#values.del(key);
    this.#sizes.delete(key);
    this.#bytes -= size;
    if (this.#latest === key) this.#latest = null;
  }

  #touch(key: string, size: number): void {
    this.#sizes.delete(key);
    this.#sizes.set(key, size);
    this.#latest = key;
  }

  #makeRoom(): void {
    for (const key of this.#sizes.keys()) {
      if (this.#bytes <= this.#limit) return;
      this.delete(key);
    }
  }
}
