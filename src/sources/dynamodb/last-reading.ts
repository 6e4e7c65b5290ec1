import { freeBuffer } from '../../base/garbage.js';
import { sameColumns, sameLayout } from '../../csv/columns.js';
import { relayoutInSlices } from '../../csv/relayout.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import { DECODED, type SegmentBlocks } from './blocks.js';
import { haveSameKey, type KeyAttribute, RowKeys } from './keys.js';
import { checkOrigins, ItemLayout } from './layout.js';
import type { EncodedRun, TableShape } from './run-encoder.js';
import {
  type MergedRuns,
  mergeRuns,
  type Run,
  sortedRows as rowsInOrder,
  type SortedRows,
  sortedKeys,
} from './sort.js';
import { findSame, NEW, splice } from './splice.js';
import type { ScanThreads } from './threads.js';

/**
 * What is kept of a reading for the next one: a cache, results do not depend on it. The rows share memory with the
 * dataset's; in addition there are about ten bytes per item.
 */
export class LastReading {
  readonly rows: EncodedRows;
  readonly segments: readonly SegmentBlocks[];
  readonly origins: ReadonlyMap<string, string>;
  /** Names of the columns with values of more than one type. */
  readonly mixed: readonly string[];
  /** Names of the key columns, partition first. */
  readonly keyNames: readonly string[];
  readonly #keys: readonly KeyAttribute[];

  constructor(
    rows: EncodedRows,
    segments: readonly SegmentBlocks[],
    origins: ReadonlyMap<string, string>,
    mixed: readonly string[],
    keyNames: readonly string[],
    keys: readonly KeyAttribute[],
  ) {
    this.rows = rows;
    this.segments = segments;
    this.origins = origins;
    this.mixed = mixed;
    this.keyNames = keyNames;
    this.#keys = keys;
  }

  /** The same rows, found again in these segments. */
  in(segments: readonly SegmentBlocks[]): LastReading {
    const { rows, origins, mixed, keyNames } = this;
    return new LastReading(rows, segments, origins, mixed, keyNames, this.#keys);
  }

  /** Whether a reading of that shape may reuse rows of this one: its known columns must include all columns here. */
  fits({ keys, known }: TableShape, totalSegments: number): boolean {
    const names = new Set(known.map(({ name }) => name));
    return (
      this.segments.length === totalSegments &&
      JSON.stringify(keys) === JSON.stringify(this.#keys) &&
      this.rows.columns.every(({ name }) => names.has(name))
    );
  }
}

/** Up to this many rows are merged here, which is faster than handing them to a thread. */
const FEW = 4096;

interface Joined {
  readonly reading: {
    readonly rows: EncodedRows;
    readonly keys: readonly string[];
    readonly mixed: readonly string[];
  };
  /** Null if a segment was read in two parts. */
  readonly last: LastReading | null;
}

/**
 * The rows of a whole table from the results of its readers, in key order. If nothing differs from the previous reading,
 * returns the same object. Throws on a collision of two attributes, of which one may exist only in `before`.
 * `mayRepeat`: an item may have been read twice; then one row of it stays, and the next reading shows which one is right.
 */
export async function joinReads(
  shape: TableShape,
  reads: readonly EncodedRun[],
  before: LastReading | null,
  threads: ScanThreads,
  mayRepeat = false,
): Promise<Joined> {
  const { table, keys, options, known } = shape;
  const runs = reads.map(({ run }) => run);
  const segments = reads.flatMap((read) => read.segments);
  const isWhole = new Set(segments.map(({ segment }) => segment)).size === segments.length;
  const standing = findStaying(reads, before?.rows.ends.length ?? 0);
  if (before !== null && isUnchanged(before, standing, runs, known)) {
    const { rows, keyNames, mixed } = before;
    return {
      reading: { rows, keys: keyNames, mixed },
      last: isWhole ? before.in(segments) : null,
    };
  }
  const origins = [...(before === null ? [] : [before.origins]), ...runs.map((run) => run.origins)];
  checkOrigins(table, origins);
  const layout = new ItemLayout(table, keys, options, known);
  // Types cover all values, including those of items that are not decoded again.
  const kept = before !== null && standing.staying > 0 ? before : null;
  const findings = [...(kept === null ? [] : [kept.rows]), ...runs.map(({ rows }) => rows)].map(
    ({ columns }) => columns,
  );
  const columns = withKnownTypes(layout.union(findings), known);
  const mixed = [
    ...new Set([...(kept?.mixed ?? []), ...runs.flatMap((run) => run.mixed), ...differing(findings)]),
  ];
  const joined = await joinRows(reads, columns, before?.rows ?? null, standing, shape, threads);
  const rows = mayRepeat ? withoutRepeated(joined, shape) : joined;
  const allOrigins = new Map(origins.flatMap((one) => [...one]));
  return {
    reading: { rows, keys: layout.keys, mixed },
    last:
      isWhole && rows === joined
        ? new LastReading(rows, segments, allOrigins, mixed, layout.keys, keys)
        : null,
  };
}

/** Whether all rows stay and nothing was decoded, so that not even the columns have to be looked at. */
function isUnchanged(
  { rows }: LastReading,
  { staying }: Standing,
  runs: readonly Run[],
  known: readonly Column[],
): boolean {
  const isNothingNew = runs.every(({ keys }) => keys.ends.length === 0);
  return isNothingNew && staying === rows.ends.length && sameColumns(rows.columns, known);
}

/** The columns; those of which no item has a value keep the type that is known. */
function withKnownTypes(columns: readonly Column[], known: readonly Column[]): readonly Column[] {
  const byName = new Map(known.map((column) => [column.name, column]));
  return columns.map((column) => (column.seen ? column : (byName.get(column.name) ?? column)));
}

/** Names of the columns to which readers gave different types. */
function differing(findings: readonly (readonly Column[])[]): readonly string[] {
  const types = new Map<string, Column['type']>();
  const found = new Set<string>();
  for (const { name, type, seen } of findings.flat()) {
    if (!seen) continue;
    if ((types.get(name) ?? type) !== type) found.add(name);
    types.set(name, type);
  }
  return [...found];
}

/** Joins the rows, and updates the row indexes in the reads' blocks. */
async function joinRows(
  reads: readonly EncodedRun[],
  columns: readonly Column[],
  before: EncodedRows | null,
  { stays, staying }: Standing,
  { table, keys }: TableShape,
  threads: ScanThreads,
): Promise<EncodedRows> {
  const runs = reads.map(({ run }) => run);
  if (before === null) {
    const fresh = await merged(runs, columns, threads);
    follow(reads, fresh.places, null);
    return rowsAlone(fresh);
  }
  const earlier = (rows: EncodedRows) => ({ rows, keys: new RowKeys(table, keys, rows) });
  const same: (Uint32Array | null)[] = [];
  for (const run of runs) {
    const isComparable = run.keys.ends.length > 0 && sameLayout(run.rows.columns, before.columns);
    same.push(isComparable ? await findSame(earlier(before), stays, run) : null);
  }
  const rest = runs.map((run, index) => withoutSame(run, same[index]!));
  if (!stays.includes(0) && rest.every(({ keys }) => keys.ends.length === 0)) {
    follow(reads, placesOf(same, [], null, null), null);
    return sameColumns(before.columns, columns) ? before : under(columns, before);
  }
  const fresh = await merged(rest, columns, threads);
  if (staying === 0 && same.every((found) => found === null)) {
    follow(reads, fresh.places, null);
    return rowsAlone(fresh);
  }
  const { rows, stayed, added } = await splice(earlier(await under(columns, before)), stays, fresh);
  follow(reads, placesOf(same, fresh.places, stayed, added), stayed);
  return rows;
}

/** The rows without their keys, whose memory is freed. */
function rowsAlone({ rows, keys }: SortedRows): EncodedRows {
  for (const { buffer } of [keys.bytes, keys.ends]) freeBuffer(buffer as ArrayBuffer);
  return rows;
}

/** The rows that are not among the earlier ones. */
function withoutSame(run: Run, same: Uint32Array | null): Run {
  if (same === null) return run;
  const order = Uint32Array.from(same.keys()).filter((row) => same[row] === NEW);
  return { ...run, rows: rowsInOrder(run.rows, order), keys: sortedKeys(run.keys, order) };
}

/**
 * By run and row, the row's index in the joined rows. `same`: of the earlier row; `places`: of the others among the new rows.
 * `stayed`, `added`: from the earlier and the new rows to the joined ones; null if these did not move.
 */
function placesOf(
  same: readonly (Uint32Array | null)[],
  places: readonly Uint32Array[],
  stayed: Uint32Array | null,
  added: Uint32Array | null,
): readonly Uint32Array[] {
  const moved = (to: Uint32Array | null, row: number) => (to === null ? row : to[row]!);
  return same.map((earlier, run) => {
    if (earlier === null) return places[run]?.map((row) => moved(added, row)) ?? new Uint32Array(0);
    let next = 0;
    return earlier.map((row) => (row === NEW ? moved(added, places[run]![next++]!) : moved(stayed, row)));
  });
}

/** The rows without those whose key is that of the row before. */
function withoutRepeated(rows: EncodedRows, { keys }: TableShape): EncodedRows {
  const repeated = (row: number) => row > 0 && haveSameKey(rows, row - 1, row, keys.length);
  const order = Uint32Array.from(rows.ends.keys()).filter((row) => !repeated(row));
  return order.length === rows.ends.length ? rows : rowsInOrder(rows, order);
}

/** Which rows of the previous reading are kept: 1 for each of these, and how many. */
interface Standing {
  readonly stays: Uint8Array;
  readonly staying: number;
}

function findStaying(reads: readonly EncodedRun[], count: number): Standing {
  const stays = new Uint8Array(count);
  let staying = 0;
  for (const { rows } of reads.flatMap(({ segments }) => segments)) {
    for (let item = 0; item < rows.length; item += 1) {
      const row = rows[item]!;
      if (row >= DECODED) continue;
      stays[row] = 1;
      staying += 1;
    }
  }
  return { stays, staying };
}

async function under(columns: readonly Column[], rows: EncodedRows): Promise<EncodedRows> {
  return { ...(await relayoutInSlices(rows, columns)), columns };
}

async function merged(
  runs: readonly Run[],
  columns: readonly Column[],
  threads: ScanThreads,
): Promise<MergedRuns> {
  const count = runs.reduce((sum, { keys }) => sum + keys.ends.length, 0);
  if (runs.length > 1 && count > FEW) return threads.merge(runs.map(sortedRows), columns);
  const laidOut: SortedRows[] = [];
  for (const { rows, keys } of runs) laidOut.push({ rows: await under(columns, rows), keys });
  return mergeRuns(laidOut, columns);
}

function sortedRows({ rows, keys }: Run): SortedRows {
  return { rows, keys };
}

/**
 * Replaces each item's row index, in its run (`places`) or in the previous reading (`stayed`; null if nothing moved there), by
 * the index in the joined rows.
 */
function follow(
  reads: readonly EncodedRun[],
  places: readonly Uint32Array[],
  stayed: Uint32Array | null,
): void {
  for (const [read, { segments }] of reads.entries()) {
    const inRun = places[read]!;
    for (const { rows } of segments) {
      for (let item = 0; item < rows.length; item += 1) {
        const row = rows[item]!;
        if (row >= DECODED) rows[item] = inRun[row - DECODED]!;
        else if (stayed !== null) rows[item] = stayed[row]!;
      }
    }
  }
}
