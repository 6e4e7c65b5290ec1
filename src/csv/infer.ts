import { yieldToEventLoop } from '../base/event-loop.js';
import { decodeRow, type SplitCsv } from './decode.js';
import type { Column, ColumnType } from './rows.js';
import { BYTES_PER_SLICE, cellEnd, QUOTE } from './scan.js';

/** A number as Python, JSON or we write one. */
const NUMBER = /^-?\d+(\.\d*)?([eE][+-]?\d+)?$/;

/**
 * The types that a file's values have, for a file about which nothing else is known: `number` or `boolean` when all
 * values are, `time` for `timeColumn`, else `string`; a column without a value is not seen. Lets the event loop run.
 */
export async function inferColumns(file: SplitCsv, timeColumn: string | null = null): Promise<Column[]> {
  const { header, body } = file;
  const types: (ColumnType | null)[] = header.map(() => null);
  const isTime = header.map((name) => name === timeColumn);
  let pause = BYTES_PER_SLICE;
  for (let at = 0; at < body.length; ) {
    for (let cell = 0; cell < header.length; cell++) {
      const end = cellEnd(body, at);
      if (end > at && types[cell] !== 'string' && !isTime[cell]) {
        const type = typeOf(body, at, end);
        types[cell] = types[cell] === null || types[cell] === type ? type : 'string';
      } else if (end > at && isTime[cell]) {
        types[cell] = 'time';
      }
      at = end + 1;
    }
    if (at >= pause) {
      await yieldToEventLoop();
      pause = at + BYTES_PER_SLICE;
    }
  }
  return header.map((name, cell) => ({ name, type: types[cell] ?? 'string', seen: types[cell] !== null }));
}

function typeOf(bytes: Buffer, from: number, end: number): ColumnType {
  if (isDigits(bytes, from, end)) return 'number';
  const text =
    bytes[from] === QUOTE
      ? (decodeRow(bytes.subarray(from, end))[0] ?? '')
      : bytes.toString('latin1', from, end);
  if (NUMBER.test(text)) return 'number';
  return text === 'true' || text === 'false' ? 'boolean' : 'string';
}

/** Nearly every number is nothing but digits, and that is quickly seen. */
function isDigits(bytes: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false;
  }
  return true;
}
