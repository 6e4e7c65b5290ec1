import { sameLayout } from '../../csv/columns.js';
import type { Column } from '../../csv/rows.js';
import { rowEnd } from '../../csv/scan.js';
import type { Parameters, Queries } from '../../datasets/queries.js';
import { dayKey, type Relation, type SealedDay } from '../../datasets/relation.js';
import { Declined } from './declined.js';
import { IndexedRows, type Rows } from './rows.js';

/** When a local day begins and ends, in milliseconds since the epoch. */
export interface DayBounds {
  readonly from: number;
  readonly to: number;
}

/** Identifies what a sealed day has: its rows never change. */
export function keyOfDay({ name }: Relation, day: SealedDay): string {
  return `${name}\n${dayKey(day)}`;
}

/** Identifies rows that are being read: those of the same days in other columns are others. */
export function keyOfRows(dataset: Relation, days: readonly SealedDay[], columns: readonly Column[]): string {
  return [...days.map((day) => keyOfDay(dataset, day)), JSON.stringify(columns)].join('\n');
}

/** Bytes that rows take in memory. */
export function memoryOf({ body, ends, times }: Rows): number {
  return body.length + ends.byteLength + (times?.byteLength ?? 0) + 1;
}

/**
 * The rows of a window, asked of DuckDB, in memory; null if they are more than `most` bytes, not in the order of time, or
 * in a form that only DuckDB can read. Rejects as `Query.run` does.
 */
export async function rowsOfWindow(
  next: Queries,
  dataset: Relation,
  parameters: Parameters,
  columns: readonly Column[],
  most: number,
): Promise<Rows | null> {
  const lines = await linesOfWindow(next, dataset, parameters, columns, most);
  if (lines === null) return null;
  try {
    const rows = (await IndexedRows.of(columns, dataset.timeColumn, lines)).now;
    return rows.isInOrder ? rows : null;
  } catch (error) {
    if (error instanceof Declined) return null;
    throw error;
  }
}

/** All rows of a window as CSV lines; null if they are too many, or have got other columns meanwhile. */
async function linesOfWindow(
  next: Queries,
  dataset: Relation,
  parameters: Parameters,
  columns: readonly Column[],
  most: number,
): Promise<Buffer | null> {
  const query = await next.window(dataset, parameters);
  const { columns: found, body } = await query.run(new AbortController().signal);
  if (!sameLayout(found, columns)) return null;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > most) return null;
  }
  const whole = Buffer.concat(pieces);
  return whole.subarray(rowEnd(whole, 0));
}
