import type { ByteCell, ByteText } from './byte-text.js';
import { Declined } from './declined.js';

/** A line may have a quote or a CR: what has neither is nothing but cells between commas. */
const SPECIAL = /["\r]/;

/**
 * The cells of a CSV line without its `\n`. `isText`: whether `""` is a value in the column; in other
 * columns it is an absent one. Throws `Declined` for quotes and CRs that `src/csv/encode.ts` does not write.
 */
export function decodeLine(line: ByteText, isText: readonly boolean[]): ByteCell[] {
  if (SPECIAL.test(line)) return decodeQuoted(line, isText);
  const cells: ByteCell[] = line.split(',');
  for (let index = 0; index < cells.length; index++) if (cells[index] === '') cells[index] = null;
  return cells;
}

function decodeQuoted(line: ByteText, isText: readonly boolean[]): ByteCell[] {
  const cells: ByteCell[] = [];
  for (let at = 0; at <= line.length; ) {
    const isQuoted = line[at] === '"';
    const end = isQuoted ? closingQuote(line, at) + 1 : nextComma(line, at);
    if (end < line.length && line[end] !== ',') throw new Declined('text behind a closing quote');
    const cell = isQuoted ? line.slice(at + 1, end - 1).replaceAll('""', '"') : plainCell(line, at, end);
    cells.push(cell === '' && !(isQuoted && isText[cells.length]) ? null : cell);
    at = end + 1;
  }
  return cells;
}

function nextComma(line: ByteText, at: number): number {
  const comma = line.indexOf(',', at);
  return comma === -1 ? line.length : comma;
}

function plainCell(line: ByteText, at: number, end: number): ByteText {
  const cell = line.slice(at, end);
  if (SPECIAL.test(cell)) throw new Declined('a quote or a line end in a cell without quotes');
  return cell;
}

/** Where the quoted cell that begins at `at` has its last quote. */
function closingQuote(line: ByteText, at: number): number {
  for (let quote = line.indexOf('"', at + 1); quote !== -1; quote = line.indexOf('"', quote + 2)) {
    if (line[quote + 1] !== '"') return quote;
  }
  throw new Declined('a quote that is never closed');
}
