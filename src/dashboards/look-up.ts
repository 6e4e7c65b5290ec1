import { parse } from 'csv-parse/sync';
import { DynamoCsvError } from '../base/errors.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Parameters, Queries } from '../datasets/queries.js';
import { columnList } from './reading.js';

/** A dataset that is asked about itself, in the language of windows. */
export interface Search {
  readonly dataset: Dataset;
  readonly queries: Queries;
  readonly signal: AbortSignal;
  /** Called when a question has no answer now but may have one later: the service is busy, or a query took too long. */
  readonly onNoAnswer?: () => void;
}

/** A variable offers at most so many values. */
const MOST_VALUES = 50;
/** Characters of all values of a key together: all of them chosen, they stand in a URL. */
const MOST_CHARACTERS = 1_500;

/** The values of each key that has few, in order; a key with more, or with a value that no list can hold, is left out. */
export async function keyValues(
  search: Search,
  keys: readonly { readonly name: string }[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const { name } of keys) {
    const values = await valuesOf(search, name);
    if (values !== null && values.length > 0) found.set(name, values);
  }
  return found;
}

async function valuesOf(search: Search, key: string): Promise<readonly string[] | null> {
  const rows = await ask(search, [
    ['agg', 'n=count'],
    ['by', columnList([key])],
    ['columns', columnList([key])],
    ['sort', columnList([key])],
    ['limit', String(MOST_VALUES + 1)],
  ]);
  if (rows === null || rows.length > MOST_VALUES) return null;
  const values = rows.map(([value]) => value ?? '');
  return values.every(fitsIntoList) && values.join(',').length <= MOST_CHARACTERS ? values : null;
}

/**
 * Whether a value means itself in Grafana's list of a custom variable (`,` and ` : ` separate, `$` begins a variable), in
 * the values that Grafana joins with commas, and in the service's `__in`.
 */
const fitsIntoList = (value: string) =>
  /^[\p{L}\p{N}_@.:+=/#*() -]+$/u.test(value) && !/^\s|\s$| : /.test(value);

/** The newest time of a dataset in milliseconds; null if no row has one. */
export async function newestTime(search: Search, timeColumn: string): Promise<number | null> {
  const rows = await ask(search, [
    ['columns', columnList([timeColumn])],
    ['sort', columnList([`-${timeColumn}`])],
    ['limit', '1'],
  ]);
  const time = Date.parse(rows?.[0]?.[0] ?? '');
  return Number.isNaN(time) ? null : time;
}

/** The cells of the answer, row by row; null if there is none. As CSV, which keeps every digit. */
async function ask(
  { dataset, queries, signal, onNoAnswer }: Search,
  parameters: Parameters,
): Promise<readonly (readonly string[])[] | null> {
  try {
    const query = await queries.window(dataset, [...parameters, ['header', 'false']]);
    const { body } = await query.run(signal);
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    return parse(Buffer.concat(parts)) as string[][];
  } catch (error) {
    if (signal.aborted) throw error;
    const isFinal = error instanceof DynamoCsvError && error.status < 500;
    if (!isFinal) onNoAnswer?.();
    return null;
  }
}
