import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import type { Column } from '../../csv/rows.js';
import { CR, QUOTE } from '../../csv/scan.js';
import type { Answer } from '../../datasets/queries.js';
import { answerBody } from '../compile/answer-body.js';
import type { OutputShape } from '../shape.js';
import type { TimeRange, Window } from '../window.js';
import type { ByteCell } from './byte-text.js';
import { decodeLine } from './decode-line.js';
import { lastOfSteps } from './every.js';
import { cellTest } from './filters.js';
import { type Row, sortRows } from './order.js';
import { pivotRows } from './pivot.js';
import { isVerbatim, type Slice } from './slice.js';
import { lineWriter } from './write-lines.js';

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 128;
/** Characters of an answer that become bytes at a time. */
const PIECE = 1 << 16;

/** A window with the rows that it is answered from. */
export interface DirectQuestion {
  readonly window: Window;
  readonly shape: OutputShape;
  readonly slice: Slice;
  readonly localDays: LocalDays;
}

/**
 * Answers a window from rows in memory, with the bytes that DuckDB would answer with. Gives way to the event loop.
 * Rejects with `Declined` for cells that only DuckDB can read, with `BAD_PARAMETER` for a pivot into too many columns,
 * and with the signal's reason.
 */
export async function directAnswer(question: DirectQuestion, signal: AbortSignal): Promise<Answer> {
  const { window, shape, slice } = question;
  const verbatim = isVerbatim(window, shape, slice) ? bytesOf(slice) : null;
  if (verbatim !== null) {
    const { columns } = slice.rows;
    return { columns, body: answerBody(columns, shape, piecesOf(verbatim)) };
  }
  const { columns, rows } = await answerRows(await chosenRows(question, signal), question);
  return { columns, body: answerBody(columns, shape, linesOf(columns, rows, shape, signal)) };
}

/** The lines of a slice; null where a cell in quotes may have to be written in another way. */
function bytesOf({ rows: { body, ends }, from, to }: Slice): Buffer | null {
  const bytes = body.subarray(startOf(ends, from), startOf(ends, to));
  return bytes.includes(QUOTE) || bytes.includes(CR) ? null : bytes;
}

function startOf(ends: Uint32Array, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  if (bytes.length > 0) yield bytes;
}

/** The rows of the window's time that its filters keep. */
async function chosenRows({ window, slice }: DirectQuestion, signal: AbortSignal): Promise<readonly Row[]> {
  const { body, ends, times, columns } = slice.rows;
  const isText = columns.map(({ type, seen }) => type === 'string' && seen);
  const keeps = filterOf(window);
  const most = mostRows(window, slice);
  const chosen: Row[] = [];
  const breathe = createYielder();
  for (let row = slice.from; row < slice.to && chosen.length < most; row++) {
    if (row % ROWS_PER_LOOK === 0) {
      await breathe();
      signal.throwIfAborted();
    }
    const time = times === null ? Number.NaN : times[row]!;
    if (slice.time !== null && !isIn(slice.time, time)) continue;
    const cells = decodeLine(body.toString('latin1', startOf(ends, row), ends[row]! - 1), isText);
    if (keeps(cells)) chosen.push({ cells, time });
  }
  return chosen;
}

/** A row without a time is in no range. */
function isIn({ from, to }: TimeRange, time: number): boolean {
  return time >= (from ?? Number.NEGATIVE_INFINITY) && time < (to ?? Number.POSITIVE_INFINITY);
}

function filterOf({ filters, dataset }: Window): (cells: readonly ByteCell[]) => boolean {
  const tests = filters.map((filter) => {
    const index = dataset.columns.findIndex(({ name }) => name === filter.column);
    return { index, test: cellTest(filter, dataset.columns[index]!) };
  });
  return (cells: readonly ByteCell[]) => tests.every(({ index, test }) => test(cells[index]!));
}

/** Rows behind these change nothing, where rows are taken as they stand. */
function mostRows({ every, pivot, sort }: Window, { offset, limit }: Slice): number {
  if (limit === null || every !== null || pivot !== null || sort.length > 0) return Number.POSITIVE_INFINITY;
  return offset + limit;
}

interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** `every`, `pivot`, `sort`, `offset` and `limit`, `columns`. */
async function answerRows(chosen: readonly Row[], question: DirectQuestion): Promise<Table> {
  const { window, slice } = question;
  const { offset, limit } = slice;
  const breathe = createYielder();
  const table = placedRows(chosen, question);
  await breathe();
  const rows = sorted(table, window);
  await breathe();
  const page = rows.slice(offset, limit === null ? undefined : offset + limit);
  return shown({ columns: table.columns, rows: page }, window);
}

function placedRows(rows: readonly Row[], { window, localDays }: DirectQuestion): Table {
  if (window.pivot !== null) return pivotRows(rows, window, localDays);
  const { columns } = window.dataset;
  return { columns, rows: window.every === null ? rows : lastOfSteps(rows, window, localDays) };
}

function sorted({ columns, rows }: Table, { sort }: Window): readonly Row[] {
  const orders = sort.flatMap(({ column: name, descending }) => {
    const index = columns.findIndex((column) => column.name === name);
    // A pivot's column that no row has today has nothing to sort by.
    return index === -1 ? [] : [{ column: columns[index]!, index, descending }];
  });
  return sortRows(rows, orders);
}

function shown({ columns, rows }: Table, window: Window): Table {
  if (window.columns === null) return { columns, rows };
  const indexes = window.columns.map((name) => columns.findIndex((column) => column.name === name));
  return {
    columns: indexes.map((index) => columns[index]!),
    rows: rows.map(({ cells, time }) => ({ cells: indexes.map((index) => cells[index]!), time })),
  };
}

async function* linesOf(
  columns: readonly Column[],
  rows: readonly Row[],
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
