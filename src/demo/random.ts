/** A small seeded generator (mulberry32): the demo's chance is the same on every machine and at every start. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Evenly distributed, 0 included, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** Waiting time of something that happens once per `mean` on average. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}

/** A seed made of words and numbers (FNV-1a), so that every day and every slot has a chance of its own. */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const character of parts.join('/')) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}

/** One number for these words and no other: `seedOf`, then the first draw. */
export function chance(...parts: readonly (string | number)[]): number {
  return new Random(seedOf(...parts)).next();
}
