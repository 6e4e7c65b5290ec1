import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import { CR, QUOTE } from '../../csv/scan.js';
import type { Answer } from '../../datasets/queries.js';
import { placedGroups } from '../aggregate/groups.js';
import { answerBody, csvBytes } from '../compile/answer-body.js';
import type { OutputShape } from '../shape.js';
import type { TimeRange, Window } from '../window.js';
import { groupsOf } from './aggregate.js';
import type { ByteCell } from './byte-text.js';
import { decodeLine } from './decode-line.js';
import { lastOfSteps } from './every.js';
import { cellTest } from './filters.js';
import { keysOfAny, type Row } from './order.js';
import { pivotRows } from './pivot.js';
import { isVerbatim, keepsOrder, type Slice } from './slice.js';
import { finished, linesOf, type Table } from './table.js';

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 128;

/** A window with the rows that it is answered from. */
export interface DirectQuestion {
  readonly window: Window;
  readonly shape: OutputShape;
  readonly slice: Slice;
  readonly localDays: LocalDays;
}

/**
 * Answers a window from rows in memory, with the bytes that DuckDB would answer with. Yields to the event loop.
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
  const table = await answerTable(await chosenRows(question, signal), question);
  return { columns: table.columns, body: answerBody(table.columns, shape, linesOf(table, shape, signal)) };
}

/** Bytes of lines that are copied at once, in some 20 µs. */
const MOST_AT_ONCE = 1 << 15;

/** The answer in one piece, if it is no more than a few lines in memory; null: use `directAnswer`. */
export function answerAtOnce({ window, shape, slice }: DirectQuestion): Buffer | null {
  const { rows, from, to } = slice;
  if (!isVerbatim(window, shape, slice)) return null;
  if (startOf(rows.ends, to) - startOf(rows.ends, from) > MOST_AT_ONCE) return null;
  const lines = bytesOf(slice);
  return lines === null ? null : csvBytes(rows.columns, shape, lines);
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
function mostRows(window: Window, { offset, limit }: Slice): number {
  if (limit === null || !keepsOrder(window)) return Number.POSITIVE_INFINITY;
  return offset + limit;
}

/** `every`, `agg`, `pivot`, `sort`, `offset` and `limit`, `columns`. */
async function answerTable(chosen: readonly Row[], question: DirectQuestion): Promise<Table> {
  const { window, slice, localDays } = question;
  const breathe = createYielder();
  if (window.aggregation !== null) {
    const groups = await groupsOf(chosen, window, localDays);
    return finished(await placedGroups(groups, window, localDays), window, slice, keysOfAny);
  }
  const table = placedRows(chosen, question);
  await breathe();
  return finished(table, window, slice);
}

function placedRows(rows: readonly Row[], { window, localDays }: DirectQuestion): Table {
  if (window.pivot !== null) return pivotRows(rows, window, localDays);
  const { columns } = window.dataset;
  return { columns, rows: window.every === null ? rows : lastOfSteps(rows, window, localDays) };
}
