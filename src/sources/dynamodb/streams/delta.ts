import type { CompareKeys } from '../../../csv/row-blocks.js';
import type { Column } from '../../../csv/rows.js';
import type { DeltaReading, DeltaRecord } from '../../source.js';
import type { Item } from '../attributes.js';
import type { KeyAttribute } from '../keys.js';
import type { ColumnOptions } from '../layout.js';
import { compareNumbers } from '../numbers.js';
import { pageOfItems } from '../page.js';
import { RunEncoder } from '../run-encoder.js';
import type { StreamViewType, TableDescription } from '../table.js';
import { imageMissing } from './errors.js';
import { keyText } from './items.js';
import type { ShardRecord } from './shard-reader.js';

/** What happened to one item. */
export interface ItemRecord extends DeltaRecord {
  readonly key: Item;
  /** The item afterwards; null: it is gone. */
  readonly image: Item | null;
}

/** TTL deletes as this principal: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html */
const TTL_PRINCIPAL = 'dynamodb.amazonaws.com';

/** The records of a stream with new images. */
export function recordsWithImages(
  table: string,
  viewType: StreamViewType,
  records: readonly ShardRecord[],
): ItemRecord[] {
  return records.map((record): ItemRecord => {
    const change = changeOf(record);
    const { Keys: key = {}, NewImage: image = null } = record.raw.dynamodb ?? {};
    if (change === 'put' && image === null) throw imageMissing(table, viewType);
    return { at: record.at, change, key, image: change === 'put' ? image : null };
  });
}

/** The keys that records mention, each once. */
export function keysOf(records: readonly ShardRecord[]): readonly Item[] {
  const keys = new Map<string, Item>();
  for (const { raw } of records) {
    const key = raw.dynamodb?.Keys ?? {};
    keys.set(keyText(key), key);
  }
  return [...keys.values()];
}

/**
 * The records of a stream without new images: of each item the last one, with the item as it is now. What was between two
 * readings is not known.
 */
export function recordsWithItems(
  records: readonly ShardRecord[],
  items: ReadonlyMap<string, Item>,
): ItemRecord[] {
  const last = new Map<string, ItemRecord>();
  for (const record of records) {
    const key = record.raw.dynamodb?.Keys ?? {};
    const text = keyText(key);
    const image = items.get(text) ?? null;
    const told = changeOf(record);
    // An item may be removed after its last record here: that record comes at a later reading.
    const change = image !== null ? 'put' : told === 'expire' ? 'expire' : 'remove';
    last.delete(text);
    last.set(text, { at: record.at, change, key, image });
  }
  return [...last.values()];
}

function changeOf({ raw: { eventName, userIdentity } }: ShardRecord): DeltaRecord['change'] {
  if (eventName !== 'REMOVE') return 'put';
  const principal = userIdentity?.principalId ?? userIdentity?.PrincipalId;
  return principal === TTL_PRINCIPAL ? 'expire' : 'remove';
}

export type EncodedRecords = Pick<DeltaReading, 'rows' | 'records' | 'keys' | 'compareKeys' | 'mixed'>;

/** Records as rows, in their order. `known`: the columns that the dataset has. */
export function encodeRecords(
  records: readonly ItemRecord[],
  { table, keys }: Pick<TableDescription, 'table' | 'keys'>,
  options: ColumnOptions,
  known: readonly Column[],
): EncodedRecords {
  const { columns, only, rename, expand = false, others = [] } = options;
  const encoder = new RunEncoder(
    { table, keys, options: { columns, only, rename, expand, others }, known },
    null,
  );
  encoder.add(0, pageOfItems(records.map(({ key, image }) => image ?? key)));
  return {
    ...encoder.finishInOrder(),
    records: records.map(({ at, change }) => ({ at, change })),
    compareKeys: keyOrder(keys),
  };
}

/** The order in which a Scan's rows are sorted: numbers by value, text by its UTF-8 bytes, binary by its bytes. */
function keyOrder(keys: readonly KeyAttribute[]): CompareKeys {
  const [first, second] = keys.map(({ type }) => COMPARERS[type]);
  return (a, b) =>
    first!(a[0] ?? '', b[0] ?? '') || (second === undefined ? 0 : second(a[1] ?? '', b[1] ?? ''));
}

const COMPARERS: Readonly<Record<KeyAttribute['type'], (a: string, b: string) => number>> = {
  N: compareDecimals,
  S: compareTexts,
  B: (a, b) => Buffer.compare(Buffer.from(a, 'base64'), Buffer.from(b, 'base64')),
};

/** Half of a character beyond U+FFFF: it is less than U+E000, and the character is more. */
const SURROGATE = /[\ud800-\udfff]/;

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

/** Up to this length a decimal is exact enough as a number. */
const EXACT = 15;

function compareDecimals(a: string, b: string): number {
  const areExact = a.length <= EXACT && b.length <= EXACT;
  return areExact ? Number(a) - Number(b) : compareNumbers(a, b);
}
