import { createYielder } from '../../../base/event-loop.js';
import { widen } from '../../../csv/columns.js';
import { bodyBehindHeader } from '../../../csv/encode.js';
import { relayoutInSlices } from '../../../csv/relayout.js';
import { type CompareKeys, keyCells } from '../../../csv/row-blocks.js';
import type { Cell, EncodedRows } from '../../../csv/rows.js';
import type { FullReading } from '../../source.js';
import type { EncodedRecords } from './delta.js';

/** What a record makes of an item. */
interface Edit {
  readonly key: readonly Cell[];
  /** The item's place among the rows, or where it belongs. */
  readonly place: number;
  readonly isThere: boolean;
  /** Null: it is gone. */
  readonly after: Buffer | null;
}

/**
 * The rows of a Scan after the records that were written meanwhile, of each item at most one. They are copied once, so that
 * memory holds a large table no more than twice.
 */
export async function broughtForward(
  { rows, keys }: Pick<FullReading, 'rows' | 'keys'>,
  later: EncodedRecords,
): Promise<EncodedRows> {
  if (later.records.length === 0) return rows;
  const columns = later.rows.columns.map((column) => {
    const scanned = rows.columns.find(({ name }) => name === column.name);
    return scanned === undefined ? column : widen(scanned, column);
  });
  const laidOut = { ...(await relayoutInSlices(rows, columns)), columns };
  const edits = await editsOf(laidOut, keys.length, later);
  return edited(laidOut, edits);
}

/** In the order of the rows. */
async function editsOf(
  rows: EncodedRows,
  keyCount: number,
  { rows: { body, ends }, records, compareKeys }: EncodedRecords,
): Promise<readonly Edit[]> {
  const breathe = createYielder();
  const edits: Edit[] = [];
  for (const [index, { change }] of records.entries()) {
    if ((index & 63) === 0) await breathe();
    const row = body.subarray(ends[index - 1] ?? 0, ends[index]);
    const key = keyCells(row, keyCount);
    const place = placeOf(key, rows, keyCount, compareKeys);
    const isThere = place < rows.ends.length && compareKeys(keyAt(rows, place, keyCount), key) === 0;
    edits.push({ key, place, isThere, after: change === 'put' ? row : null });
  }
  return edits.sort((a, b) => a.place - b.place || compareKeys(a.key, b.key));
}

/** The first row whose key is not before that one. */
function placeOf(key: readonly Cell[], rows: EncodedRows, keyCount: number, compare: CompareKeys): number {
  let from = 0;
  let to = rows.ends.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compare(keyAt(rows, middle, keyCount), key) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function keyAt({ body, ends }: EncodedRows, row: number, keyCount: number): readonly Cell[] {
  return keyCells(body.subarray(ends[row - 1] ?? 0, ends[row]), keyCount);
}

function edited(rows: EncodedRows, edits: readonly Edit[]): EncodedRows {
  const startOf = (place: number) => rows.ends[place - 1] ?? 0;
  let { length: size } = rows.body;
  let { length: count } = rows.ends;
  for (const { place, isThere, after } of edits) {
    if (isThere) size -= startOf(place + 1) - startOf(place);
    size += after?.length ?? 0;
    count += (after === null ? 0 : 1) - (isThere ? 1 : 0);
  }
  const body = bodyBehindHeader(rows.columns, size);
  const ends = new Uint32Array(count);
  let next = 0;
  let end = 0;
  let row = 0;
  const keepUntil = (place: number) => {
    rows.body.copy(body, end, startOf(next), startOf(place));
    const moved = end - startOf(next);
    for (; next < place; next += 1) ends[row++] = rows.ends[next]! + moved;
    end = ends[row - 1] ?? 0;
  };
  for (const { place, isThere, after } of edits) {
    keepUntil(place);
    if (after !== null) {
      end += after.copy(body, end);
      ends[row++] = end;
    }
    if (isThere) next = place + 1;
  }
  keepUntil(rows.ends.length);
  return { columns: rows.columns, body, ends };
}
