import NodeCache from 'node-cache';

/** What an entry costs beside its bytes: keys, headers, the cache's own book. */
const OVERHEAD = 1_024;

/** node-cache without cloning, bounded in bytes: the least recently used entries make room for new ones. */
export class ByteCache<T> {
  readonly #limit: number;
  readonly #values = new NodeCache({ useClones: false, checkperiod: 0 });
  /** Size by key, the least recently used first. */
  readonly #sizes = new Map<string, number>();
  #latest: string | null = null;
  #bytes = 0;

  /** `limit`: bytes of all entries together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    const value = this.#values.get<T>(key);
    if (value !== undefined && key !== this.#latest) this.#touch(key, this.#sizes.get(key) ?? 0);
    return value;
  }

  /** Keeps a value of that many bytes, in place of what had its key; one that is larger than all room is not kept. */
  set(key: string, value: T, bytes: number): void {
    this.delete(key);
    const size = bytes + OVERHEAD;
    if (size > this.#limit) return;
    this.#values.set(key, value);
    this.#bytes += size;
    this.#touch(key, size);
    this.#makeRoom();
  }

  /** A kept value needs so many bytes more. Nothing happens when it is no longer kept. */
  grow(key: string, value: T, bytes: number): void {
    const size = this.#sizes.get(key);
    if (size === undefined || this.#values.get<T>(key) !== value) return;
    this.#bytes += bytes;
    this.#touch(key, size + bytes);
    this.#makeRoom();
  }

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
