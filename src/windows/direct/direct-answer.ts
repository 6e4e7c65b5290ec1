import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import { CR, QUOTE } from '../../csv/scan.js';
import type { Answer } from '../../datasets/queries.js';
import { placedGroups } from '../aggregate/groups.js';
import { answerBody } from '../compile/answer-body.js';
import type { OutputShape } from '../shape.js';
import type { Window } from '../window.js';
import { groupsOf } from './aggregate.js';
import type { ByteCell } from './byte-text.js';
import { decodeLine } from './decode-line.js';
import { lastOfSteps } from './every.js';
import { cellTest } from './filters.js';
import { keysOfAny, type Row } from './order.js';
import { pivotRows } from './pivot.js';
import { isVerbatim, keepsOrder, rangesOf, rowsOf, type Slice } from './slice.js';
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
  const verbatim = isVerbatim(window, shape) ? bytesOf(slice) : null;
  if (verbatim !== null) {
    const { columns } = slice.rows;
    return { columns, body: answerBody(columns, shape, piecesOf(verbatim)) };
  }
  const table = await answerTable(await chosenRows(question, signal), question);
  return { columns: table.columns, body: answerBody(table.columns, shape, linesOf(table, shape, signal)) };
}

/** The lines of a slice; null where a cell in quotes may have to be written in another way. */
function bytesOf(slice: Slice): Buffer | null {
  const parts = rangesOf(slice).map(({ from, to }) => slice.rows.body.subarray(from, to));
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
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
  let seen = 0;
  for (const row of rowsOf(slice)) {
    if (chosen.length >= most) break;
    if (seen++ % ROWS_PER_LOOK === 0) {
      await breathe();
      signal.throwIfAborted();
    }
    const time = times === null ? Number.NaN : times[row]!;
    const cells = decodeLine(body.toString('latin1', startOf(ends, row), ends[row]! - 1), isText);
    if (keeps(cells)) chosen.push({ cells, time });
  }
  return chosen;
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
