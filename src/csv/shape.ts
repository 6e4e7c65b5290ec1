import { yieldToEventLoop } from '../base/event-loop.js';
import { Edits } from './edits.js';
import { encodeCell, encodeRow } from './encode.js';
import type { Column } from './rows.js';
import { BYTES_PER_SLICE, cellEnd, QUOTE, rowEnd } from './scan.js';

export interface Shape {
  /** `?pad=1`: a dataset without rows gets one row without values. */
  readonly pad?: boolean;
  /**
   * `?null=TEXT`: how an absent value is written in number, boolean and time columns. Absent values of string
   * columns, and of columns without any value so far (they have no type yet), stay empty.
   */
  readonly nullText?: string;
}

/**
 * A dataset's CSV (header line and rows, as this service writes them) in the requested shape; `content.bytes` itself if
 * there is nothing to do. Yields to the event loop now and then.
 */
export async function shapeCsv(
  content: { readonly bytes: Buffer; readonly columns: readonly Column[] },
  shape: Shape,
): Promise<Buffer> {
  const { columns } = content;
  let bytes = content.bytes;
  const start = rowEnd(bytes, 0);
  if (shape.pad === true && start === bytes.length) {
    bytes = Buffer.concat([bytes, Buffer.from(encodeRow(columns.map(() => null)))]);
  }
  const typed = columns.map(({ type, seen }) => seen && type !== 'string');
  if (shape.nullText === undefined || shape.nullText === '' || !typed.includes(true)) return bytes;
  return fillAbsent(bytes, start, typed, Buffer.from(encodeCell(shape.nullText)));
}

/** The bytes with `text` in each cell without a value in the columns marked `typed`. */
async function fillAbsent(
  bytes: Buffer,
  start: number,
  typed: readonly boolean[],
  text: Buffer,
): Promise<Buffer> {
  const edits = new Edits(bytes);
  let pause = start + BYTES_PER_SLICE;
  for (let at = start; at < bytes.length; ) {
    for (let cell = 0; cell < typed.length; cell++) {
      const end = cellEnd(bytes, at);
      if (typed[cell] && (end === at || isQuotedNothing(bytes, at, end))) edits.replace(at, end, text);
      at = end + 1;
    }
    if (at >= pause) {
      await yieldToEventLoop();
      pause = at + BYTES_PER_SLICE;
    }
  }
  return edits.finish();
}

/** `""`: numbers, booleans and times are never empty, so it is the absent cell of a single-column row (see encode.ts). */
function isQuotedNothing(bytes: Buffer, at: number, end: number): boolean {
  return end === at + 2 && bytes[at] === QUOTE;
}
