import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../../base/clock.js';
import { DynamoCsvError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Reading, Source } from '../source.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { describeTable, type TableDescription } from './table.js';
import { type ReadOptions, TableReader } from './table-reader.js';
import type { ScanThreads } from './threads.js';
import { tableTitle } from './title.js';

export interface DynamoDbSourceOptions extends ReadOptions {
  /** AWS region; null: the SDK's default chain. */
  readonly region: string | null;
  /** Where large tables are read; one for all sources. */
  readonly threads: ScanThreads;
  /** Another endpoint than the SDK's default chain finds; for tests. */
  readonly endpoint?: string | null;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A description says how many items a table has and what its key is; both change slowly. */
const DESCRIPTION_LIFETIME = 3_600_000;

/** A DynamoDB table as a source: each reading is a complete Scan. */
export function createDynamoDbSource(options: DynamoDbSourceOptions): Source {
  return new DynamoDbSource(options);
}

class DynamoDbSource implements Source {
  readonly title: string;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #client: DynamoDBClient;
  readonly #reader: TableReader;
  #description: { readonly value: TableDescription; readonly at: number } | null = null;
  /** What the last reading found, which knows better than a description that is hours old. */
  #observed = { items: 0, bytes: 0 };
  /** When all read units taken so far are paid, in milliseconds since the epoch. */
  #paidAt = 0;

  constructor(options: DynamoDbSourceOptions) {
    const client = { region: options.region, endpoint: options.endpoint ?? null };
    this.title = tableTitle(options.table);
    this.#table = options.table;
    this.#clock = options.clock ?? systemClock;
    this.#client = createDynamoDbClient(client);
    this.#reader = new TableReader(options, this.#client, client, options.threads, this.#clock);
  }

  async read(request: Parameters<Source['read']>[0]): Promise<Reading> {
    const described = this.#description !== null;
    try {
      return await this.#attempt(request);
    } catch (error) {
      const keyChanged = error instanceof DynamoCsvError && error.code === 'KEY_CHANGED';
      if (!keyChanged || !described) throw error;
    }
    // Deleted and made again with another key since it was described: once more, with the key it has now.
    return this.#attempt(request);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #attempt({ known, signal }: Parameters<Source['read']>[0]): Promise<Reading> {
    signal.throwIfAborted();
    try {
      const { description, requests } = await this.#described(signal);
      const owed = Math.max(0, this.#paidAt - this.#clock.now());
      const expectation = { description, known, observed: this.#observed, owed };
      const reading = await this.#reader.read(expectation, signal);
      this.#paidAt = this.#clock.now() + reading.owed;
      this.#observed = { items: reading.rows.ends.length, bytes: reading.cost.bytes };
      const cost = {
        ...reading.cost,
        requests: reading.cost.requests + requests,
        attempts: reading.cost.attempts + requests,
      };
      return { rows: reading.rows, keys: reading.keys, cost };
    } catch (thrown) {
      // Whatever went wrong: what is believed of the table may be why.
      this.#description = null;
      signal.throwIfAborted();
      throw explainFailure(thrown, await placeOf(this.#client, this.#table), 'dynamodb:Scan');
    }
  }

  async #described(signal: AbortSignal): Promise<{ description: TableDescription; requests: number }> {
    const now = this.#clock.now();
    if (this.#description !== null && now - this.#description.at < DESCRIPTION_LIFETIME) {
      return { description: this.#description.value, requests: 0 };
    }
    const value = await describeTable(this.#client, this.#table, signal);
    this.#description = { value, at: now };
    return { description: value, requests: 1 };
  }
}
