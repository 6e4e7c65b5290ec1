import { relayout } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import type { SortKeys } from './keys.js';
import type { MetKind } from './layout.js';
import { compareKeys, copyRow } from './sort.js';

/** A part of a table, encoded and in key order: what one thread makes of the segments it read. */
export interface Run {
  readonly rows: EncodedRows;
  readonly keys: SortKeys;
  /** Which attribute each column's values came from, by column name. */
  readonly origins: ReadonlyMap<string, string>;
  /** The first value of each kind of each column. */
  readonly met: readonly MetKind[];
}

/** All rows of the runs in key order, under `columns` (a superset of every run's columns). */
export function mergeRuns(runs: readonly Run[], columns: readonly Column[]): EncodedRows {
  const parts = runs.map((run) => ({ rows: relayout(run.rows, [...columns]), keys: run.keys }));
  if (parts.length === 1) return { ...parts[0]!.rows, columns };
  return merged(parts, columns);
}

type Part = Pick<Run, 'rows' | 'keys'>;

function merged(parts: readonly Part[], columns: readonly Column[]): EncodedRows {
  const body = Buffer.allocUnsafeSlow(parts.reduce((sum, { rows }) => sum + rows.body.length, 0));
  const ends = new Uint32Array(parts.reduce((sum, { rows }) => sum + rows.ends.length, 0));
  const next = parts.map(() => 0);
  let length = 0;
  for (let index = 0; index < ends.length; index += 1) {
    const from = lowest(parts, next);
    const { rows } = parts[from]!;
    length = copyRow(rows.body, rows.ends, next[from]!++, body, length);
    ends[index] = length;
  }
  return { columns, body, ends };
}

/** The part whose next row comes first. Parts are as few as threads, so looking at each is quick. */
function lowest(parts: readonly Part[], next: readonly number[]): number {
  let best = -1;
  for (let index = 0; index < parts.length; index += 1) {
    const { keys } = parts[index]!;
    if (next[index]! === keys.ends.length) continue;
    if (best < 0 || compareKeys(keys, next[index]!, parts[best]!.keys, next[best]!) < 0) best = index;
  }
  return best;
}
