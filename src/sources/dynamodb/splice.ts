import { createYielder } from '../../base/event-loop.js';
import { bodyBehindHeader } from '../../csv/encode.js';
import type { EncodedRows } from '../../csv/rows.js';
import type { RowKeys, SortKeys } from './keys.js';
import { compareKeys, copyRow, type SortedRows } from './sort.js';

/** The rows of an earlier reading, in key order. */
export interface EarlierRows {
  readonly rows: EncodedRows;
  readonly keys: RowKeys;
}

/** Kept and new rows in key order, with the index of each. */
export interface Spliced {
  readonly rows: EncodedRows;
  /** By row of the previous reading; meaningless for a row that was not kept. Null: none of them moved. */
  readonly stayed: Uint32Array | null;
  /** By new row. */
  readonly added: Uint32Array;
}

/**
 * Merges the kept rows of an earlier reading with new ones. `stays`: 1 for each earlier row that is kept. Both have the
 * same layout and are in key order. Yields to the event loop; unchanged rows are copied many at a time.
 */
export async function splice(before: EarlierRows, stays: Uint8Array, fresh: SortedRows): Promise<Spliced> {
  const gone = indexesOf(stays, 0);
  if (haveSameKeys(before.keys, gone, fresh.keys)) return replace(before, gone, fresh);
  const rows = new Splicer(before.rows, stays, fresh);
  const breathe = createYielder();
  const count = fresh.keys.ends.length;
  let from = 0;
  for (let row = 0; row <= count; row += 1) {
    const to = row === count ? stays.length : placeOf(before.keys, from, fresh.keys, row);
    for (; to - from > BATCH; from += BATCH) {
      rows.keep(from, from + BATCH);
      await breathe();
    }
    rows.keep(from, to);
    from = to;
    if (row < count) rows.add(row);
    if ((row & 255) === 0) await breathe();
  }
  return rows.finish();
}

/** The indexes at which `flags` has that value. */
function indexesOf(flags: Uint8Array, value: number): Uint32Array {
  const indexes = new Uint32Array(flags.length);
  let count = 0;
  for (let index = 0; index < flags.length; index += 1) if (flags[index] === value) indexes[count++] = index;
  return indexes.slice(0, count);
}

function haveSameKeys(before: RowKeys, rows: Uint32Array, fresh: SortKeys): boolean {
  if (rows.length !== fresh.ends.length) return false;
  return rows.every((row, index) => compareKeys(before.of(row), 0, fresh, index) === 0);
}

/** The earlier rows, those at `places` replaced by new ones with the same keys: nothing moves. */
async function replace(before: EarlierRows, places: Uint32Array, fresh: SortedRows): Promise<Spliced> {
  const { body: old, ends: oldEnds } = before.rows;
  const replaced = places.reduce((sum, row) => sum + oldEnds[row]! - startOf(oldEnds, row), 0);
  const body = bodyBehindHeader(fresh.rows.columns, old.length - replaced + fresh.rows.body.length);
  const ends = new Uint32Array(oldEnds.length);
  const breathe = createYielder();
  let from = 0;
  let size = 0;
  for (let index = 0; index <= places.length; index += 1) {
    const row = index === places.length ? ends.length : places[index]!;
    const start = startOf(oldEnds, from);
    const shift = size - start;
    for (let kept = from; kept < row; kept += 1) ends[kept] = oldEnds[kept]! + shift;
    if (row > from) size += old.copy(body, size, start, oldEnds[row - 1]!);
    if (index < places.length) size = copyRow(fresh.rows.body, fresh.rows.ends, index, body, size);
    ends[row] = size;
    from = row + 1;
    if ((index & 255) === 0) await breathe();
  }
  const rows = { columns: fresh.rows.columns, body, ends };
  return { rows, stayed: null, added: places };
}

/** Of a row that is not among the earlier ones. */
export const NEW = 0xffff_ffff;

/** Beyond so many more rows that differ than do not, the others are not compared. */
const MOST_DIFFERENT = 1024;

/**
 * Decoded items may be unchanged: another item of their block changed, a page ended within it, or their attributes came in
 * another order. Finds the earlier row with the same bytes for each row of a run, and sets its `stays` to 1. Both have the
 * same layout and are in key order. Returns the earlier row of each row, or `NEW`; null if none is the same.
 */
export async function findSame(
  before: EarlierRows,
  stays: Uint8Array,
  { rows, keys }: SortedRows,
): Promise<Uint32Array | null> {
  const gone = indexesOf(stays, 0);
  const same = new Uint32Array(rows.ends.length).fill(NEW);
  const breathe = createYielder();
  let found = 0;
  for (let index = 0, row = 0; index < gone.length && row < same.length; ) {
    const earlier = gone[index]!;
    const order = compareKeys(before.keys.of(earlier), 0, keys, row);
    if (order === 0 && isSameRow(before.rows, earlier, rows, row)) {
      same[row] = earlier;
      stays[earlier] = 1;
      found += 1;
    }
    if (order <= 0) index += 1;
    if (order >= 0) row += 1;
    if (row > 2 * found + MOST_DIFFERENT) break;
    if (((index + row) & 1023) === 0) await breathe();
  }
  return found === 0 ? null : same;
}

function isSameRow(a: EncodedRows, i: number, b: EncodedRows, j: number): boolean {
  let x = startOf(a.ends, i);
  let y = startOf(b.ends, j);
  const end = a.ends[i]!;
  if (end - x !== b.ends[j]! - y) return false;
  while (x < end) if (a.body[x++] !== b.body[y++]) return false;
  return true;
}

/** The first row from `from` on whose key is not less than that of the new row. */
function placeOf(before: RowKeys, from: number, fresh: SortKeys, row: number): number {
  const isLess = (index: number) => compareKeys(before.of(index), 0, fresh, row) < 0;
  let low = from;
  let step = 1;
  // Growing steps first: new rows are often close to one another.
  while (low + step < before.count && isLess(low + step)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(before.count, low + step);
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
  readonly #before: EncodedRows;
  readonly #stays: Uint8Array;
  readonly #fresh: SortedRows;
  readonly #stayed: Uint32Array;
  readonly #added: Uint32Array;
  readonly #body: Buffer;
  readonly #ends: Uint32Array;
  #count = 0;
  #size = 0;

  constructor(before: EncodedRows, stays: Uint8Array, fresh: SortedRows) {
    this.#before = before;
    this.#stays = stays;
    this.#fresh = fresh;
    const size = sizeOf(before, stays);
    const count = size.rows + fresh.rows.ends.length;
    this.#stayed = new Uint32Array(stays.length);
    this.#added = new Uint32Array(fresh.rows.ends.length);
    this.#body = bodyBehindHeader(fresh.rows.columns, size.bytes + fresh.rows.body.length);
    this.#ends = new Uint32Array(count);
  }

  /** Copies those of the earlier rows `from` to `to` (excluded) that stay. */
  keep(from: number, to: number): void {
    const stays = this.#stays;
    for (let row = from; row < to; ) {
      const first = row;
      while (row < to && stays[row] === 1) row += 1;
      if (row > first) this.#copy(first, row);
      while (row < to && stays[row] === 0) row += 1;
    }
  }

  add(row: number): void {
    const { rows } = this.#fresh;
    this.#added[row] = this.#count;
    this.#size = copyRow(rows.body, rows.ends, row, this.#body, this.#size);
    this.#ends[this.#count] = this.#size;
    this.#count += 1;
  }

  finish(): Spliced {
    const { columns } = this.#fresh.rows;
    return {
      rows: { columns, body: this.#body, ends: this.#ends },
      stayed: this.#stayed,
      added: this.#added,
    };
  }

  /** Copies adjacent rows. */
  #copy(first: number, behind: number): void {
    const rows = this.#before;
    const shift = this.#size - startOf(rows.ends, first);
    for (let row = first; row < behind; row += 1) {
      this.#stayed[row] = this.#count;
      this.#ends[this.#count] = rows.ends[row]! + shift;
      this.#count += 1;
    }
    this.#size += rows.body.copy(this.#body, this.#size, this.#size - shift, rows.ends[behind - 1]!);
  }
}

function startOf(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

function sizeOf(rows: EncodedRows, stays: Uint8Array): { rows: number; bytes: number } {
  const size = { rows: 0, bytes: 0 };
  for (let row = 0; row < stays.length; row += 1) {
    if (stays[row] === 0) continue;
    size.rows += 1;
    size.bytes += rows.ends[row]! - startOf(rows.ends, row);
  }
  return size;
}
