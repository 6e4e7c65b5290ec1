import { createYielder } from '../base/event-loop.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import type { Cell, EncodedRows } from '../csv/rows.js';
import type { DeltaReading } from '../sources/source.js';
import { type Difference, rowKey } from './changes.js';

type CompareKeys = DeltaReading['compareKeys'];

/** What happened to one item: its index among the rows, or where it belongs. */
interface Touched {
  readonly place: number;
  readonly isThere: boolean;
  readonly key: readonly Cell[];
  after: Buffer | null;
}

/**
 * Applies a delta's records to items. `items` are in the order of `compareKeys`, and so is the result; each difference
 * has the time of its record. Items are found by bisection, and untouched rows in between are copied as one, so the cost
 * depends on the number of records.
 *
 * @param rows the records' rows in the layout of the items
 * @param times of the records, in milliseconds since the epoch
 */
export async function bringForward(
  items: EncodedRows,
  rows: EncodedRows,
  { records, compareKeys }: Pick<DeltaReading, 'records' | 'compareKeys'>,
  keyCount: number,
  times: readonly number[],
): Promise<{ readonly rows: EncodedRows; readonly differences: readonly Difference[] }> {
  const touched = new Map<string, Touched>();
  const differences: Difference[] = [];
  const breathe = createYielder();
  for (const [index, { change }] of records.entries()) {
    if ((index & 63) === 0) await breathe();
    const row = rowAt(rows, index);
    const key = rowKey(row, keyCount);
    const item = touched.get(key) ?? locate(items, keyCells(row, keyCount), keyCount, compareKeys);
    touched.set(key, item);
    const before = item.after;
    item.after = change === 'put' ? row : null;
    const isSame = before === null ? item.after === null : item.after?.equals(before) === true;
    if (!isSame) differences.push({ before, after: item.after, at: times[index]! });
  }
  return { rows: rebuild(items, [...touched.values()], compareKeys), differences };
}

/** Rows in the order of `compareKeys`. */
export function sortRows(rows: EncodedRows, keyCount: number, compareKeys: CompareKeys): EncodedRows {
  const keyed = Array.from(rows.ends, (_, index) => {
    const row = rowAt(rows, index);
    return { row, key: keyCells(row, keyCount) };
  });
  return join(
    rows,
    keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ row }) => ({ rows: row, ends: [row.length] })),
  );
}

function keyCells(row: Buffer, keyCount: number): Cell[] {
  return decodeRow(Buffer.from(rowKey(row, keyCount), 'latin1'));
}

function locate(
  items: EncodedRows,
  key: readonly Cell[],
  keyCount: number,
  compareKeys: CompareKeys,
): Touched {
  let from = 0;
  let to = items.ends.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareKeys(keyCells(rowAt(items, middle), keyCount), key) < 0) from = middle + 1;
    else to = middle;
  }
  const row = from < items.ends.length ? rowAt(items, from) : null;
  const isThere = row !== null && compareKeys(keyCells(row, keyCount), key) === 0;
  return { place: from, isThere, key, after: isThere ? row : null };
}

/** The items with the touched ones updated. */
function rebuild(items: EncodedRows, touched: readonly Touched[], compareKeys: CompareKeys): EncodedRows {
  const inOrder = [...touched].sort((a, b) => a.place - b.place || compareKeys(a.key, b.key));
  const parts: Part[] = [];
  let next = 0;
  const copyUntil = (place: number) => {
    if (place > next) parts.push(slice(items, next, place));
    next = Math.max(next, place);
  };
  for (const { place, isThere, after } of inOrder) {
    copyUntil(place);
    if (after !== null) parts.push({ rows: after, ends: [after.length] });
    if (isThere) next = place + 1;
  }
  copyUntil(items.ends.length);
  return join(items, parts);
}

/** Rows with their end offsets, relative to the first one. */
interface Part {
  readonly rows: Buffer;
  readonly ends: Iterable<number> & { readonly length: number };
}

function slice({ body, ends }: EncodedRows, from: number, to: number): Part {
  const start = ends[from - 1] ?? 0;
  return { rows: body.subarray(start, ends[to - 1]), ends: ends.slice(from, to).map((end) => end - start) };
}

function join({ columns }: EncodedRows, parts: readonly Part[]): EncodedRows {
  const ends = new Uint32Array(parts.reduce((count, part) => count + part.ends.length, 0));
  let row = 0;
  let offset = 0;
  for (const part of parts) {
    for (const end of part.ends) ends[row++] = offset + end;
    offset += part.rows.length;
  }
  return { columns, body: Buffer.concat(parts.map((part) => part.rows)), ends };
}
