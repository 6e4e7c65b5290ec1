import { bodyBehindHeader } from '../../csv/encode.js';
import { relayout } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import type { SortKeys } from './keys.js';

/** Below this a comparison sort is faster than clearing the counters of a radix sort. */
const FEW = 4096;
/** A digit's bits: the counters of more would take longer to clear than the rows of a segment to move. */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Indexes of the keys in ascending order of their bytes. */
export function sortedOrder(keys: SortKeys): Uint32Array {
  const order = new Uint32Array(keys.ends.length);
  for (let index = 0; index < order.length; index += 1) order[index] = index;
  const compare = (a: number, b: number) => compareKeys(keys, a, keys, b);
  if (order.length < FEW) return order.sort(compare);
  return radixSorted(order, keys, compare);
}

/** Rows rearranged: row i of the result is row `order[i]`; rows that `order` lacks are left out. */
export function sortedRows({ columns, body, ends }: EncodedRows, order: Uint32Array): EncodedRows {
  return { columns, ...reordered(body, ends, order, bodyBehindHeader(columns, ends.at(-1) ?? 0)) };
}

/** Keys rearranged in the same way. */
export function sortedKeys({ bytes, ends }: SortKeys, order: Uint32Array): SortKeys {
  const { body, ends: newEnds } = reordered(bytes, ends, order, Buffer.allocUnsafeSlow(ends.at(-1) ?? 0));
  return { bytes: body, ends: newEnds };
}

function reordered(
  bytes: Uint8Array,
  ends: Uint32Array,
  order: Uint32Array,
  body: Buffer,
): Pick<EncodedRows, 'body' | 'ends'> {
  const newEnds = new Uint32Array(order.length);
  let length = 0;
  for (let index = 0; index < order.length; index += 1) {
    const row = order[index]!;
    length = copyRow(bytes, ends, row, body, length);
    newEnds[index] = length;
  }
  return { body: body.subarray(0, length), ends: newEnds };
}

/** A native copy costs as much as a loop over so many bytes; most rows and keys are shorter. */
const SHORT_ROW = 96;

/** Copies one row to `offset` of the target; returns the offset behind it. */
export function copyRow(
  source: Uint8Array,
  ends: Uint32Array,
  row: number,
  target: Uint8Array,
  offset: number,
): number {
  const start = row === 0 ? 0 : ends[row - 1]!;
  const length = ends[row]! - start;
  if (length > SHORT_ROW) target.set(source.subarray(start, start + length), offset);
  else for (let at = 0; at < length; at += 1) target[offset + at] = source[start + at]!;
  return offset + length;
}

/** Like `Buffer.compare` of key `i` of `a` and key `j` of `b`, without making views of them. */
export function compareKeys(a: SortKeys, i: number, b: SortKeys, j: number): number {
  let x = i === 0 ? 0 : a.ends[i - 1]!;
  let y = j === 0 ? 0 : b.ends[j - 1]!;
  const xEnd = a.ends[i]!;
  const yEnd = b.ends[j]!;
  const common = x + Math.min(xEnd - x, yEnd - y);
  while (x < common) {
    const difference = a.bytes[x++]! - b.bytes[y++]!;
    if (difference !== 0) return difference;
  }
  return xEnd - x - (yEnd - y);
}

/**
 * Sorts by the first eight bytes behind what all keys begin with, in six passes that need no comparison; only keys
 * that are equal in these (rare: long keys, composite keys) are compared.
 */
function radixSorted(
  order: Uint32Array,
  keys: SortKeys,
  compare: (a: number, b: number) => number,
): Uint32Array {
  const skip = commonPrefix(keys);
  const high = prefixWords(keys, skip);
  const low = prefixWords(keys, skip + 4);
  let from = order;
  let to: Uint32Array = new Uint32Array(order.length);
  for (const words of [low, high])
    for (let shift = 0; shift < 32; shift += DIGIT_BITS)
      if (distribute(from, to, words, shift)) [from, to] = [to, from];
  sortTies(from, high, low, compare);
  return from;
}

/** One pass over a digit, keeping the order of equals. False when all are equal: nothing was moved. */
function distribute(from: Uint32Array, to: Uint32Array, words: Uint32Array, shift: number): boolean {
  const starts = new Uint32Array(DIGITS);
  for (let index = 0; index < words.length; index += 1)
    starts[(words[index]! >>> shift) & (DIGITS - 1)]! += 1;
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const count = starts[digit]!;
    if (count === words.length) return false;
    starts[digit] = start;
    start += count;
  }
  for (let index = 0; index < from.length; index += 1) {
    const row = from[index]!;
    to[starts[(words[row]! >>> shift) & (DIGITS - 1)]!++] = row;
  }
  return true;
}

function sortTies(
  order: Uint32Array,
  high: Uint32Array,
  low: Uint32Array,
  compare: (a: number, b: number) => number,
): void {
  for (let start = 0; start < order.length; ) {
    const row = order[start]!;
    let end = start + 1;
    while (end < order.length && high[order[end]!] === high[row] && low[order[end]!] === low[row]) end += 1;
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
}

/** How many bytes all keys begin with in common. */
function commonPrefix({ bytes, ends }: SortKeys): number {
  let length = ends[0]!;
  for (let index = 1; index < ends.length && length > 0; index += 1) {
    const start = ends[index - 1]!;
    length = Math.min(length, ends[index]! - start);
    for (let at = 0; at < length; at += 1) if (bytes[start + at] !== bytes[at]) length = at;
  }
  return length;
}

/** Four bytes of each key from `offset` on as one number; what lies behind a key's end counts as zero. */
function prefixWords({ bytes, ends }: SortKeys, offset: number): Uint32Array {
  const words = new Uint32Array(ends.length);
  let start = 0;
  for (let index = 0; index < ends.length; index += 1) {
    const end = ends[index]!;
    let word = 0;
    for (let at = start + offset; at < start + offset + 4; at += 1) {
      word = (word << 8) | (at < end ? bytes[at]! : 0);
    }
    words[index] = word >>> 0;
    start = end;
  }
  return words;
}

/** A part of a table, encoded and in key order: the result of one thread's segments. */
export interface Run {
  readonly rows: EncodedRows;
  readonly keys: SortKeys;
  /** Which attribute each column's values came from, by column name. */
  readonly origins: ReadonlyMap<string, string>;
  /** Names of the columns with values of more than one type. */
  readonly mixed: readonly string[];
  /** Attributes that stay JSON in some items, because their values would make too many columns. */
  readonly beyond: readonly string[];
}

/** Rows in key order. */
export type SortedRows = Pick<Run, 'rows' | 'keys'>;

/** Several runs merged, and for each run the new indexes of its rows. */
export interface MergedRuns extends SortedRows {
  readonly places: readonly Uint32Array[];
}

/** All rows of the runs in key order, under `columns` (a superset of every run's columns). */
export function mergeRuns(runs: readonly SortedRows[], columns: readonly Column[]): MergedRuns {
  const parts = runs.map(({ rows, keys }) => ({ rows: { ...relayout(rows, columns), columns }, keys }));
  return parts.length === 1 ? { ...parts[0]!, places: [identity(parts[0]!)] } : merged(parts, columns);
}

function identity({ keys }: SortedRows): Uint32Array {
  return Uint32Array.from(keys.ends, (_, index) => index);
}

function merged(parts: readonly SortedRows[], columns: readonly Column[]): MergedRuns {
  const count = sum(parts.map(({ keys }) => keys.ends.length));
  const body = bodyBehindHeader(columns, sum(parts.map(({ rows }) => rows.body.length)));
  const bytes = Buffer.allocUnsafeSlow(sum(parts.map(({ keys }) => keys.ends.at(-1) ?? 0)));
  const ends = new Uint32Array(count);
  const keyEnds = new Uint32Array(count);
  const places = parts.map(({ keys }) => new Uint32Array(keys.ends.length));
  const next = parts.map(() => 0);
  let length = 0;
  let keyLength = 0;
  for (let index = 0; index < count; index += 1) {
    const from = lowest(parts, next);
    const { rows, keys } = parts[from]!;
    const row = next[from]!++;
    places[from]![row] = index;
    length = copyRow(rows.body, rows.ends, row, body, length);
    ends[index] = length;
    keyLength = copyRow(keys.bytes, keys.ends, row, bytes, keyLength);
    keyEnds[index] = keyLength;
  }
  return { rows: { columns, body, ends }, keys: { bytes, ends: keyEnds }, places };
}

/** The part whose next row comes first. There are only as many parts as threads, so a linear search is quick. */
function lowest(parts: readonly SortedRows[], next: readonly number[]): number {
  let best = -1;
  for (let index = 0; index < parts.length; index += 1) {
    const { keys } = parts[index]!;
    if (next[index]! === keys.ends.length) continue;
    if (best < 0 || compareKeys(keys, next[index]!, parts[best]!.keys, next[best]!) < 0) best = index;
  }
  return best;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
