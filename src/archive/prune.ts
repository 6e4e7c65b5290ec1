import type { Archive } from './archive.js';
import { partKey } from './parts.js';
import { type Point, pointKey } from './point.js';
import { expiredPoints } from './retention.js';

/** Objects younger than this may belong to a point that is being taken. Generous, as clocks of machines differ. */
const YOUNG = 24 * 3_600_000;

/** What is remembered of a kept point. */
interface Kept {
  readonly at: number;
  readonly hashes: readonly string[];
}

/** Removes points that are no longer kept, and the parts that only they named. */
export class Pruner {
  readonly #archive: Archive;
  readonly #kept = new Map<number, Kept>();

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** Resolves to how many objects were removed. Only the holder of the lease may call it, and takes no point meanwhile. */
  async prune(now: number, signal: AbortSignal): Promise<number> {
    const numbers = await this.#archive.numbers();
    for (const number of numbers) {
      signal.throwIfAborted();
      if (!this.#kept.has(number)) this.#kept.set(number, keptOf(await this.#archive.point(number)));
    }
    const points = numbers.map((number) => ({ number, at: this.#kept.get(number)?.at ?? now }));
    const expired = expiredPoints(points, now);
    await this.#archive.objects.remove(expired.map(pointKey));
    for (const number of expired) this.#kept.delete(number);
    const parts = await this.#unnamedParts(now, signal);
    await this.#archive.objects.remove(parts.map(partKey));
    this.#archive.forget(parts);
    return expired.length + parts.length;
  }

  async #unnamedParts(now: number, signal: AbortSignal): Promise<string[]> {
    const named = new Set([...this.#kept.values()].flatMap(({ hashes }) => hashes));
    const unnamed: string[] = [];
    for await (const { key, modifiedAt } of this.#archive.objects.list('objects/')) {
      signal.throwIfAborted();
      const hash = key.slice(key.lastIndexOf('/') + 1);
      if (!named.has(hash) && now - modifiedAt > YOUNG) unnamed.push(hash);
    }
    return unnamed;
  }
}

/** Also the hashes of days: one that was written again since is kept as a part. */
function keptOf({ at, files, days }: Point): Kept {
  const named = [...files.flatMap(({ parts }) => parts), ...days];
  return { at: Date.parse(at), hashes: named.map(({ hash }) => hash) };
}
