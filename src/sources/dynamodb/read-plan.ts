import type { AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';
import type { KeyCondition } from './query/conditions.js';
import type { AttributeFilter } from './query/filter.js';
import type { SinceTask } from './query/since.js';
import { QueryCommand, ScanCommand } from './sdk.js';

/** What of a table a reading reads. */
export interface ReadScope {
  /** The index that is read; null: the table. */
  readonly index: string | null;
  /** Null: a Scan. */
  readonly queries: readonly KeyCondition[] | null;
  /** Return new items only; null: all. */
  readonly since: SinceTask | null;
  readonly filter: AttributeFilter | null;
  /** The attributes that the index has, keys included; null: all that items have. */
  readonly projected: readonly string[] | null;
}

export const EVERYTHING: ReadScope = {
  index: null,
  queries: null,
  since: null,
  filter: null,
  projected: null,
};

/** How a table is read; plain data. */
export interface ScanPlan extends ReadScope {
  readonly table: string;
  readonly totalSegments: number;
  readonly consistent: boolean;
  /** Items requested per page; null for DynamoDB's maximum of 1 MB. */
  readonly pageItems: number | null;
  /** The attributes to request; null for all. Saves transfer, not read units. */
  readonly attributes: readonly string[] | null;
}

/** The point from which a segment still has to be read. */
export interface Cursor {
  readonly segment: number;
  /** The last key that was read, or null for the beginning. */
  readonly after: Record<string, SdkValue> | null;
}

/** The action of a plan's requests, as IAM names it. */
export function actionOf({ queries }: Pick<ScanPlan, 'queries'>): 'dynamodb:Query' | 'dynamodb:Scan' {
  return queries === null ? 'dynamodb:Scan' : 'dynamodb:Query';
}

/** The request for the page at a cursor: of a segment of a Scan, or of a Query. */
export function readCommand(plan: ScanPlan, { segment, after }: Cursor): ScanCommand | QueryCommand {
  const { queries, totalSegments } = plan;
  const common = { ...commonInput(plan), ...(after === null ? {} : { ExclusiveStartKey: after }) };
  if (queries !== null) {
    const { expression, names, values } = queries[segment]!;
    return new QueryCommand({
      ...common,
      KeyConditionExpression: expression,
      ExpressionAttributeNames: { ...common.ExpressionAttributeNames, ...names },
      ExpressionAttributeValues: { ...common.ExpressionAttributeValues, ...values },
    });
  }
  const parallel = totalSegments > 1 ? { Segment: segment, TotalSegments: totalSegments } : {};
  return new ScanCommand({ ...common, ...parallel });
}

function commonInput({ table, index, consistent, pageItems, attributes, filter }: ScanPlan) {
  const names = { ...placeholders(attributes ?? []), ...filter?.names };
  const values: Record<string, SdkValue> = { ...filter?.values };
  return {
    TableName: table,
    ReturnConsumedCapacity: 'TOTAL' as const,
    ...(index === null ? {} : { IndexName: index }),
    ...(consistent ? { ConsistentRead: true } : {}),
    ...(pageItems === null ? {} : { Limit: pageItems }),
    ...(attributes === null ? {} : { ProjectionExpression: Object.keys(placeholders(attributes)).join(',') }),
    ...(filter === null ? {} : { FilterExpression: filter.expression }),
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}

/**
 * Attribute names may contain anything, so expressions refer to them by placeholders. Those of a user's filter do not begin
 * with an underscore.
 */
function placeholders(attributes: readonly string[]): Record<string, string> {
  return Object.fromEntries(attributes.map((name, index) => [`#_${index}`, name]));
}
