import type { LocalDays } from '../../base/local-days.js';
import { atOnce, inSlices, type Pausable } from '../../base/pausable.js';
import { encodeHeader } from '../../csv/encode.js';
import type { Column } from '../../csv/rows.js';
import { CR, QUOTE } from '../../csv/scan.js';
import type { Answer } from '../../datasets/queries.js';
import { placedGroups } from '../aggregate/groups.js';
import { answerBody, wholeBody } from '../compile/answer-body.js';
import type { OutputShape } from '../shape.js';
import type { Window } from '../window.js';
import { groupsOf } from './aggregate.js';
import type { ByteCell } from './byte-text.js';
import { Declined } from './declined.js';
import { decodeLine } from './decode-line.js';
import { lastOfSteps } from './every.js';
import { cellTest } from './filters.js';
import { keysOfAny, type Row } from './order.js';
import { pivotRows } from './pivot.js';
import { isSkimmed, lastPlaces } from './skim.js';
import { isVerbatim, keepsOrder, rangesOf, rowsOf, type Slice, sizeOf } from './slice.js';
import { allLines, finished, linesOf, type Table } from './table.js';

/** Rows between two pauses. */
const ROWS_PER_PAUSE = 128;

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
  const table = await inSlices(answerTable(question), signal);
  return { columns: table.columns, body: answerBody(table.columns, shape, linesOf(table, shape, signal)) };
}

/** Bytes of lines that are copied at once, in some 20 µs. */
const MOST_BYTES = 1 << 15;
/** Rows that are decoded, placed and written at once, in some 200 µs. */
const MOST_ROWS = 128;

/**
 * The answer in one piece if that takes less than a millisecond; null: use `directAnswer`, also for cells that only
 * DuckDB can read. Throws `BAD_PARAMETER` as that does.
 */
export function answerAtOnce(question: DirectQuestion): Buffer | null {
  const { window, shape, slice } = question;
  const { columns } = slice.rows;
  // A row has a byte at least: whether there are too many rows is seen without counting their bytes.
  if (slice.to - slice.from > MOST_BYTES || sizeOf(slice) > MOST_BYTES) return null;
  if (isVerbatim(window, shape)) {
    const lines = bytesOf(slice);
    if (lines !== null) return wholeBody(columns, shape, lines, headerOf(columns));
  }
  // A few rows may be filled up to many.
  if (slice.to - slice.from > MOST_ROWS || window.aggregation?.fill != null) return null;
  try {
    const table = atOnce(answerTable(question));
    return wholeBody(table.columns, shape, allLines(table, shape));
  } catch (error) {
    if (error instanceof Declined) return null;
    throw error;
  }
}

/** Headers of datasets: a window of them costs little more than theirs. */
const headers = new WeakMap<readonly Column[], Buffer>();

function headerOf(columns: readonly Column[]): Buffer {
  let header = headers.get(columns);
  if (header === undefined) {
    header = encodeHeader(columns);
    headers.set(columns, header);
  }
  return header;
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
function* chosenRows({ window, slice, localDays }: DirectQuestion): Pausable<readonly Row[]> {
  const { body, ends, times, columns } = slice.rows;
  const isText = columns.map(({ type, seen }) => type === 'string' && seen);
  const keeps = filterOf(window);
  const most = mostRows(window, slice);
  const chosen: Row[] = [];
  const places = isSkimmed(window, slice) ? yield* lastPlaces(slice, window, localDays) : rowsOf(slice);
  let seen = 0;
  for (const row of places) {
    if (chosen.length >= most) break;
    if (seen++ % ROWS_PER_PAUSE === 0) yield;
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

/** Filters, `every`, `agg`, `pivot`, `sort`, `offset` and `limit`, `columns`. */
function* answerTable(question: DirectQuestion): Pausable<Table> {
  const { window, slice, localDays } = question;
  const chosen = yield* chosenRows(question);
  if (window.aggregation !== null) {
    const groups = yield* groupsOf(chosen, window, localDays);
    return yield* finished(yield* placedGroups(groups, window, localDays), window, slice, keysOfAny);
  }
  return yield* finished(yield* placedRows(chosen, question), window, slice);
}

function* placedRows(rows: readonly Row[], { window, localDays }: DirectQuestion): Pausable<Table> {
  if (window.pivot !== null) return yield* pivotRows(rows, window, localDays);
  const { columns } = window.dataset;
  return { columns, rows: window.every === null ? rows : yield* lastOfSteps(rows, window, localDays) };
}
