import type { TableDescription as SdkTable } from '@aws-sdk/client-dynamodb';
import type { KeyAttribute } from './keys.js';

/** The attributes of a key. An index may have up to four of each kind. */
export interface KeySchema {
  readonly partition: readonly KeyAttribute[];
  /** In order; empty: there is no sort key. */
  readonly sort: readonly KeyAttribute[];
}

/** What DescribeTable says about a secondary index. */
export interface IndexDescription {
  readonly name: string;
  /** A global one is a copy that follows the table: it has no strongly consistent reads. */
  readonly kind: 'global' | 'local';
  readonly key: KeySchema;
  readonly items: number;
  readonly bytes: number;
  /** `ACTIVE`, `CREATING`, `DELETING` …; a local index is as active as its table. */
  readonly status: string;
  /** Whether DynamoDB still fills it. */
  readonly isBackfilling: boolean;
  /** The attributes in it besides the keys; null: all. */
  readonly projected: readonly string[] | null;
  /** Provisioned read capacity units per second; null: on demand, or those of the table. */
  readonly readCapacity: number | null;
}

type SdkKeySchema = NonNullable<SdkTable['KeySchema']>;

/** Partition keys first, in the order of DescribeTable. */
export function keySchemaOf(schema: SdkKeySchema, definitions: SdkTable['AttributeDefinitions']): KeySchema {
  const types = new Map(
    definitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  );
  const ofType = (keyType: string) =>
    schema
      .filter(({ KeyType }) => KeyType === keyType)
      .map(({ AttributeName: name = '' }) => ({
        name,
        type: (types.get(name) ?? 'S') as KeyAttribute['type'],
      }));
  return { partition: ofType('HASH'), sort: ofType('RANGE') };
}

/** The global indexes of a table, then the local ones. */
export function indexesOf(table: SdkTable): readonly IndexDescription[] {
  const global = (table.GlobalSecondaryIndexes ?? []).map((index) => ({
    ...describeIndex(index, table),
    kind: 'global' as const,
    status: index.IndexStatus ?? 'ACTIVE',
    isBackfilling: index.Backfilling === true,
    readCapacity: index.ProvisionedThroughput?.ReadCapacityUnits || null,
  }));
  const local = (table.LocalSecondaryIndexes ?? []).map((index) => ({
    ...describeIndex(index, table),
    kind: 'local' as const,
    status: 'ACTIVE',
    isBackfilling: false,
    readCapacity: null,
  }));
  return [...global, ...local];
}

function describeIndex(
  index: Pick<
    NonNullable<SdkTable['LocalSecondaryIndexes']>[number],
    'IndexName' | 'KeySchema' | 'Projection' | 'ItemCount' | 'IndexSizeBytes'
  >,
  { AttributeDefinitions }: SdkTable,
) {
  const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {};
  return {
    name: index.IndexName ?? '',
    key: keySchemaOf(index.KeySchema ?? [], AttributeDefinitions),
    items: index.ItemCount ?? 0,
    bytes: index.IndexSizeBytes ?? 0,
    projected: ProjectionType === undefined || ProjectionType === 'ALL' ? null : NonKeyAttributes,
  };
}
