import { createYielder } from '../base/event-loop.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import type { Column, ColumnType, EncodedRows } from '../csv/rows.js';

const NUMBER = /^-?\d+(\.\d+)?$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/**
 * The types of `wanted` columns read off their cells, for files that came without our notes (the Python script's, a
 * lookup, a restored folder). The other columns stay as they are. Gives way to the event loop.
 */
export async function typesFromCells(
  rows: EncodedRows,
  wanted: ReadonlySet<string>,
): Promise<readonly Column[]> {
  if (wanted.size === 0) return rows.columns;
  const found = new Map<number, ColumnType>();
  const indexes = rows.columns.flatMap((column, index) => (wanted.has(column.name) ? [index] : []));
  const breathe = createYielder();
  for (let row = 0; row < rows.ends.length; row++) {
    if ((row & 255) === 0) await breathe();
    const cells = decodeRow(rowAt(rows, row));
    for (const index of indexes) {
      const cell = cells[index] ?? null;
      if (cell === null) continue;
      const type = typeOf(cell);
      const before = found.get(index) ?? type;
      found.set(index, before === type ? type : 'string');
    }
  }
  return rows.columns.map((column, index) =>
    wanted.has(column.name)
      ? { name: column.name, type: found.get(index) ?? 'string', seen: found.has(index) }
      : column,
  );
}

function typeOf(cell: string): ColumnType {
  if (NUMBER.test(cell)) return 'number';
  if (cell === 'true' || cell === 'false') return 'boolean';
  return TIME.test(cell) ? 'time' : 'string';
}
