/** A copy of bytes with some ranges replaced. Nothing is copied until something is replaced. */
export class Edits {
  readonly #source: Buffer;
  #target: Buffer | null = null;
  #size = 0;
  /** The source up to here has been copied to the target. */
  #taken = 0;

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** Replaces [from, end) with `instead`. Ranges come in order and do not overlap; one may be empty. */
  replace(from: number, end: number, instead: Buffer): void {
    this.#reserve(from - this.#taken + instead.length);
    this.#size += this.#source.copy(this.#target!, this.#size, this.#taken, from);
    this.#size += instead.copy(this.#target!, this.#size);
    this.#taken = end;
  }

  /** The edited bytes; the source itself if nothing was replaced. */
  finish(): Buffer {
    if (this.#target === null) return this.#source;
    const end = this.#source.length;
    this.replace(end, end, EMPTY);
    return this.#target.subarray(0, this.#size);
  }

  /** Reserves room for that many more bytes and for the rest of the source. */
  #reserve(more: number): void {
    const needed = this.#size + more + (this.#source.length - this.#taken);
    if (this.#target !== null && this.#target.length >= needed) return;
    const target = Buffer.allocUnsafe(Math.ceil(needed * 1.25));
    this.#target?.copy(target, 0, 0, this.#size);
    this.#target = target;
  }
}

const EMPTY = Buffer.alloc(0);
