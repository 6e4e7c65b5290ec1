import { closest } from '../../../base/closest.js';
import { DynamoCsvError } from '../../../base/errors.js';
import type { KeyAttribute } from '../keys.js';
import type { IndexDescription } from '../table.js';

const BAD_UPSTREAM = 502;

interface Context {
  readonly at: string;
  readonly what: string;
}

/** A value in `key` that does not fit the key schema. `wrong` is a clause, `remedy` an imperative. */
export function keyValueWrong(
  { at, what }: Context,
  attribute: string,
  wrong: string,
  remedy: string,
): DynamoCsvError {
  return new DynamoCsvError(
    'QUERY_KEY_WRONG',
    `${at}.${attribute} does not fit the key of ${what}: ${wrong}`,
    {
      remedy,
      status: BAD_UPSTREAM,
    },
  );
}

export function keyNotInSchema(context: Context, name: string, key: readonly KeyAttribute[]): DynamoCsvError {
  const names = key.map((attribute) => attribute.name);
  const meant = closest(name, names);
  const remedy =
    meant === undefined
      ? 'for other attributes use filter, or query an index that has them'
      : `did you mean ${meant}?`;
  return keyValueWrong(context, name, `its key is ${names.join(', ')}`, remedy);
}

export function partitionKeyMissing({ at, what }: Context, name: string): DynamoCsvError {
  return new DynamoCsvError(
    'QUERY_KEY_WRONG',
    `${at} has no value for ${name}, the partition key of ${what}`,
    {
      remedy: `add ${name} to it`,
      status: BAD_UPSTREAM,
    },
  );
}

/** `since` names an attribute that does not order the items of a Query. `sorted`: the one that does; null: none. */
export function sinceNotSorted({ at, what }: Context, since: string, sorted: string | null): DynamoCsvError {
  const order =
    sorted === null ? 'no sort key orders these items' : `the sort key that orders these items is ${sorted}`;
  return new DynamoCsvError('QUERY_KEY_WRONG', `${at}.since is ${since}, but in ${what} ${order}`, {
    remedy:
      sorted === null
        ? 'query an index with that sort key, or remove since'
        : `write since: ${sorted}, or query another index`,
    status: BAD_UPSTREAM,
  });
}

export function tooManyQueries({ at }: Context, count: number, limit: number): DynamoCsvError {
  return new DynamoCsvError(
    'TOO_MANY_QUERIES',
    `${at} means ${count.toLocaleString('en-US')} Queries, more than the ${limit.toLocaleString('en-US')} of one poll`,
    { remedy: 'list fewer values, or scan an index', status: BAD_UPSTREAM },
  );
}

/** `table`: with its place, for a sentence. */
export function indexNotFound(
  table: string,
  name: string,
  indexes: readonly IndexDescription[],
): DynamoCsvError {
  const names = indexes.map((index) => index.name);
  const meant = closest(name, names);
  const remedy =
    meant !== undefined
      ? `did you mean ${meant}?`
      : names.length === 0
        ? 'the table has no index: create it, or remove index'
        : `its indexes are ${names.sort().join(', ')}`;
  return new DynamoCsvError('INDEX_NOT_FOUND', `There is no index ${name} of ${table}`, {
    remedy,
    status: BAD_UPSTREAM,
  });
}

export function indexNotActive(table: string, { name, status }: IndexDescription): DynamoCsvError {
  const [is, remedy] =
    status === 'DELETING'
      ? ['is being deleted', 'remove it from the configuration, or create it again once it is deleted']
      : ['is still being created', 'wait until it is ACTIVE; then it is read'];
  return new DynamoCsvError('INDEX_NOT_ACTIVE', `Index ${name} of ${table} ${is} (its status is ${status})`, {
    remedy,
    status: BAD_UPSTREAM,
  });
}

export function indexNotConsistent(table: string, { name }: IndexDescription): DynamoCsvError {
  return new DynamoCsvError(
    'INDEX_NOT_CONSISTENT',
    `Index ${name} of ${table} is a global secondary index, and DynamoDB has no strongly consistent reads of those`,
    { remedy: 'remove consistent: true, or read the table', status: BAD_UPSTREAM },
  );
}
