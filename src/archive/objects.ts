/** An object's content, and the version that `put` compares with. */
export interface StoredObject {
  readonly bytes: Buffer;
  readonly version: string;
}

/** What a list says about an object. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly modifiedAt: number;
}

/** `absent`: write only if there is no such object; a version: only if the object still has it; null: always. */
export type Condition = 'absent' | { readonly version: string } | null;

/**
 * Objects by key, as an object store keeps them: each is written whole, and whoever reads after a write finds it.
 *
 * Every implementation has to pass `test/archive/object-store-suite.ts`. All methods reject with a `DynamoCsvError` that
 * names the store and the key.
 */
export interface ObjectStore {
  /** Where the objects are, for display: `s3://my-bucket/fleet/`. */
  readonly location: string;
  /** Null: there is no such object. Rejects with the signal's reason if that aborts. */
  get(key: string, signal?: AbortSignal): Promise<StoredObject | null>;
  /** Writes an object and resolves to its version; null: the condition does not hold, and nothing was written. */
  put(key: string, bytes: Uint8Array, condition: Condition): Promise<string | null>;
  /** The objects whose keys begin with `prefix`, in the order of their keys, after the key `after` if there is one. */
  list(prefix: string, after?: string): AsyncIterable<ListedObject>;
  /** Removes objects; those that do not exist are fine. */
  remove(keys: readonly string[]): Promise<void>;
  close(): void;
}
