import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoCsvError } from '../../base/errors.js';
import { Semaphore } from '../../base/semaphore.js';
import { awsFailure, facts } from '../aws/failures.js';
import type { PollExpectation } from '../kind.js';
import type { AttributeValue } from './attributes.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { noDynamoDb, type TablePlace, tableNotActive } from './errors.js';
import { sampleItem } from './sample.js';
import { ListTablesCommand } from './sdk.js';
import { expectationOf } from './source.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';

/** What was found out about a table without reading it. */
export interface TableSurvey {
  readonly description: TableDescription;
  readonly expectation: PollExpectation;
  /** One item in DynamoDB's JSON; null: the table is empty. */
  readonly item: Readonly<Record<string, AttributeValue>> | null;
}

/** Tables that are asked about at the same time: far below DynamoDB's limit of DescribeTable calls. */
const AT_A_TIME = 16;
/** Pages of a hundred names: an account may have 10,000 tables in a region. */
const MOST_PAGES = 1_000;

/** How tables found by name are read, for what they will cost. */
const READ = { consistent: false, segments: 'auto', maxReadCapacity: null } as const;

/** Lists the tables of a region and asks about each. Requests are throttled by the SDK's adaptive retries. */
export class TableList {
  readonly #client: DynamoDBClient;
  readonly #slots = new Semaphore(AT_A_TIME);
  readonly #capacityShare: number;

  /** `region`: null: the SDK finds it. `capacityShare`: of a provisioned capacity, that polls will take. */
  constructor(options: { readonly region: string | null; readonly capacityShare: number }) {
    this.#client = createDynamoDbClient({ region: options.region, endpoint: null });
    this.#capacityShare = options.capacityShare;
  }

  /** The names of all tables. Rejects with a `DynamoCsvError`, or with the signal's reason. */
  async names(signal: AbortSignal): Promise<readonly string[]> {
    const names = new Set<string>();
    try {
      let after: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const command = new ListTablesCommand(after === undefined ? {} : { ExclusiveStartTableName: after });
        const { TableNames = [], LastEvaluatedTableName } = await this.#client.send(command, {
          abortSignal: signal,
        });
        for (const name of TableNames) names.add(name);
        // A page that ends where it began would never end.
        if (LastEvaluatedTableName === undefined || LastEvaluatedTableName === after) break;
        after = LastEvaluatedTableName;
      }
      return [...names];
    } catch (thrown) {
      signal.throwIfAborted();
      throw tablesNotListed(await placeOf(this.#client, ''), thrown);
    }
  }

  /**
   * Describes a table and reads one item of it (half a read unit), so that a denied Scan is found. Rejects with a
   * `DynamoCsvError`, or with the signal's reason.
   */
  async survey(table: string, signal: AbortSignal): Promise<TableSurvey> {
    return this.#slots.run(async () => {
      const description = await describeTable(this.#client, table, signal);
      const place = await placeOf(this.#client, table);
      if (!isReadable(description.status)) throw tableNotActive(place, description.status, null);
      const item = await sampleItem(this.#client, table, signal);
      const options = { ...READ, capacityShare: this.#capacityShare };
      return { description, item, expectation: expectationOf(description, options, place.region) };
    }, signal);
  }

  close(): void {
    this.#client.destroy();
  }
}

/** ListTables failed. */
function tablesNotListed({ region, endpoint }: TablePlace, thrown: unknown): DynamoCsvError {
  const parts = [region === null ? null : `region ${region}`, endpoint].filter((part) => part !== null);
  const where = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  const failure = awsFailure(thrown, {
    action: 'dynamodb:ListTables',
    allow: (denied) => `allow the action ${denied} on * in IAM (docs/iam.md), or name the tables`,
    regionOption: 'region under discover',
  });
  if (failure === null) {
    const { reason, whileReading } = facts(thrown);
    if (whileReading)
      return noDynamoDb({ table: '*', region, endpoint }, 'something else answers there', thrown);
    return new DynamoCsvError('TABLES_NOT_LISTED', `The tables${where} cannot be listed: ${reason}`, {
      remedy: 'name the tables to read them without a list',
      status: 502,
      cause: thrown,
    });
  }
  return new DynamoCsvError(failure.code, `The tables${where} cannot be listed: ${failure.why}`, {
    remedy: failure.remedy,
    status: 502,
    cause: thrown,
  });
}
