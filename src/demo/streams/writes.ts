import type { Item, StreamTable } from './stream.js';
import type { Body } from './streams-api.js';

/** An item that a request may write. */
export interface Touched {
  readonly table: string;
  readonly key: Item;
}

interface Write {
  readonly TableName: string;
  /** The item of a put, or the key of anything else. */
  readonly item: Item;
}

/**
 * The items that a request may write, each once and in its order, of those tables. What has no key is left out: DynamoDB
 * refuses it.
 */
export function touchedBy(
  action: string,
  body: Body,
  table: (name: string) => StreamTable | null,
): readonly Touched[] {
  const touched = new Map<string, Touched>();
  for (const { TableName, item } of writesOf(action, body)) {
    const found = table(TableName);
    const key = found === null ? null : keyOf(item, found);
    if (found !== null && key !== null)
      touched.set(`${found.name} ${JSON.stringify(key)}`, { table: found.name, key });
  }
  return [...touched.values()];
}

/** Null if an attribute of it is missing. */
export function keyOf(item: Item, { keySchema }: StreamTable): Item | null {
  const key = keySchema.map(({ AttributeName: name }) => [name, item?.[name]] as const);
  return key.every(([, value]) => value !== undefined) ? (Object.fromEntries(key) as Item) : null;
}

function writesOf(action: string, body: Body): readonly Write[] {
  switch (action) {
    case 'PutItem':
      return [{ TableName: String(body.TableName), item: body.Item as Item }];
    case 'UpdateItem':
    case 'DeleteItem':
      return [{ TableName: String(body.TableName), item: body.Key as Item }];
    case 'BatchWriteItem':
      return Object.entries((body.RequestItems ?? {}) as Record<string, BatchWrite[]>).flatMap(
        ([TableName, writes]) =>
          writes.map(
            ({ PutRequest: put, DeleteRequest: remove }): Write => ({
              TableName,
              item: (put?.Item ?? remove?.Key) as Item,
            }),
          ),
      );
    case 'TransactWriteItems':
      return ((body.TransactItems ?? []) as TransactWrite[]).flatMap(({ Put: put, Update, Delete }) =>
        [put, Update, Delete].flatMap((write): Write[] =>
          write === undefined
            ? []
            : [{ TableName: write.TableName, item: (write.Item ?? write.Key) as Item }],
        ),
      );
    default:
      return [];
  }
}

interface BatchWrite {
  readonly PutRequest?: { readonly Item: Item };
  readonly DeleteRequest?: { readonly Key: Item };
}

interface TransactPart {
  readonly TableName: string;
  readonly Item?: Item;
  readonly Key?: Item;
}

interface TransactWrite {
  readonly Put?: TransactPart;
  readonly Update?: TransactPart;
  readonly Delete?: TransactPart;
}
