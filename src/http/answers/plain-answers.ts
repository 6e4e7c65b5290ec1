import { hashOf } from '../../base/hash.js';
import { type Shape, shapeCsv } from '../../csv/shape.js';
import type { Dataset } from '../../datasets/dataset.js';
import { PLAIN_CACHE } from '../limits.js';
import { ByteCache } from './byte-cache.js';
import { Representation } from './representation.js';

const CSV = 'text/csv; charset=utf-8';

/** A whole dataset, ready to send. */
export interface PlainAnswer {
  readonly representation: Representation;
  /** Milliseconds since the epoch when the data was read. A poll without changes moves it. */
  readonly readAt: number;
}

interface Kept {
  readonly representation: Representation;
  readonly version: string | null;
  columns: Dataset['columns'];
  readAt: number;
  /** The second in which `readAt` was last updated. */
  second: number;
}

/**
 * Caches whole datasets, encoded once per version. The entity tag is a hash of the bytes, so that a client is not sent
 * rows again that were merely read or computed again.
 */
export class PlainAnswers {
  readonly #cache: ByteCache<Kept>;
  /** Cache keys of unshaped datasets by name, built once: every request needs one. */
  readonly #bareKeys = new Map<string, string>();
  /** Answers being made, shared by requests that arrive meanwhile. */
  readonly #making = new Map<string, Promise<Kept>>();

  /** `limit`: total bytes in the cache. */
  constructor(limit = PLAIN_CACHE) {
    this.#cache = new ByteCache(limit);
  }

  /** Total bytes in the cache. */
  get bytes(): number {
    return this.#cache.bytes;
  }

  /** The cached answer if it is up to date, `now` in milliseconds; undefined if it has to be made. */
  kept(dataset: Dataset, shape: Shape, now: number): PlainAnswer | undefined {
    const kept = this.#cache.get(this.#keyOf(dataset, shape));
    if (kept === undefined || !isCurrent(kept, dataset)) return undefined;
    refreshTime(kept, dataset, now);
    return kept;
  }

  /** Makes and caches an answer. Rejects as `Dataset.content` does. */
  make(dataset: Dataset, shape: Shape): Promise<PlainAnswer> {
    const key = this.#keyOf(dataset, shape);
    // A request for a newer version must not get an older one.
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
    // If a poll finished meanwhile, the bytes may be newer than the version they would be cached under.
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

/** Updates the time once a second: ages are whole seconds, and some datasets compute their status. */
function refreshTime(kept: Kept, dataset: Dataset, now: number): void {
  const second = Math.floor(now / 1_000);
  if (kept.second === second) return;
  kept.second = second;
  // A status dataset was read when it was computed.
  if (dataset.kind !== 'status') kept.readAt = dataset.status().readAt ?? kept.readAt;
}

/** The first value in a column settles its type, which can change the shape while the version's bytes stay the same. */
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
