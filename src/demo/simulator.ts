import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DynamoDBDocumentClient,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../base/clock.js';
import type { Fleet, TableWrites } from './fleet.js';
import type { IncidentPlan } from './incidents.js';
import { FLEET_TABLE_NAMES, FLEET_TABLES, type FleetTable, type Item } from './tables.js';

/** DynamoDB takes at most this many writes in one request. */
const BATCH = 25;
/** The fleet moves once a second: about a dozen writes, one request. */
const TICK = 1_000;
/** How many taxis lose their destination when the plan has taxis unassigned: more than one, and few enough to read. */
const UNASSIGNED_TAXIS = 12;

type WriteRequest = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];

/**
 * Moves a fleet in real time, leaves taxis unassigned when the plan of incidents says so, and writes what changed to its
 * tables.
 * What could not be written stays pending, and later writes of the same item replace it.
 */
export class Simulator {
  readonly #fleet: Fleet;
  readonly #plan: IncidentPlan;
  readonly #client: DynamoDBDocumentClient;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #isUnassigning = false;
  /** By table and key: what the table still has to learn. */
  readonly #pending = new Map<string, { readonly table: FleetTable; readonly request: WriteRequest }>();

  /** `onError` hears of failed writes; the next tick tries them again. */
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

  /** Writes the whole fleet as it is now, and removes what the tables have beyond it. */
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

  /** Moves the fleet until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(TICK - (this.#clock.now() % TICK), signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.step().catch(this.#onError);
    }
  }

  /** Moves the fleet to now and writes what changed; rejects when the tables cannot be written. */
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

  /** One request at a time, so that a DynamoDB in the same process leaves the service its turns. */
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

  /** How many writes DynamoDB did not take; they are pending again. */
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
