import { yieldToEventLoop } from '../base/event-loop.js';
import { sameLayout } from './columns.js';
import { encodeCell, noRows } from './encode.js';
import type { Cell, Column, EncodedRows } from './rows.js';
import { BYTES_PER_SLICE, COMMA, cellEnd, LF } from './scan.js';

/**
 * The same rows with `columns`, which has all of the rows' own columns, perhaps in another order; cells of new columns
 * are absent. Returns `rows` itself if the layout is equal. New columns at the end cost a copy, others a full scan.
 */
export function relayout(rows: EncodedRows, columns: readonly Column[]): EncodedRows {
  if (sameLayout(rows.columns, columns)) return rows;
  if (rows.ends.length === 0) return noRows(columns);
  const places = new Map(rows.columns.map(({ name }, index) => [name, index]));
  const sources = columns.map(({ name }) => places.get(name) ?? -1);
  for (const layout of [rows.columns, columns]) {
    const names = layout.map(({ name }) => name);
    if (new Set(names).size < names.length)
      throw new TypeError(`relayout got a column twice: ${names.join(',')}`);
  }
  const names = new Set(columns.map(({ name }) => name));
  const missing = rows.columns.find(({ name }) => !names.has(name));
  if (missing !== undefined) throw new TypeError(`relayout would drop the column ${missing.name}`);
  const atEnd = rows.columns.every((_, index) => sources[index] === index);
  return atEnd
    ? withSuffix(rows, columns, Buffer.alloc(columns.length - rows.columns.length, ','))
    : rearrange(rows, columns, sources);
}

/** `relayout` for many rows: yields to the event loop now and then. */
export async function relayoutInSlices(rows: EncodedRows, columns: readonly Column[]): Promise<EncodedRows> {
  if (sameLayout(rows.columns, columns)) return rows;
  return concatRows(await inSlices(rows, (part) => relayout(part, columns)));
}

/** Runs `work` on all rows, part by part, yielding to the event loop in between. Returns at least one part. */
export async function inSlices(
  rows: EncodedRows,
  work: (part: EncodedRows) => EncodedRows,
): Promise<readonly EncodedRows[]> {
  if (rows.body.length <= BYTES_PER_SLICE) return [work(rows)];
  const parts: EncodedRows[] = [];
  for (let from = 0; from < rows.ends.length; ) {
    const start = rows.ends[from - 1] ?? 0;
    let to = from + 1;
    while (to < rows.ends.length && rows.ends[to]! - start <= BYTES_PER_SLICE) to++;
    parts.push(work(sliceRows(rows, from, to)));
    from = to;
    await yieldToEventLoop();
  }
  return parts;
}

/** Rows `from` (included) to `to` (excluded). */
export function sliceRows(rows: EncodedRows, from: number, to: number): EncodedRows {
  const start = from === 0 ? 0 : (rows.ends[from - 1] ?? 0);
  const end = to === 0 ? 0 : (rows.ends[to - 1] ?? 0);
  return {
    columns: rows.columns,
    body: rows.body.subarray(start, end),
    ends: rows.ends.slice(from, to).map((rowEnd) => rowEnd - start),
  };
}

/** The rows with one more, last column, which has the same cell in every row (a log's time). */
export function withColumn(rows: EncodedRows, column: Column, cell: Cell): EncodedRows {
  return withSuffix(rows, [...rows.columns, column], Buffer.from(`,${encodeCell(cell)}`));
}

/** Concatenates parts, at least one, which share a layout; the types are those of the first part. */
export function concatRows(parts: readonly EncodedRows[]): EncodedRows {
  const first = parts[0];
  if (first === undefined) throw new TypeError('concatRows needs at least one part');
  if (parts.length === 1) return first;
  const stranger = parts.find((part) => !sameLayout(part.columns, first.columns));
  if (stranger !== undefined) {
    const names = (columns: readonly Column[]) => columns.map(({ name }) => name).join(',');
    throw new TypeError(`concatRows got two layouts: ${names(first.columns)} and ${names(stranger.columns)}`);
  }
  const ends = new Uint32Array(parts.reduce((count, part) => count + part.ends.length, 0));
  let row = 0;
  let offset = 0;
  for (const part of parts) {
    for (const end of part.ends) ends[row++] = offset + end;
    offset += part.body.length;
  }
  return { columns: first.columns, body: Buffer.concat(parts.map((part) => part.body)), ends };
}

/** Every row with `suffix` before its `\n`. */
function withSuffix(rows: EncodedRows, columns: readonly Column[], suffix: Buffer): EncodedRows {
  const { body, ends: oldEnds } = rows;
  const count = oldEnds.length;
  const target = Buffer.allocUnsafe(body.length + count * suffix.length);
  const ends = new Uint32Array(count);
  let from = 0;
  let to = 0;
  for (let row = 0; row < count; row++) {
    const end = oldEnds[row]!;
    to = copyBytes(body, from, end - 1, target, to);
    to = copyBytes(suffix, 0, suffix.length, target, to);
    target[to++] = LF;
    ends[row] = to;
    from = end;
  }
  return { columns, body: target, ends };
}

/** Copies each row's cells into the order of `sources` (indexes of old columns; -1: absent). */
function rearrange(rows: EncodedRows, columns: readonly Column[], sources: readonly number[]): EncodedRows {
  const { body, ends: oldEnds } = rows;
  const count = oldEnds.length;
  const width = rows.columns.length;
  const target = Buffer.allocUnsafe(body.length + count * (columns.length - width));
  const ends = new Uint32Array(count);
  const runs = runsOf(sources);
  // The cell c of a row is [starts[c], starts[c + 1] - 1).
  const starts = new Uint32Array(width + 1);
  let from = 0;
  let to = 0;
  for (let row = 0; row < count; row++) {
    for (let cell = 0; cell < width; cell++) {
      starts[cell] = from;
      from = cellEnd(body, from) + 1;
    }
    starts[width] = from;
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]!;
      if (run.length > 0) {
        to = copyBytes(body, starts[run.first]!, starts[run.first + run.length]! - 1, target, to);
      }
      target[to++] = COMMA;
    }
    target[to - 1] = LF;
    ends[row] = to;
  }
  // Bytes that are not written keep whatever was in memory before.
  if (to !== target.length) throw new TypeError('relayout got rows that do not fit their columns');
  return { columns, body: target, ends };
}

/** Adjacent cells that stay adjacent are copied as one run; a run of length 0 is an absent cell. */
function runsOf(sources: readonly number[]): { first: number; length: number }[] {
  const runs: { first: number; length: number }[] = [];
  for (const source of sources) {
    const last = runs.at(-1);
    if (source < 0) runs.push({ first: 0, length: 0 });
    else if (last !== undefined && last.length > 0 && last.first + last.length === source) last.length++;
    else runs.push({ first: source, length: 1 });
  }
  return runs;
}

/** A native copy costs as much as a loop over about fifty bytes; most rows and cells are shorter. */
const SHORT_COPY = 48;

/** Returns the offset after the copy. */
function copyBytes(source: Buffer, from: number, end: number, target: Buffer, at: number): number {
  const length = end - from;
  if (length > SHORT_COPY) source.copy(target, at, from, end);
  else for (let i = 0; i < length; i++) target[at + i] = source[from + i]!;
  return at + length;
}
