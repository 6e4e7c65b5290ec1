import { yieldToEventLoop } from '../base/event-loop.js';
import { decodeRow } from '../csv/decode.js';
import { Edits } from '../csv/edits.js';
import { encodeCell } from '../csv/encode.js';
import { placeLine, type RejectedLine } from '../csv/intact-rows.js';
import { BYTES_PER_SLICE, LineCounter, placeRow, type RowPlace } from '../csv/scan.js';
import { TimeReader } from './python-time.js';

/** The time column of the script's log, its last one. */
const SCRIPT_TIME_COLUMN = 'timestamp';

export interface ConversionOptions {
  /** A `log` has the script's `timestamp` as its last column; a `snapshot` has no times. */
  readonly kind: 'log' | 'snapshot';
  /** The log's time column as this service names it; default `timestamp`. */
  readonly timeColumn?: string;
  /** Attribute names to published column names. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** A file of the Python script, converted to this service's format. */
export interface Conversion {
  /** Header and rows; the given buffer itself if there was nothing to convert. */
  readonly bytes: Buffer;
  readonly rows: number;
  /** Rows whose time had another format. */
  readonly timesConverted: number;
  readonly rejected: readonly RejectedLine[];
}

/**
 * Converts a CSV file as the Python script wrote it: zoneless times, which are UTC, become ISO 8601 with milliseconds
 * and `Z`; a BOM, CRLF and blank lines go; malformed lines are moved aside. All other cells stay byte for byte.
 * Rows that are converted already are accepted. Yields to the event loop now and then.
 * Null if it is not such a file: empty, or a `log` whose last column is neither `timestamp` nor `timeColumn`.
 */
export async function convertPythonFile(
  bytes: Buffer,
  options: ConversionOptions,
): Promise<Conversion | null> {
  const header = readHeader(bytes, options);
  if (header === null) return null;
  const edits = new Edits(bytes);
  if (header.line !== null) edits.replace(0, header.end, header.line);
  const times = options.kind === 'log' ? new TimeReader() : null;
  const lines = new LineCounter(bytes);
  const rejected: RejectedLine[] = [];
  let rows = 0;
  let timesConverted = 0;
  let pause = BYTES_PER_SLICE;
  for (let at = header.end; at < bytes.length; ) {
    const row = placeRow(bytes, at) ?? placeLine(bytes, at);
    const reason = row.contentEnd === at ? 'a blank line' : reasonToReject(bytes, at, row, header, times);
    if (reason !== null) {
      edits.replace(at, row.end, NOTHING);
      if (row.contentEnd > at) {
        const text = Buffer.from(bytes.subarray(at, row.contentEnd));
        rejected.push({ line: lines.lineAt(at), reason, text });
      }
    } else {
      rows++;
      const time = times?.read(bytes.subarray(row.lastCell, row.contentEnd));
      if (time && !time.equals(bytes.subarray(row.lastCell, row.contentEnd))) {
        edits.replace(row.lastCell, row.contentEnd, time);
        timesConverted++;
      }
      if (row.contentEnd !== row.end - 1) edits.replace(row.contentEnd, row.end, LINE_END);
    }
    at = row.end;
    if (at >= pause) {
      await yieldToEventLoop();
      pause = at + BYTES_PER_SLICE;
    }
  }
  return { bytes: edits.finish(), rows, timesConverted, rejected };
}

const BOM = Buffer.from('\uFEFF');
const NOTHING = Buffer.alloc(0);
const LINE_END = Buffer.from('\n');

interface Header {
  /** Its original content. */
  readonly text: Buffer;
  readonly width: number;
  /** The offset after its line end. */
  readonly end: number;
  /** Its replacement; null if it stays. */
  readonly line: Buffer | null;
}

function readHeader(bytes: Buffer, options: ConversionOptions): Header | null {
  const start = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  const row = placeRow(bytes, start);
  if (row === null || row.contentEnd === start) return null;
  const text = bytes.subarray(start, row.contentEnd);
  const names = decodeRow(text).map((cell) => cell ?? '');
  const published = names.map((name) => options.rename?.[name] ?? name);
  if (options.kind === 'log') {
    const timeColumn = options.timeColumn ?? SCRIPT_TIME_COLUMN;
    const last = names.at(-1);
    if (last !== SCRIPT_TIME_COLUMN && last !== timeColumn) return null;
    published[published.length - 1] = timeColumn;
  }
  const isOurs = start === 0 && row.contentEnd === row.end - 1;
  const isRenamed = published.some((name, index) => name !== names[index]);
  const content = isRenamed ? published.map((name) => encodeCell(name)).join(',') : text;
  const line = isOurs && !isRenamed ? null : Buffer.concat([Buffer.from(content), LINE_END]);
  return { text, width: names.length, end: row.end, line };
}

function reasonToReject(
  bytes: Buffer,
  at: number,
  row: RowPlace,
  header: Header,
  times: TimeReader | null,
): string | null {
  if (row.cells === 0) return 'a quote that is never closed';
  if (row.cells !== header.width) return `${row.cells} cells where the header has ${header.width}`;
  if (bytes.subarray(at, row.contentEnd).equals(header.text)) return 'the header again';
  if (times !== null) {
    const isTime = times.read(bytes.subarray(row.lastCell, row.contentEnd)) !== null;
    return isTime ? null : 'a last cell that is not a time';
  }
  // Without a line end the last value may be truncated: `12` of `125`.
  return row.contentEnd === bytes.length ? 'a file that ends within it' : null;
}
