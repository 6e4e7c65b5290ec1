import type { Column, EncodedRows } from '../csv/rows.js';

/** The column that holds a poll's time in logs and changes, unless the table's own attributes force another. */
export const TIMESTAMP = 'timestamp';
export const CHANGE = 'change';
export const SINCE = 'since';
const PREVIOUS = 'previous_';

/** The names of the columns that we add to a table's own. Chosen at the table's first poll and kept for good. */
export interface AddedNames {
  readonly timestamp: string;
  readonly change: string;
  readonly since: string;
}

/**
 * Chooses the added columns' names so that none meets a column of the table: `timestamp`, or `poll_timestamp` when the
 * table has an attribute `timestamp` itself. `configured` (option `timestampColumn`) goes first.
 */
export function chooseAddedNames(columns: readonly Column[], configured: string | null): AddedNames {
  const taken = new Set(columns.map((column) => column.name));
  const free = (name: string): string => (taken.has(name) ? free(`poll_${name}`) : name);
  return { timestamp: free(configured ?? TIMESTAMP), change: free(CHANGE), since: free(SINCE) };
}

/**
 * A table's column that shows up later under a name we already use is published with `_attribute` behind it.
 * Returns the same object when nothing is in the way.
 */
export function avoidAddedNames(rows: EncodedRows, names: AddedNames): EncodedRows {
  const inUse = [names.timestamp, names.change, names.since];
  if (!rows.columns.some((column) => inUse.includes(column.name))) return rows;
  const columns = rows.columns.map((column) =>
    inUse.includes(column.name) ? { ...column, name: `${column.name}_attribute` } : column,
  );
  return { ...rows, columns };
}

/** Columns of a log: the table's, then the poll's time. */
export function logColumns(columns: readonly Column[], names: AddedNames): Column[] {
  return [...columns, timeColumn(names.timestamp)];
}

/** Columns of changes: what happened, the key, the values after, the values before, and the two polls' times. */
export function changesColumns(columns: readonly Column[], keyCount: number, names: AddedNames): Column[] {
  const taken = new Set(columns.map((column) => column.name));
  const previousName = (name: string): string => {
    const previous = `${PREVIOUS}${name}`;
    return taken.has(previous) ? previousName(previous) : previous;
  };
  return [
    { name: names.change, type: 'string', seen: true },
    ...columns,
    ...columns.slice(keyCount).map((column) => ({ ...column, name: previousName(column.name) })),
    timeColumn(names.since),
    timeColumn(names.timestamp),
  ];
}

/** A column of ours that holds times. */
export function timeColumn(name: string): Column {
  return { name, type: 'time', seen: true };
}
