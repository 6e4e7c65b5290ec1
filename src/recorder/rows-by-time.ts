import { createYielder } from '../base/event-loop.js';
import { rowAt } from '../csv/decode.js';
import { timesOf } from '../csv/row-time.js';
import type { EncodedRows } from '../csv/rows.js';

/** Rows sorted at once: half a millisecond. */
const RUN = 2_048;

/** The rows in the order of the times in a column; of equal times, and of none, which come last, as they stood. */
export async function inOrderOfTime(rows: EncodedRows, column: string): Promise<EncodedRows> {
  const times = await timesOf(rows, column);
  if (isInOrder(times)) return rows;
  return pick(rows, await sortedIndexes(times));
}

/** The rows whose time is later than an instant in milliseconds since the epoch. */
export async function rowsLaterThan(
  rows: EncodedRows,
  column: string,
  instant: number,
): Promise<EncodedRows> {
  const times = await timesOf(rows, column);
  return pick(
    rows,
    Uint32Array.from(rows.ends.keys()).filter((row) => times[row]! > instant),
  );
}

function isInOrder(times: Float64Array): boolean {
  for (let row = 1; row < times.length; row++) if (!(times[row]! >= times[row - 1]!)) return false;
  return true;
}

/** The indexes of times in their order. A merge sort, because it can yield to the event loop in between. */
async function sortedIndexes(times: Float64Array): Promise<Uint32Array> {
  const breathe = createYielder();
  const isBefore = (a: number, b: number) =>
    times[a]! < times[b]! || (Number.isNaN(times[b]!) && !Number.isNaN(times[a]!));
  const compare = (a: number, b: number) => (isBefore(a, b) ? -1 : isBefore(b, a) ? 1 : a - b);
  let sorted = Uint32Array.from(times.keys());
  for (let from = 0; from < sorted.length; from += RUN) {
    sorted.subarray(from, from + RUN).sort(compare);
    await breathe();
  }
  for (let width = RUN; width < sorted.length; width *= 2) {
    const merged = new Uint32Array(sorted.length);
    for (let from = 0; from < sorted.length; from += 2 * width) {
      const middle = Math.min(from + width, sorted.length);
      const end = Math.min(from + 2 * width, sorted.length);
      let [left, right] = [from, middle];
      for (let to = from; to < end; to++) {
        if (to % RUN === 0) await breathe();
        const takesRight = left === middle || (right < end && isBefore(sorted[right]!, sorted[left]!));
        merged[to] = takesRight ? sorted[right++]! : sorted[left++]!;
      }
    }
    sorted = merged;
  }
  return sorted;
}

async function pick(rows: EncodedRows, indexes: Uint32Array): Promise<EncodedRows> {
  const breathe = createYielder();
  const ends = new Uint32Array(indexes.length);
  let size = 0;
  for (const [place, row] of indexes.entries()) {
    size += rows.ends[row]! - (row === 0 ? 0 : rows.ends[row - 1]!);
    ends[place] = size;
  }
  const body = Buffer.allocUnsafe(size);
  for (const [place, row] of indexes.entries()) {
    if (place % RUN === 0) await breathe();
    rowAt(rows, row).copy(body, place === 0 ? 0 : ends[place - 1]!);
  }
  return { columns: rows.columns, body, ends };
}
