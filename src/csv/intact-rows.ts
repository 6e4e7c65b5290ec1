import { yieldToEventLoop } from '../base/event-loop.js';
import type { SplitCsv } from './decode.js';
import { decodeRow } from './decode.js';
import { Edits } from './edits.js';
import { encodeCell } from './encode.js';
import { TIME_LENGTH, timeOfRow } from './row-time.js';
import { BYTES_PER_SLICE, LF, LineCounter, Offsets, placeRow, type RowPlace } from './scan.js';

/** A line that is not a valid row of its file: damaged, torn, of another width, or without a time. */
export interface RejectedLine {
  /** The line number, from 1, as in an editor. */
  readonly line: number;
  /** Completes the sentence "it was moved aside because of …". */
  readonly reason: string;
  /** Its original bytes, without the line end. */
  readonly text: Buffer;
}

/** Lines that were moved aside, as a CSV of its own: line, reason, text. */
export function encodeRejectedLines(lines: readonly RejectedLine[]): Buffer {
  const rows = lines.flatMap(({ line, reason, text }) => [
    Buffer.from(`${line},${encodeCell(reason)},"`),
    doubleQuotes(text),
    Buffer.from('"\n'),
  ]);
  return Buffer.concat([Buffer.from('line,reason,text\n'), ...rows]);
}

/** Works on bytes, because the line may not be valid UTF-8. */
function doubleQuotes(text: Buffer): Buffer {
  return Buffer.from(text.toString('latin1').replaceAll('"', '""'), 'latin1');
}

/** A row with an unclosed quote would swallow all following lines: only its first line is rejected. */
export function placeLine(bytes: Buffer, at: number): RowPlace {
  const lineFeed = bytes.indexOf(LF, at);
  const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
  return { end, contentEnd: lineFeed < 0 ? end : lineFeed, cells: 0, lastCell: at };
}

const BOM = Buffer.from('\uFEFF');
const NOTHING = Buffer.alloc(0);
const LINE_END = Buffer.from('\n');

/**
 * The intact rows of a log or of changes, and the rejected lines: a row that is too wide or too
 * narrow, has a quote that is never closed, or does not end with a time is rejected. A BOM, CRLF line ends and blank
 * lines are accepted, as in `splitRows`. Null without a header. Yields to the event loop now and then.
 */
export async function splitIntactRows(
  bytes: Buffer,
): Promise<(SplitCsv & { readonly rejected: readonly RejectedLine[] }) | null> {
  const start = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  const head = placeRow(bytes, start);
  if (head === null || head.contentEnd === start || head.end === head.contentEnd) return null;
  const header = decodeRow(bytes.subarray(start, head.contentEnd)).map((cell) => cell ?? '');
  const rows = bytes.subarray(head.end);
  const edits = new Edits(rows);
  const ends = new Offsets();
  const lines = new LineCounter(bytes);
  const rejected: RejectedLine[] = [];
  let size = 0;
  let pause = BYTES_PER_SLICE;
  for (let at = 0; at < rows.length; ) {
    const row = placeRow(rows, at) ?? placeLine(rows, at);
    const reason = reasonToReject(rows, at, row, header.length);
    // A damaged quote can join a row to the following lines, which may be intact.
    const { end, contentEnd } = reason === null ? row : placeLine(rows, at);
    if (reason !== null) {
      const text = Buffer.from(rows.subarray(at, contentEnd));
      rejected.push({ line: lines.lineAt(head.end + at), reason, text });
      edits.replace(at, end, NOTHING);
    } else if (contentEnd === at) {
      edits.replace(at, end, NOTHING);
    } else {
      if (contentEnd !== end - 1) edits.replace(contentEnd, end, LINE_END);
      size += contentEnd - at + 1;
      ends.push(size);
    }
    at = end;
    if (at >= pause) {
      await yieldToEventLoop();
      pause = at + BYTES_PER_SLICE;
    }
  }
  return { header, body: edits.finish(), ends: ends.toArray(), rejected };
}

function reasonToReject(rows: Buffer, at: number, row: RowPlace, width: number): string | null {
  if (row.contentEnd === at) return null;
  if (row.cells === 0) return 'a quote that is never closed';
  if (row.cells !== width) return `${row.cells} cells where the header has ${width}`;
  if (row.contentEnd === row.end) return 'a file that ends within it';
  const isTime =
    row.contentEnd - row.lastCell === TIME_LENGTH && timeOfRow(rows.subarray(at, row.contentEnd + 1)) > 0;
  return isTime ? null : 'a last cell that is not a time';
}
