import { createHash } from 'node:crypto';
import type { Condition, ObjectStore, StoredObject } from '../../src/archive/objects.js';

/** An object store in memory, that can be away and can lose and damage objects. */
export class MemoryObjects implements ObjectStore {
  readonly location = 'memory://archive/';
  readonly objects = new Map<string, { bytes: Buffer; modifiedAt: number }>();
  /** What every request rejects with; null: it answers. */
  away: Error | null = null;
  /** Called before each request, with the name of the operation and the key. */
  before: (operation: string, key: string) => void = () => {};
  now: () => number = () => Date.now();

  async get(key: string, signal?: AbortSignal): Promise<StoredObject | null> {
    signal?.throwIfAborted();
    this.#asked('get', key);
    const found = this.objects.get(key);
    return found === undefined ? null : { bytes: Buffer.from(found.bytes), version: versionOf(found.bytes) };
  }

  async put(key: string, bytes: Uint8Array, condition: Condition) {
    this.#asked('put', key);
    const found = this.objects.get(key);
    if (condition === 'absent' && found !== undefined) return null;
    if (condition !== null && condition !== 'absent') {
      if (found === undefined || versionOf(found.bytes) !== condition.version) return null;
    }
    this.objects.set(key, { bytes: Buffer.from(bytes), modifiedAt: this.now() });
    return versionOf(Buffer.from(bytes));
  }

  async *list(prefix: string, after = '') {
    this.#asked('list', prefix);
    for (const key of [...this.objects.keys()].sort()) {
      const { bytes, modifiedAt } = this.objects.get(key)!;
      if (key.startsWith(prefix) && key > after) yield { key, size: bytes.length, modifiedAt };
    }
  }

  async remove(keys: readonly string[]) {
    this.#asked('remove', keys[0] ?? '');
    for (const key of keys) this.objects.delete(key);
  }

  close() {}

  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  #asked(operation: string, key: string): void {
    this.before(operation, key);
    if (this.away !== null) throw this.away;
  }
}

function versionOf(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
