import type { DynamoDBClient, TableDescription as SdkTable } from '@aws-sdk/client-dynamodb';
import { placeOf } from './client.js';
import { explainFailure } from './failures.js';
import type { KeyAttribute } from './keys.js';
import { DescribeTableCommand } from './sdk.js';

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

/** What DescribeTable says about a table. DynamoDB updates counts and sizes about every six hours. */
export interface TableDescription {
  readonly table: string;
  /** Partition key and, if there is one, sort key. */
  readonly keys: readonly KeyAttribute[];
  /** The same keys by their kind. */
  readonly key: KeySchema;
  readonly indexes: readonly IndexDescription[];
  readonly items: number;
  readonly bytes: number;
  readonly billing: 'on-demand' | 'provisioned';
  /** Provisioned read capacity units per second; null on demand. */
  readonly readCapacity: number | null;
  /** Whether it has the table class Standard-IA, whose reads cost more. */
  readonly isInfrequentAccess: boolean;
  /** What its stream records have: `NEW_AND_OLD_IMAGES` …; null: it has no stream. */
  readonly streamView: string | null;
  /** `ACTIVE`, `CREATING`, `DELETING` … */
  readonly status: string;
  /** Null: none is enabled. */
  readonly stream: TableStream | null;
}

/** The enabled stream of a table. */
export interface TableStream {
  readonly arn: string;
  readonly viewType: StreamViewType;
}

/** What its records have besides the key: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html */
export type StreamViewType = 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'KEYS_ONLY';

/** Rejects with a `DynamoCsvError` that says which table was looked for, where, and what is wrong. */
export async function describeTable(
  client: DynamoDBClient,
  table: string,
  signal?: AbortSignal,
): Promise<TableDescription> {
  try {
    const command = new DescribeTableCommand({ TableName: table });
    const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    return describe(table, answer.Table ?? {});
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw explainFailure(thrown, await placeOf(client, table), 'dynamodb:DescribeTable');
  }
}

function describe(table: string, description: SdkTable): TableDescription {
  const key = keySchemaOf(description.KeySchema ?? [], description.AttributeDefinitions);
  const provisioned = description.ProvisionedThroughput?.ReadCapacityUnits ?? 0;
  const onDemand = description.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST' || provisioned === 0;
  return {
    table,
    keys: [...key.partition, ...key.sort],
    key,
    indexes: indexesOf(description),
    items: description.ItemCount ?? 0,
    bytes: description.TableSizeBytes ?? 0,
    billing: onDemand ? 'on-demand' : 'provisioned',
    readCapacity: onDemand ? null : provisioned,
    isInfrequentAccess: description.TableClassSummary?.TableClass === 'STANDARD_INFREQUENT_ACCESS',
    streamView:
      description.StreamSpecification?.StreamEnabled === true
        ? (description.StreamSpecification.StreamViewType ?? 'KEYS_ONLY')
        : null,
    status: description.TableStatus ?? 'UNKNOWN',
    stream: streamOf(description),
  };
}

function streamOf({
  LatestStreamArn: arn,
  StreamSpecification: specification,
}: SdkTable): TableStream | null {
  if (arn === undefined || specification?.StreamEnabled !== true) return null;
  return { arn, viewType: specification.StreamViewType ?? 'KEYS_ONLY' };
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
