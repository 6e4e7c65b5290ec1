import type { IndexDescription, KeySchema, TableDescription } from '../table.js';
import type { QueryKey } from './conditions.js';
import { indexNotActive, indexNotConsistent, indexNotFound } from './errors.js';
import type { AttributeFilter } from './filter.js';

/** What of a table is read, as configured. */
export interface TargetOptions {
  /** The index to scan; null: the table. */
  readonly index: string | null;
  /** Null: a Scan. */
  readonly query: QueryConfig | null;
  readonly filter: AttributeFilter | null;
}

/** `query` with all defaults applied. */
export interface QueryConfig {
  /** Null: the table itself. */
  readonly index: string | null;
  readonly key: QueryKey;
  /** The sort key of which only later values are read; null: everything is. */
  readonly since: string | null;
  /** Milliseconds before the newest item that are read again. */
  readonly overlap: number;
}

/** The attributes that a target has, keys included; null: all that items have. */
export function projectedBy({ index, key, description }: Target): readonly string[] | null {
  if (index === null || index.projected === null) return null;
  const keys = [...description.keys, ...key.partition, ...key.sort];
  return [...new Set([...keys.map(({ name }) => name), ...index.projected])];
}

/** A table that is scanned as a whole. */
export const WHOLE_TABLE: TargetOptions = { index: null, query: null, filter: null };

/** The table or index that is read. */
export interface Target {
  readonly index: IndexDescription | null;
  readonly key: KeySchema;
  /** The description with the size and capacity of what is read. */
  readonly description: TableDescription;
  /** For sentences: `index by-day of table orders`. */
  readonly what: string;
}

export function indexNameOf({ index, query }: TargetOptions): string | null {
  return query === null ? index : query.index;
}

/**
 * Finds the table or index to read in a description. `place`: the table for sentences, `table orders (region us-east-1)`.
 * Throws a `DynamoCsvError` if there is no such index, or if it cannot be read in that way.
 */
export function targetOf(
  description: TableDescription,
  options: TargetOptions & { readonly consistent: boolean },
  place: string,
): Target {
  const name = indexNameOf(options);
  if (name === null)
    return { index: null, key: description.key, description, what: `table ${description.table}` };
  const index = description.indexes.find((one) => one.name === name);
  if (index === undefined) throw indexNotFound(place, name, description.indexes);
  // DynamoDB refuses to read an index that it still fills, whatever its status.
  if (!(index.status === 'ACTIVE' || index.status === 'UPDATING') || index.isBackfilling)
    throw indexNotActive(place, index.isBackfilling ? { ...index, status: 'CREATING' } : index);
  if (index.kind === 'global' && options.consistent) throw indexNotConsistent(place, index);
  const { items, bytes } = index;
  const readCapacity = index.readCapacity ?? (index.kind === 'local' ? description.readCapacity : null);
  return {
    index,
    key: index.key,
    description: { ...description, items, bytes, readCapacity },
    what: `index ${name} of table ${description.table}`,
  };
}
