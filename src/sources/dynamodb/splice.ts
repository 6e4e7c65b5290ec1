import { createYielder } from '../../base/event-loop.js';
import { bodyBehindHeader } from '../../csv/encode.js';
import type { SortKeys } from './keys.js';
import { compareKeys, copyRow, type SortedRows } from './sort.js';

/** Kept and new rows in key order, with the index of each. */
export interface Spliced extends SortedRows {
  /** By row of the previous reading; meaningless for a row that was not kept. */
  readonly stayed: Uint32Array;
  /** By new row. */
  readonly added: Uint32Array;
}

/**
 * Merges the kept rows of an earlier reading with new ones. `stays`: 1 for each earlier row that is kept. Both have the
 * same layout and are in key order. Yields to the event loop; unchanged rows are copied many at a time.
 */
export async function splice(before: SortedRows, stays: Uint8Array, fresh: SortedRows): Promise<Spliced> {
  const rows = new Splicer(before, stays, fresh);
  const breathe = createYielder();
  const count = fresh.keys.ends.length;
  let from = 0;
  for (let row = 0; row < count; row += 1) {
    const to = placeOf(before.keys, from, fresh.keys, row);
    from = await rows.keep(from, to, breathe);
    rows.add(row);
    if ((row & 255) === 0) await breathe();
  }
  await rows.keep(from, before.keys.ends.length, breathe);
  return rows.finish();
}

/** The first row from `from` on whose key is not less than that of the new row. */
function placeOf(before: SortKeys, from: number, fresh: SortKeys, row: number): number {
  const isLess = (index: number) => compareKeys(before, index, fresh, row) < 0;
  let low = from;
  let step = 1;
  // Growing steps first: new rows are often close to one another.
  while (low + step < before.ends.length && isLess(low + step)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(before.ends.length, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isLess(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows copied between two yields to the event loop. */
const BATCH = 4096;

class Splicer {
  readonly #before: SortedRows;
  readonly #stays: Uint8Array;
  readonly #fresh: SortedRows;
  readonly #stayed: Uint32Array;
  readonly #added: Uint32Array;
  readonly #body: Buffer;
  readonly #keyBytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #keyEnds: Uint32Array;
  #count = 0;
  #size = 0;
  #keySize = 0;

  constructor(before: SortedRows, stays: Uint8Array, fresh: SortedRows) {
    this.#before = before;
    this.#stays = stays;
    this.#fresh = fresh;
    const size = sizeOf(before, stays);
    const count = size.rows + fresh.keys.ends.length;
    this.#stayed = new Uint32Array(stays.length);
    this.#added = new Uint32Array(fresh.keys.ends.length);
    this.#body = bodyBehindHeader(fresh.rows.columns, size.bytes + fresh.rows.body.length);
    this.#keyBytes = Buffer.allocUnsafeSlow(size.keyBytes + (fresh.keys.ends.at(-1) ?? 0));
    this.#ends = new Uint32Array(count);
    this.#keyEnds = new Uint32Array(count);
  }

  /** Copies those of the earlier rows `from` to `to` (excluded) that stay. Returns `to`. */
  async keep(from: number, to: number, breathe: () => Promise<void> | undefined): Promise<number> {
    const stays = this.#stays;
    for (let row = from; row < to; ) {
      const first = row;
      const limit = Math.min(to, first + BATCH);
      while (row < limit && stays[row] === 1) row += 1;
      if (row > first) this.#copy(first, row);
      while (row < limit && stays[row] === 0) row += 1;
      const pause = row === limit ? breathe() : undefined;
      if (pause !== undefined) await pause;
    }
    return to;
  }

  add(row: number): void {
    const { rows, keys } = this.#fresh;
    this.#added[row] = this.#count;
    this.#size = copyRow(rows.body, rows.ends, row, this.#body, this.#size);
    this.#keySize = copyRow(keys.bytes, keys.ends, row, this.#keyBytes, this.#keySize);
    this.#ends[this.#count] = this.#size;
    this.#keyEnds[this.#count] = this.#keySize;
    this.#count += 1;
  }

  finish(): Spliced {
    const { columns } = this.#fresh.rows;
    return {
      rows: { columns, body: this.#body, ends: this.#ends },
      keys: { bytes: this.#keyBytes, ends: this.#keyEnds },
      stayed: this.#stayed,
      added: this.#added,
    };
  }

  /** Copies adjacent rows. */
  #copy(first: number, behind: number): void {
    const { rows, keys } = this.#before;
    const shift = this.#size - startOf(rows.ends, first);
    const keyShift = this.#keySize - startOf(keys.ends, first);
    for (let row = first; row < behind; row += 1) {
      this.#stayed[row] = this.#count;
      this.#ends[this.#count] = rows.ends[row]! + shift;
      this.#keyEnds[this.#count] = keys.ends[row]! + keyShift;
      this.#count += 1;
    }
    this.#size += rows.body.copy(this.#body, this.#size, this.#size - shift, rows.ends[behind - 1]!);
    this.#keyBytes.set(keys.bytes.subarray(this.#keySize - keyShift, keys.ends[behind - 1]!), this.#keySize);
    this.#keySize = keys.ends[behind - 1]! + keyShift;
  }
}

function startOf(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

function sizeOf(
  { rows, keys }: SortedRows,
  stays: Uint8Array,
): { rows: number; bytes: number; keyBytes: number } {
  const size = { rows: 0, bytes: 0, keyBytes: 0 };
  for (let row = 0; row < stays.length; row += 1) {
    if (stays[row] === 0) continue;
    size.rows += 1;
    size.bytes += rows.ends[row]! - startOf(rows.ends, row);
    size.keyBytes += keys.ends[row]! - startOf(keys.ends, row);
  }
  return size;
}
