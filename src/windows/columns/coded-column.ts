import type { ByteCell } from '../direct/byte-text.js';

/** Cells at one point in time. Cells appended later do not change it. */
export interface Codes {
  /** The place in `cells` of each row's cell; only the first `count` belong to it. */
  readonly codes: Uint16Array;
  readonly count: number;
  /** The different cells; the first one is the absent one, whether there is any or not. */
  readonly cells: readonly ByteCell[];
}

/** Different cells at most: numbers of a `Uint16Array`, less the absent one. */
export const MOST_CELLS = 10_000;
const FIRST_CAPACITY = 1_024;
/** How much larger than needed memory is made when cells are appended. */
const SPARE = 1.25;

/** The cells of a column that has few different ones, to which more can be appended. */
export class CodedColumn {
  #cells: readonly ByteCell[] = [null];
  readonly #known = new Map<string, number>();
  #codes = new Uint16Array(FIRST_CAPACITY);
  #count = 0;

  get now(): Codes {
    return { codes: this.#codes, count: this.#count, cells: this.#cells };
  }

  /** Bytes of memory, about. */
  get size(): number {
    return this.#codes.byteLength + this.#cells.length * 100;
  }

  /** The codes of these different cells, which are added where they are new; null: that would be more than `MOST_CELLS`. */
  codesOf(cells: readonly string[]): Uint16Array | null {
    const fresh = cells.filter((cell) => !this.#known.has(cell));
    if (this.#known.size + fresh.length > MOST_CELLS) return null;
    for (const [index, cell] of fresh.entries()) this.#known.set(cell, this.#cells.length + index);
    if (fresh.length > 0) this.#cells = [...this.#cells, ...fresh];
    return Uint16Array.from(cells, (cell) => this.#known.get(cell)!);
  }

  /** Makes room for as many cells in all. */
  reserve(count: number): void {
    if (count <= this.#codes.length) return;
    const larger = new Uint16Array(this.#count === 0 ? count : Math.ceil(count * SPARE));
    larger.set(this.#codes.subarray(0, this.#count));
    this.#codes = larger;
  }

  /** Appends a few thousand cells: each its place in `codes`, -1 for an absent one. */
  append(places: Float64Array, codes: Uint16Array): void {
    this.reserve(this.#count + places.length);
    let at = this.#count;
    for (const place of places) this.#codes[at++] = place < 0 ? 0 : codes[place]!;
    this.#count = at;
  }
}
