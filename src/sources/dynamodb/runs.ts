import { bodyBehindHeader } from '../../csv/encode.js';
import { relayout } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import type { SortKeys } from './keys.js';
import type { MetKind } from './layout.js';
import { compareKeys, copyRow } from './sort.js';

/** A part of a table, encoded and in key order: the result of one thread's segments. */
export interface Run {
  readonly rows: EncodedRows;
  readonly keys: SortKeys;
  /** Which attribute each column's values came from, by column name. */
  readonly origins: ReadonlyMap<string, string>;
  /** The first value of each kind of each column. */
  readonly met: readonly MetKind[];
}

/** Rows in key order. */
export type SortedRows = Pick<Run, 'rows' | 'keys'>;

/** Several runs merged, and for each run the new indexes of its rows. */
export interface MergedRuns extends SortedRows {
  readonly places: readonly Uint32Array[];
}

/** All rows of the runs in key order, under `columns` (a superset of every run's columns). */
export function mergeRuns(runs: readonly SortedRows[], columns: readonly Column[]): MergedRuns {
  const parts = runs.map(({ rows, keys }) => ({ rows: { ...relayout(rows, columns), columns }, keys }));
  return parts.length === 1 ? { ...parts[0]!, places: [identity(parts[0]!)] } : merged(parts, columns);
}

function identity({ keys }: SortedRows): Uint32Array {
  return Uint32Array.from(keys.ends, (_, index) => index);
}

function merged(parts: readonly SortedRows[], columns: readonly Column[]): MergedRuns {
  const count = sum(parts.map(({ keys }) => keys.ends.length));
  const body = bodyBehindHeader(columns, sum(parts.map(({ rows }) => rows.body.length)));
  const bytes = Buffer.allocUnsafeSlow(sum(parts.map(({ keys }) => keys.ends.at(-1) ?? 0)));
  const ends = new Uint32Array(count);
  const keyEnds = new Uint32Array(count);
  const places = parts.map(({ keys }) => new Uint32Array(keys.ends.length));
  const next = parts.map(() => 0);
  let length = 0;
  let keyLength = 0;
  for (let index = 0; index < count; index += 1) {
    const from = lowest(parts, next);
    const { rows, keys } = parts[from]!;
    const row = next[from]!++;
    places[from]![row] = index;
    length = copyRow(rows.body, rows.ends, row, body, length);
    ends[index] = length;
    keyLength = copyRow(keys.bytes, keys.ends, row, bytes, keyLength);
    keyEnds[index] = keyLength;
  }
  return { rows: { columns, body, ends }, keys: { bytes, ends: keyEnds }, places };
}

/** The part whose next row comes first. There are only as many parts as threads, so a linear search is quick. */
function lowest(parts: readonly SortedRows[], next: readonly number[]): number {
  let best = -1;
  for (let index = 0; index < parts.length; index += 1) {
    const { keys } = parts[index]!;
    if (next[index]! === keys.ends.length) continue;
    if (best < 0 || compareKeys(keys, next[index]!, parts[best]!.keys, next[best]!) < 0) best = index;
  }
  return best;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
