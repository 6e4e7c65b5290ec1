import { csvMalformed } from '../base/errors.js';
import type { Cell, EncodedRows } from './rows.js';
import { BYTES_PER_TURN, breathe, CR, cellEnd, LF, Offsets, QUOTE, rowEnd } from './scan.js';

/**
 * The cells of one row, with or without its line end: nothing is null (absent), `""` the empty string.
 * An empty line is one absent cell.
 */
export function decodeRow(line: Buffer | string): Cell[] {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  const end = contentEnd(bytes, 0, bytes.length);
  const cells: Cell[] = [];
  for (let from = 0; ; ) {
    const found = cellEnd(bytes, from);
    const to = found < 0 || found > end ? end : found;
    cells.push(decodeCell(bytes, from, to));
    if (to >= end) return cells;
    from = to + 1;
  }
}

/** The bytes of row `index`, its `\n` included; a view, not a copy. */
export function rowAt(rows: EncodedRows, index: number): Buffer {
  return rows.body.subarray(index === 0 ? 0 : rows.ends[index - 1]!, rows.ends[index]!);
}

/** A CSV file taken apart: what `EncodedRows` needs, but for the types of its columns. */
export interface SplitCsv {
  readonly header: string[];
  readonly body: Buffer;
  readonly ends: Uint32Array;
}

/**
 * Finds header and rows of a whole CSV file. A BOM, CRLF line ends, blank lines and a missing last line end are
 * accepted and made good; `body` shares memory with `bytes` unless something had to be.
 * Lets the event loop run now and then. `name` is what an error calls the file.
 * Rejects with `CSV_MALFORMED`, naming the line, for a quote that is never closed, a row that is longer or shorter
 * than the header, or no header at all.
 */
export async function splitRows(bytes: Buffer, name = 'the CSV file'): Promise<SplitCsv> {
  const head = findHeader(bytes, name);
  const ends = new Offsets(Math.max(16, Math.ceil((bytes.length - head.end) / 32)));
  // The rows as we write them, once a line was found that is not; until then the bytes are right as they are.
  let tidy: Buffer | null = null;
  let size = 0;
  let pause = head.end + BYTES_PER_TURN;
  for (let at = head.end; at < bytes.length; ) {
    const row = findRow(bytes, at, name);
    const content = contentEnd(bytes, at, row.end);
    if (tidy === null && (content === at || content !== row.end - 1)) {
      tidy = Buffer.allocUnsafe(bytes.length - head.end + 1);
      bytes.copy(tidy, 0, head.end, at);
    }
    if (content > at) {
      if (row.cells !== head.header.length) {
        const what = `has ${row.cells} cells where the header has ${head.header.length}`;
        throw csvMalformed(name, lineOf(bytes, at), what);
      }
      if (tidy !== null) {
        bytes.copy(tidy, size, at, content);
        tidy[size + content - at] = LF;
      }
      size += content - at + 1;
      ends.push(size);
    }
    at = row.end;
    if (at >= pause) {
      await breathe();
      pause = at + BYTES_PER_TURN;
    }
  }
  return {
    header: head.header,
    body: (tidy ?? bytes.subarray(head.end)).subarray(0, size),
    ends: ends.toArray(),
  };
}

const BOM = Buffer.from('\uFEFF');

/** The first line that is not blank, and where it ends. */
function findHeader(bytes: Buffer, name: string): { header: string[]; end: number } {
  let from = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  while (from < bytes.length) {
    const { end } = findRow(bytes, from, name);
    const content = contentEnd(bytes, from, end);
    if (content > from) {
      return { header: decodeRow(bytes.subarray(from, end)).map((cell) => cell ?? ''), end };
    }
    from = end;
  }
  throw csvMalformed(name, 1, 'has no header');
}

/** The row at that offset: the index behind its line end (or behind all bytes), and how many cells it has. */
function findRow(bytes: Buffer, at: number, name: string): { end: number; cells: number } {
  let end = at - 1;
  let cells = 0;
  do {
    end = cellEnd(bytes, end + 1);
    cells++;
  } while (end >= 0 && bytes[end] !== LF);
  if (end >= 0) return { end: end + 1, cells };
  if (opensQuote(bytes, at)) throw csvMalformed(name, lineOf(bytes, at), 'has a quote that is never closed');
  return { end: bytes.length, cells };
}

/** Whether the last row, which starts at `from` and has no `\n`, ends within quotes. */
export function opensQuote(bytes: Buffer, from: number): boolean {
  const closed = Buffer.concat([bytes.subarray(from), Buffer.from([LF])]);
  return rowEnd(closed, 0) < 0;
}

/** The 1-based line at that offset, as an editor counts. */
function lineOf(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let at = bytes.indexOf(LF); at >= 0 && at < offset; at = bytes.indexOf(LF, at + 1)) line++;
  return line;
}

/** Where a row's content ends: before its `\n`, `\r\n` or (a Windows text mode over CRLF) `\r\r\n`. */
export function contentEnd(bytes: Buffer, from: number, end: number): number {
  if (end === from || bytes[end - 1] !== LF) return end;
  let content = end - 1;
  while (content > from && bytes[content - 1] === CR) content--;
  return content;
}

function decodeCell(bytes: Buffer, from: number, to: number): Cell {
  if (from === to) return null;
  if (bytes[from] !== QUOTE) return bytes.toString('utf8', from, to);
  let close = from + 1;
  let doubled = false;
  for (; close < to; close++) {
    if (bytes[close] !== QUOTE) continue;
    if (bytes[close + 1] !== QUOTE || close + 1 >= to) break;
    doubled = true;
    close++;
  }
  const text = bytes.toString('utf8', from + 1, close);
  // What follows the closing quote (nothing, in a file of ours) belongs to the text, as in Python's reader.
  return (doubled ? text.replaceAll('""', '"') : text) + bytes.toString('utf8', close + 1, to);
}
