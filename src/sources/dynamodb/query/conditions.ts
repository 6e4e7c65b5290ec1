import type { AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';
import type { KeyAttribute } from '../keys.js';
import type { KeySchema } from '../table.js';
import { withDates } from './dates.js';
import { keyNotInSchema, keyValueWrong, partitionKeyMissing } from './errors.js';
import type { KeyRange, KeyValues } from './options.js';

/** The key condition of one Query; plain data. */
export interface KeyCondition {
  /** The equal key values as JSON, binary as base64: identifies the Query among those of its table. */
  readonly id: string;
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, SdkValue>>;
}

/** The most Queries of one poll: each costs at least half a read unit. */
export const MAX_QUERIES = 1_000;

/** Where a key's values stand in the configuration, for errors: `tables.orders.query.key`. */
export interface KeyContext {
  readonly at: string;
  /** `table orders` or `index by-day of table orders`. */
  readonly what: string;
}

export type QueryKey = Readonly<Record<string, KeyValues>>;

/** One of the combinations of key values that a query asks for. */
type Combination = readonly { readonly attribute: KeyAttribute; readonly value: SdkValue }[];

/**
 * The conditions of the Queries for every combination of the key's values, as the key schema types them.
 * `today`: the local date. Throws a `DynamoCsvError` if the key does not fit the schema.
 */
export function keyConditions(
  key: QueryKey,
  schema: KeySchema,
  today: string,
  context: KeyContext,
): readonly KeyCondition[] {
  const given = checkAttributes(key, schema, context);
  let combinations: Combination[] = [[]];
  let range: { readonly attribute: KeyAttribute; readonly bounds: KeyRange } | null = null;
  for (const attribute of given) {
    const values = key[attribute.name]!;
    if (isRange(values)) range = { attribute, bounds: values };
    else {
      const typed = typedValues(values, attribute, today, context);
      combinations = combinations.flatMap((one) => typed.map((value) => [...one, { attribute, value }]));
    }
  }
  const conditions = combinations.map(equal);
  if (range === null) return conditions;
  const { attribute, bounds } = range;
  const within = rangeCondition(attribute, bounds, today, context);
  return conditions.map((condition) => joined(condition, within));
}

/** The attributes of the key that have values, in the order of the schema. Throws if they do not fit it. */
function checkAttributes(key: QueryKey, { partition, sort }: KeySchema, context: KeyContext): KeyAttribute[] {
  const all = [...partition, ...sort];
  for (const name of Object.keys(key)) {
    if (!all.some((attribute) => attribute.name === name)) throw keyNotInSchema(context, name, all);
  }
  for (const { name } of partition) {
    const values = key[name];
    if (values === undefined) throw partitionKeyMissing(context, name);
    if (isRange(values))
      throw keyValueWrong(context, name, 'a partition key has no range', 'list its values');
  }
  const given = sort.filter(({ name }) => key[name] !== undefined);
  for (const [index, { name }] of given.entries()) {
    const isBehindGap = sort[index]?.name !== name;
    const isBehindRange = index > 0 && isRange(key[given[index - 1]!.name]!);
    if (isBehindGap || isBehindRange) {
      const before = isBehindGap ? sort[index]!.name : given[index - 1]!.name;
      throw keyValueWrong(
        context,
        name,
        `it follows the sort key ${before}, which has no single value`,
        `give ${before} a value, or remove this`,
      );
    }
  }
  return [...partition, ...given];
}

export function isRange(values: KeyValues): values is KeyRange {
  return typeof values === 'object' && !Array.isArray(values);
}

function typedValues(
  values: Exclude<KeyValues, KeyRange>,
  attribute: KeyAttribute,
  today: string,
  context: KeyContext,
): SdkValue[] {
  const list = Array.isArray(values) ? values : [values];
  const texts = new Set(list.flatMap((value) => withDates(String(value), today)));
  return [...texts].map((text) => typedValue(text, attribute, context));
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function typedValue(text: string, { name, type }: KeyAttribute, context: KeyContext): SdkValue {
  if (type === 'S') return { S: text };
  if (type === 'N') {
    if (NUMBER.test(text)) return { N: text };
    throw keyValueWrong(
      context,
      name,
      `${JSON.stringify(text)} is not a number, and ${name} is one`,
      /\d-\d/.test(text) ? 'write dates without signs, such as {today:yyyyMMdd}' : 'write a number',
    );
  }
  if (text !== '' && BASE64.test(text)) return { B: Buffer.from(text, 'base64') };
  throw keyValueWrong(
    context,
    name,
    `${JSON.stringify(text)} is not base64, and ${name} is binary`,
    'write it as base64',
  );
}

function equal(combination: Combination): KeyCondition {
  const parts = combination.map((_, index) => `#_k${index} = :_k${index}`);
  return {
    id: JSON.stringify(combination.map(({ attribute: { name }, value }) => [name, readable(value)])),
    expression: parts.join(' AND '),
    names: Object.fromEntries(combination.map(({ attribute }, index) => [`#_k${index}`, attribute.name])),
    values: Object.fromEntries(combination.map(({ value }, index) => [`:_k${index}`, value])),
  };
}

function readable(value: SdkValue): unknown {
  return value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') };
}

type Condition = Omit<KeyCondition, 'id'>;

function rangeCondition(
  attribute: KeyAttribute,
  { from, to, beginsWith }: KeyRange,
  today: string,
  context: KeyContext,
): Condition {
  const names = { '#_r': attribute.name };
  const typed = (value: string | number) =>
    typedValue(withDates(String(value), today)[0] ?? '', attribute, context);
  if (beginsWith !== undefined) {
    if (attribute.type === 'N')
      throw keyValueWrong(context, attribute.name, 'a number does not begin with text', 'write from and to');
    return { expression: 'begins_with(#_r, :_r)', names, values: { ':_r': typed(beginsWith) } };
  }
  if (from !== undefined && to !== undefined)
    return {
      expression: '#_r BETWEEN :_f AND :_t',
      names,
      values: { ':_f': typed(from), ':_t': typed(to) },
    };
  return from !== undefined
    ? { expression: '#_r >= :_f', names, values: { ':_f': typed(from) } }
    : { expression: '#_r <= :_t', names, values: { ':_t': typed(to ?? '') } };
}

/** A condition that holds where both do. */
export function joined(condition: KeyCondition, also: Condition): KeyCondition {
  return {
    id: condition.id,
    expression: `${condition.expression} AND ${also.expression}`,
    names: { ...condition.names, ...also.names },
    values: { ...condition.values, ...also.values },
  };
}

/** The condition of items whose sort key is not before a value. */
export function notBefore(attribute: string, value: SdkValue): Condition {
  return { expression: '#_s >= :_s', names: { '#_s': attribute }, values: { ':_s': value } };
}

/** The most combinations that `key` can mean, by the configuration alone. */
export function countCombinations(key: QueryKey, countOf: (text: string) => number): number {
  return Object.values(key).reduce<number>((product, values) => {
    if (isRange(values)) return product;
    const list = Array.isArray(values) ? values : [values];
    return product * list.reduce<number>((sum, value) => sum + countOf(String(value)), 0);
  }, 1);
}
