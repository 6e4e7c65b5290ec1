import { createYielder } from '../base/event-loop.js';
import { decodeRow, type SplitCsv } from './decode.js';
import { isNumberText } from './fits.js';
import type { Column, ColumnType, EncodedRows } from './rows.js';
import { cellEnd, QUOTE } from './scan.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/**
 * Infers the types of the `wanted` columns (by default all) from their cells, for a file about which nothing else is
 * known: a lookup, a restored folder, the Python script's file. `number`, `boolean` or `time` (ISO 8601 with `Z`) if all
 * values are, otherwise `string`; a column without values is not seen. Other columns stay. Yields to the event loop.
 */
export async function inferColumns(
  rows: EncodedRows,
  wanted: ReadonlySet<string> = new Set(rows.columns.map(({ name }) => name)),
): Promise<readonly Column[]> {
  if (wanted.size === 0) return rows.columns;
  const isWanted = rows.columns.map(({ name }) => wanted.has(name));
  const types: (ColumnType | null)[] = isWanted.map(() => null);
  const breathe = createYielder();
  let at = 0;
  for (let row = 0; row < rows.ends.length; row++) {
    if ((row & 255) === 0) await breathe();
    for (let cell = 0; cell < types.length; cell++) {
      const end = cellEnd(rows.body, at);
      if (end > at && isWanted[cell] && types[cell] !== 'string') {
        const type = typeOf(rows.body, at, end);
        types[cell] = types[cell] === null || types[cell] === type ? type : 'string';
      }
      at = end + 1;
    }
  }
  return rows.columns.map((column, cell) =>
    isWanted[cell]
      ? { name: column.name, type: types[cell] ?? 'string', seen: types[cell] !== null }
      : column,
  );
}

/** A split file as rows without known types. */
export function untyped({ header, body, ends }: SplitCsv): EncodedRows {
  return { columns: header.map((name) => ({ name, type: 'string', seen: false })), body, ends };
}

function typeOf(bytes: Buffer, from: number, end: number): ColumnType {
  if (isDigits(bytes, from, end)) return 'number';
  const text =
    bytes[from] === QUOTE
      ? (decodeRow(bytes.subarray(from, end))[0] ?? '')
      : bytes.toString('latin1', from, end);
  if (isNumberText(text)) return 'number';
  if (text === 'true' || text === 'false') return 'boolean';
  return TIME.test(text) ? 'time' : 'string';
}

/** A fast path: nearly every number is digits only. */
function isDigits(bytes: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return false;
  }
  return true;
}
