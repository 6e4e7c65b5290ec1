import { encodeCell, encodeHeader } from '../../csv/encode.js';
import type { Column } from '../../csv/rows.js';
import type { OutputShape } from '../shape.js';
import { takesNullText } from './lines.js';

/**
 * The body of an answer in CSV or JSON around the lines of `compileLines`: the header, the row that `pad` asks for
 * where there is none, the brackets.
 */
export async function* answerBody(
  columns: readonly Column[],
  shape: OutputShape,
  lines: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  if (shape.format === 'json') yield* jsonBody(lines);
  else yield* csvBody(columns, shape, lines);
}

/** The same in one piece, around all lines of a small answer. `header`: that of the columns, if it is known. */
export function wholeBody(
  columns: readonly Column[],
  shape: OutputShape,
  lines: Buffer,
  header?: Buffer,
): Buffer {
  const isEmpty = lines.length === 0;
  if (shape.format === 'json') return isEmpty ? NO_ROWS : Buffer.concat([OPEN, lines.subarray(1), CLOSE]);
  const rows = isEmpty && shape.pad ? Buffer.from(emptyRow(columns, shape)) : lines;
  return Buffer.concat(shape.header ? [header ?? encodeHeader(columns, shape.delimiter), rows] : [rows]);
}

async function* csvBody(
  columns: readonly Column[],
  shape: OutputShape,
  lines: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  if (shape.header) yield encodeHeader(columns, shape.delimiter);
  let isEmpty = true;
  for await (const piece of lines) {
    isEmpty = false;
    yield piece;
  }
  if (isEmpty && shape.pad) yield Buffer.from(emptyRow(columns, shape));
}

/** One row without values, with its `\n`. */
function emptyRow(columns: readonly Column[], { delimiter, nullText }: OutputShape): string {
  const nothing = nullText === '' ? '' : encodeCell(nullText, delimiter);
  const cells = columns.map((column) => (takesNullText(column) ? nothing : ''));
  return `${cells.length === 1 ? cells[0] || '""' : cells.join(delimiter)}\n`;
}

/** Each line begins with a comma, of which the first has to go. */
async function* jsonBody(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let isFirst = true;
  for await (const piece of lines) {
    if (isFirst) yield Buffer.concat([OPEN, piece.subarray(1)]);
    else yield piece;
    isFirst = false;
  }
  yield isFirst ? NO_ROWS : CLOSE;
}

const OPEN = Buffer.from('[');
const CLOSE = Buffer.from('\n]\n');
const NO_ROWS = Buffer.from('[]\n');
