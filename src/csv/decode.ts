import { yieldToEventLoop } from '../base/event-loop.js';
import { Edits } from './edits.js';
import { csvMalformed } from './errors.js';
import type { Cell, EncodedRows } from './rows.js';
import { BYTES_PER_SLICE, CR, cellEnd, LF, LineCounter, Offsets, placeRow, QUOTE } from './scan.js';

/**
 * The cells of one row, with or without its line end: nothing is null (absent), `""` the empty string.
 * An empty line is one absent cell.
 */
export function decodeRow(line: Buffer | string): Cell[] {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  const end = withoutLineEnd(bytes);
  const cells: Cell[] = [];
  for (let from = 0; ; ) {
    const found = cellEnd(bytes, from);
    const to = found < 0 || found > end ? end : found;
    cells.push(decodeCell(bytes, from, to));
    if (to >= end) return cells;
    from = to + 1;
  }
}

/** The length of a line without its line end. */
function withoutLineEnd(line: Buffer): number {
  let end = line.length;
  if (end === 0 || line[end - 1] !== LF) return end;
  do end--;
  while (end > 0 && line[end - 1] === CR);
  return end;
}

/** The bytes of row `index`, its `\n` included; a view, not a copy. */
export function rowAt(rows: EncodedRows, index: number): Buffer {
  return rows.body.subarray(index === 0 ? 0 : rows.ends[index - 1]!, rows.ends[index]!);
}

/** A CSV file split into header and rows: everything that `EncodedRows` needs except column types. */
export interface SplitCsv {
  readonly header: string[];
  readonly body: Buffer;
  readonly ends: Uint32Array;
}

/**
 * Finds header and rows of a whole CSV file. A BOM, CRLF line ends, blank lines and a missing last line end are
 * accepted and normalised; `body` shares memory with `bytes` unless something had to be changed.
 * Yields to the event loop now and then. `name` is the file's name in errors.
 * Rejects with `CSV_MALFORMED`, naming the line, for a quote that is never closed, a row that is longer or shorter
 * than the header, or no header at all.
 */
export async function splitRows(bytes: Buffer, name = 'the CSV file'): Promise<SplitCsv> {
  const head = readHeader(bytes, name);
  const rows = bytes.subarray(head.end);
  const edits = new Edits(rows);
  const ends = new Offsets(Math.max(16, Math.ceil(rows.length / 32)));
  let size = 0;
  let pause = BYTES_PER_SLICE;
  for (let at = 0; at < rows.length; ) {
    const row = placeRow(rows, at) ?? malformed(bytes, head.end + at, name, OPEN_QUOTE);
    if (row.contentEnd === at) {
      edits.replace(at, row.end, NOTHING);
    } else {
      if (row.cells !== head.names.length) {
        const what = `has ${row.cells} cells where the header has ${head.names.length}`;
        malformed(bytes, head.end + at, name, what);
      }
      if (row.contentEnd !== row.end - 1) edits.replace(row.contentEnd, row.end, LINE_END);
      size += row.contentEnd - at + 1;
      ends.push(size);
    }
    at = row.end;
    if (at >= pause) {
      await yieldToEventLoop();
      pause = at + BYTES_PER_SLICE;
    }
  }
  return { header: head.names, body: edits.finish(), ends: ends.toArray() };
}

const BOM = Buffer.from('\uFEFF');
const NOTHING = Buffer.alloc(0);
const LINE_END = Buffer.from('\n');
const OPEN_QUOTE = 'has a quote that is never closed';

/** The first line that is not blank, and where the rows start. */
function readHeader(bytes: Buffer, name: string): { names: string[]; end: number } {
  let at = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  while (at < bytes.length) {
    const row = placeRow(bytes, at) ?? malformed(bytes, at, name, OPEN_QUOTE);
    if (row.contentEnd > at) {
      const names = decodeRow(bytes.subarray(at, row.contentEnd)).map((cell) => cell ?? '');
      return { names, end: row.end };
    }
    at = row.end;
  }
  return malformed(bytes, 0, name, 'has no header');
}

function malformed(bytes: Buffer, offset: number, name: string, what: string): never {
  throw csvMalformed(name, new LineCounter(bytes).lineAt(offset), what);
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
  // Anything after the closing quote (nothing, in our own files) is part of the text, as in Python's reader.
  return (doubled ? text.replaceAll('""', '"') : text) + bytes.toString('utf8', close + 1, to);
}
