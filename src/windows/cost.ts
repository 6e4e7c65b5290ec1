import { isSkimmed } from './direct/skim.js';
import { isVerbatim, type Slice, sizeOf } from './direct/slice.js';
import type { OutputShape } from './shape.js';
import type { Window } from './window.js';

/*
 * What a window costs when it is computed on the event loop, measured on one core of a small machine
 * (`npm run bench windows`). DuckDB takes 5 to 10 ms for the smallest window, most of it to plan the statement, but its
 * rows cost a tenth, and not on the event loop. So the event loop takes what costs up to a few times DuckDB's planning, and
 * DuckDB everything else.
 */

/** Microseconds of the event loop that a window may take in all, in slices of 8 ms. */
export const MOST_DIRECT = 25_000;

/** To search a line for quotes, and to copy it. */
const PER_COPIED_BYTE = 0.0005;
/** To copy a row that is not next to another one of the window. */
const PER_PICKED_ROW = 0.2;
/** To split, test and write a line. */
const PER_ROW = 0.6;
const PER_CELL = 0.12;
const PER_BYTE = 0.004;
/** To place a row by `sort`, `every` or `pivot`. */
const PER_PLACED_ROW = 0.8;

/** To look at a row's time and series. */
const PER_SKIMMED_ROW = 0.4;

/** To keep and to sort a value for an aggregate. */
const PER_AGGREGATED_CELL = 0.8;

/** Microseconds of the event loop that a window takes, estimated from the rows that have to be scanned. */
export function directCost(window: Window, shape: OutputShape, slice: Slice): number {
  const { rows, picked, from, to } = slice;
  const count = to - from;
  const bytes = sizeOf(slice);
  if (isVerbatim(window, shape)) {
    return bytes * PER_COPIED_BYTE + (picked === null ? 0 : count * PER_PICKED_ROW);
  }
  if (isSkimmed(window, slice)) return count * PER_SKIMMED_ROW;
  const isPlaced = window.sort.length > 0 || window.every !== null || window.pivot !== null;
  const isGrouped = window.aggregation !== null;
  const aggregated = (window.aggregation?.aggregates.length ?? 0) * PER_AGGREGATED_CELL;
  const perRow =
    PER_ROW + rows.columns.length * PER_CELL + (isPlaced || isGrouped ? PER_PLACED_ROW : 0) + aggregated;
  return count * perRow + bytes * PER_BYTE;
}
