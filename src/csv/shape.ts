import { encodeCell, encodeRow } from './encode.js';
import type { Column } from './rows.js';
import { BYTES_PER_TURN, breathe, cellEnd, Offsets, QUOTE, rowEnd } from './scan.js';

export interface Shape {
  /** `?pad=1`: a dataset without rows gets one row without values. */
  readonly pad?: boolean;
  /**
   * `?null=TEXT`: how an absent value is written in number, boolean and time columns. Absent values of string
   * columns, and of columns of which no value was ever seen (they have no type yet), stay nothing.
   */
  readonly nullText?: string;
}

/**
 * A dataset's CSV (header line and rows, as we write them) in the shape that a reader asked for; `content.bytes`
 * itself when there is nothing to do. Lets the event loop run now and then.
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
  const absent = await absentCells(bytes, start, typed);
  return absent.length === 0 ? bytes : insert(bytes, absent, Buffer.from(encodeCell(shape.nullText)));
}

/** Where cells without a value stand in the columns marked `typed`. */
async function absentCells(bytes: Buffer, start: number, typed: readonly boolean[]): Promise<Offsets> {
  const absent = new Offsets();
  const width = typed.length;
  let pause = start + BYTES_PER_TURN;
  for (let at = start; at < bytes.length; ) {
    for (let cell = 0; cell < width; cell++) {
      const end = cellEnd(bytes, at);
      if (typed[cell] && (end === at || isQuotedNothing(bytes, at, end))) absent.push(at);
      at = end + 1;
    }
    if (at >= pause) {
      await breathe();
      pause = at + BYTES_PER_TURN;
    }
  }
  return absent;
}

/** `""`: no number, boolean or time is empty; it is the absent cell of a row that has only one (see encode.ts). */
function isQuotedNothing(bytes: Buffer, at: number, end: number): boolean {
  return end === at + 2 && bytes[at] === QUOTE;
}

/** The bytes with `text` at each of the offsets, in place of `""` where that stands there. */
async function insert(bytes: Buffer, offsets: Offsets, text: Buffer): Promise<Buffer> {
  const target = Buffer.allocUnsafe(bytes.length + offsets.length * text.length);
  let from = 0;
  let to = 0;
  let pause = BYTES_PER_TURN;
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets.at(i);
    to += bytes.copy(target, to, from, at);
    to += text.copy(target, to);
    from = bytes[at] === QUOTE ? at + 2 : at;
    if (to >= pause) {
      await breathe();
      pause = to + BYTES_PER_TURN;
    }
  }
  to += bytes.copy(target, to, from);
  return target.subarray(0, to);
}
