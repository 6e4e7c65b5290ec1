import { createYielder } from '../../base/event-loop.js';
import { mapped, type Pausable } from '../../base/pausable.js';
import type { Column } from '../../csv/rows.js';
import type { OutputShape } from '../shape.js';
import type { Window } from '../window.js';
import { type KeysOf, keysOf, type Row, sortRows } from './order.js';
import { lineWriter } from './write-lines.js';

/** Characters of an answer that become bytes at a time. */
const PIECE = 1 << 16;

/** Rows with a cell for each column. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** `sort`, `offset` and `limit`, `columns`. `page`: what is left to be done of `offset` and `limit`. */
export function* finished(
  table: Table,
  window: Window,
  page: Pick<Window, 'offset' | 'limit'>,
  keys: KeysOf = keysOf,
): Pausable<Table> {
  const { offset, limit } = page;
  const rows = yield* inOrder(table, window, keys);
  const kept = rows.slice(offset, limit === null ? undefined : offset + limit);
  return yield* shown({ columns: table.columns, rows: kept }, window);
}

function inOrder({ columns, rows }: Table, { sort }: Window, keys: KeysOf): Pausable<readonly Row[]> {
  const orders = sort.flatMap(({ column: name, descending }) => {
    const index = columns.findIndex((column) => column.name === name);
    // A pivot's column that no row has today has nothing to sort by.
    return index === -1 ? [] : [{ column: columns[index]!, index, descending }];
  });
  return sortRows(rows, orders, keys);
}

function* shown({ columns, rows }: Table, window: Window): Pausable<Table> {
  if (window.columns === null) return { columns, rows };
  const indexes = window.columns.map((name) => columns.findIndex((column) => column.name === name));
  return {
    columns: indexes.map((index) => columns[index]!),
    rows: yield* mapped(rows, ({ cells, time }) => ({ cells: indexes.map((index) => cells[index]!), time })),
  };
}

/** All lines of a small answer. */
export function allLines({ columns, rows }: Table, shape: OutputShape): Buffer {
  const write = lineWriter(columns, shape);
  let text = '';
  for (const { cells } of rows) text += write(cells);
  return Buffer.from(text, 'latin1');
}

/** The lines of an answer in CSV or JSON, see `answerBody`. */
export async function* linesOf(
  { columns, rows }: Table,
  shape: OutputShape,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const write = lineWriter(columns, shape);
  const breathe = createYielder();
  let text = '';
  for (const { cells } of rows) {
    text += write(cells);
    if (text.length < PIECE) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
    await breathe();
    signal.throwIfAborted();
  }
  if (text !== '') yield Buffer.from(text, 'latin1');
}
