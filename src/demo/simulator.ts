import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { BatchWriteCommandInput, DynamoDBDocumentClient as DocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../base/clock.js';
import type { Fleet, TableWrites } from './fleet.js';
import type { IncidentPlan } from './incidents.js';
import { BatchWriteCommand, DynamoDBDocumentClient, paginateScan } from './sdk.js';
import { FLEET_TABLE_NAMES, FLEET_TABLES, type FleetTable, type Item } from './tables.js';
import { everySecond } from './ticks.js';

/** DynamoDB takes at most this many writes in one request. */
const BATCH = 25;
/** Taxis that lose their destination in the `unassigned` incident: more than one, few enough to list. */
const UNASSIGNED_TAXIS = 12;

type WriteRequest = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/**
 * Moves a fleet in real time, unassigns taxis when the incident plan says so, and writes the changes to its tables.
 * Failed writes stay pending until they succeed or a later write of the same item replaces them.
 */
export class Simulator {
  readonly #fleet: Fleet;
  readonly #plan: IncidentPlan;
  readonly #client: DocumentClient;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #isUnassigning = false;
  /** Pending writes by table and key. */
  readonly #pending = new Map<string, { readonly table: FleetTable; readonly request: WriteRequest }>();

  /** `onError` is called with failed writes, which the next tick retries. */
  constructor(options: {
    readonly fleet: Fleet;
    readonly plan: IncidentPlan;
    readonly client: DynamoDBClient;
    readonly clock: Clock;
    readonly onError: (error: unknown) => void;
  }) {
    this.#fleet = options.fleet;
    this.#plan = options.plan;
    this.#client = DynamoDBDocumentClient.from(options.client);
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  /** Writes the whole fleet and deletes items that are not part of it. */
  async fill(): Promise<void> {
    this.#move();
    this.#fleet.takeWrites();
    for (const table of FLEET_TABLE_NAMES) {
      const puts = this.#fleet.items(table);
      const { key } = FLEET_TABLES[table];
      const wanted = new Set(puts.map((item) => item[key]));
      const deletes = (await this.#keysIn(table)).filter((value) => !wanted.has(value));
      this.#add({ table, puts, deletes });
    }
    await this.#write();
  }

  /** Moves the fleet once a second until the signal aborts: a dozen writes or so, in one request. */
  async run(signal: AbortSignal): Promise<void> {
    await everySecond(() => this.step(), { clock: this.#clock, signal, onError: this.#onError });
  }

  /** Advances the fleet to the present and writes the changes; rejects when a write fails. */
  async step(): Promise<void> {
    this.#move();
    for (const writes of this.#fleet.takeWrites()) this.#add(writes);
    await this.#write();
  }

  #move(): void {
    const now = this.#clock.now();
    this.#fleet.advanceTo(now);
    const isDue = this.#plan.at(now, 'unassigned') !== null;
    if (isDue && !this.#isUnassigning) this.#fleet.unassign(UNASSIGNED_TAXIS);
    if (!isDue && this.#isUnassigning) this.#fleet.reassign();
    this.#isUnassigning = isDue;
  }

  #add({ table, puts, deletes }: TableWrites): void {
    const { key } = FLEET_TABLES[table];
    for (const Item of puts) this.#pend(table, Item[key], { PutRequest: { Item } });
    for (const value of deletes) this.#pend(table, value, { DeleteRequest: { Key: { [key]: value } } });
  }

  #pend(table: FleetTable, key: Item[string] | undefined, request: WriteRequest): void {
    this.#pending.set(`${table}/${key}`, { table, request });
  }

  /** One request at a time, so that a DynamoDB in this process still answers the service in between. */
  async #write(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, BATCH);
      for (const [id] of batch) this.#pending.delete(id);
      const unwritten = await this.#send(batch.map(([, write]) => write)).catch((error: unknown) => {
        for (const [id, write] of batch) if (!this.#pending.has(id)) this.#pending.set(id, write);
        throw error;
      });
      if (unwritten === batch.length) return;
    }
  }

  /** Returns the number of unprocessed writes, which are pending again. */
  async #send(writes: readonly { table: FleetTable; request: WriteRequest }[]): Promise<number> {
    const requests: Record<string, WriteRequest[]> = {};
    for (const { table, request } of writes) {
      requests[table] ??= [];
      requests[table].push(request);
    }
    const { UnprocessedItems: left = {} } = await this.#client.send(
      new BatchWriteCommand({ RequestItems: requests }),
    );
    let unwritten = 0;
    for (const [table, requests] of Object.entries(left)) {
      for (const request of requests) {
        const key = FLEET_TABLES[table as FleetTable].key;
        const value = (request.PutRequest?.Item ?? request.DeleteRequest?.Key)?.[key];
        this.#pend(table as FleetTable, value, request);
        unwritten += 1;
      }
    }
    return unwritten;
  }

  async #keysIn(table: FleetTable): Promise<(string | number)[]> {
    const { key } = FLEET_TABLES[table];
    const keys: (string | number)[] = [];
    const scan = {
      TableName: table,
      ProjectionExpression: '#key',
      ExpressionAttributeNames: { '#key': key },
    };
    for await (const page of paginateScan({ client: this.#client }, scan)) {
      for (const item of page.Items ?? []) keys.push(item[key]);
    }
    return keys;
  }
}
