import { hashOf } from '../../base/hash.js';
import { type Shape, shapeCsv } from '../../csv/shape.js';
import type { Dataset } from '../../datasets/dataset.js';
import { PLAIN_CACHE } from '../limits.js';
import { ByteCache } from './byte-cache.js';
import { Representation } from './representation.js';

const CSV = 'text/csv; charset=utf-8';

/** A whole dataset as it is served. */
export interface PlainAnswer {
  readonly representation: Representation;
  /** Milliseconds since the epoch when the data was read; a poll that found the same again moves it. */
  readonly readAt: number;
}

interface Kept {
  readonly representation: Representation;
  readonly version: string | null;
  columns: Dataset['columns'];
  readAt: number;
  /** The second of the clock in which `readAt` was asked for. */
  second: number;
}

/**
 * Whole datasets, each encoded once per version and kept. The entity tag is a hash of the bytes: the same rows read
 * again, or computed again, are no news to who has them.
 */
export class PlainAnswers {
  readonly #cache: ByteCache<Kept>;
  /** Keys of unshaped datasets by their names: made once, since they are looked up at every request. */
  readonly #bareKeys = new Map<string, string>();
  /** What is being made, so that requests that come meanwhile wait for it. */
  readonly #making = new Map<string, Promise<Kept>>();

  /** `limit`: bytes kept in all. */
  constructor(limit = PLAIN_CACHE) {
    this.#cache = new ByteCache(limit);
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  /** What is kept and still true at that time in milliseconds; undefined when it has to be made. */
  kept(dataset: Dataset, shape: Shape, now: number): PlainAnswer | undefined {
    const kept = this.#cache.get(this.#keyOf(dataset, shape));
    if (kept === undefined || !isCurrent(kept, dataset)) return undefined;
    refreshTime(kept, dataset, now);
    return kept;
  }

  /** Makes and keeps it. Rejects as `Dataset.content` does. */
  make(dataset: Dataset, shape: Shape): Promise<PlainAnswer> {
    const key = this.#keyOf(dataset, shape);
    // Who asks for a newer version does not wait for an older one.
    const making = `${key}\n${dataset.version}`;
    let answer = this.#making.get(making);
    if (answer === undefined) {
      answer = this.#make(key, dataset, shape).finally(() => this.#making.delete(making));
      this.#making.set(making, answer);
    }
    return answer;
  }

  #keyOf({ name }: Dataset, { pad, nullText }: Shape): string {
    if (pad === true || (nullText ?? '') !== '') return `${name}\n${pad === true}\n${nullText ?? ''}`;
    let key = this.#bareKeys.get(name);
    if (key === undefined) {
      key = `${name}\n`;
      this.#bareKeys.set(name, key);
    }
    return key;
  }

  async #make(key: string, dataset: Dataset, shape: Shape): Promise<Kept> {
    const { version } = dataset;
    const content = await dataset.content();
    // A poll that landed meanwhile may have made them newer than the version they would be kept under.
    const isSettled = dataset.version === version;
    const bytes = await shapeCsv(content, shape);
    const hash = bytes === content.bytes ? content.hash : undefined;
    const representation = new Representation(bytes, CSV, hash ?? (await hashOf(bytes)), (added) =>
      this.#cache.grow(key, kept, added),
    );
    const { columns, readAt } = content;
    const kept: Kept = { representation, version, columns, readAt, second: -1 };
    if (isSettled) this.#cache.set(key, kept, bytes.length);
    return kept;
  }
}

/** Asked for once a second: an age in whole seconds needs no more, and some datasets compute their status. */
function refreshTime(kept: Kept, dataset: Dataset, now: number): void {
  const second = Math.floor(now / 1_000);
  if (kept.second === second) return;
  kept.second = second;
  // A status dataset was read when it was computed, not now.
  if (dataset.kind !== 'status') kept.readAt = dataset.status().readAt ?? kept.readAt;
}

/** The same bytes can be shaped otherwise once a value was seen in a column: its type is known then. */
function isCurrent(kept: Kept, dataset: Dataset): boolean {
  if (kept.version !== dataset.version) return false;
  const { columns } = dataset;
  if (kept.columns === columns) return true;
  const isSame =
    kept.columns?.length === columns?.length &&
    (columns ?? []).every(({ type, seen }, index) => {
      const before = kept.columns?.[index];
      return before?.type === type && before.seen === seen;
    });
  if (isSame) kept.columns = columns;
  return isSame;
}
