import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient as DocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../base/clock.js';
import type { Orders, OrderWrite } from './orders.js';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, paginateScan, UpdateCommand } from './sdk.js';
import { ORDERS_TABLE } from './tables.js';

/**
 * Writes orders as an application does: one request for each step of an order, in their order. Failed writes stay pending.
 */
export class OrderDesk {
  readonly #orders: Orders;
  readonly #client: DocumentClient;
  readonly #clock: Clock;
  #writtenTo: number;
  readonly #pending: OrderWrite[] = [];

  constructor(options: { readonly orders: Orders; readonly client: DynamoDBClient; readonly clock: Clock }) {
    this.#orders = options.orders;
    this.#client = DynamoDBDocumentClient.from(options.client);
    this.#clock = options.clock;
    this.#writtenTo = options.clock.now();
  }

  /** Writes all orders of the present, and deletes what an earlier run left. */
  async fill(): Promise<void> {
    this.#writtenTo = this.#clock.now();
    const items = this.#orders.items(this.#writtenTo);
    const wanted = new Set(items.map(({ order_id }) => order_id));
    for (const order_id of await this.#written())
      if (!wanted.has(order_id)) this.#pending.push({ kind: 'delete', order_id });
    for (const item of items) this.#pending.push({ kind: 'put', item });
    await this.#write();
  }

  /** Writes what happened since the last call; rejects when a write fails. */
  async step(): Promise<void> {
    const now = this.#clock.now();
    this.#pending.push(...this.#orders.writes(this.#writtenTo, now));
    this.#writtenTo = now;
    await this.#write();
  }

  async #write(): Promise<void> {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      await this.#send(next);
      this.#pending.shift();
    }
  }

  async #send(write: OrderWrite): Promise<void> {
    const TableName = ORDERS_TABLE;
    if (write.kind === 'put') await this.#client.send(new PutCommand({ TableName, Item: write.item }));
    else if (write.kind === 'delete')
      await this.#client.send(new DeleteCommand({ TableName, Key: { order_id: write.order_id } }));
    else await this.#client.send(updateOf(write));
  }

  async #written(): Promise<string[]> {
    const ids: string[] = [];
    const scan = { TableName: ORDERS_TABLE, ProjectionExpression: 'order_id' };
    for await (const page of paginateScan({ client: this.#client }, scan))
      for (const item of page.Items ?? []) ids.push(item.order_id);
    return ids;
  }
}

function updateOf({ order_id, set }: OrderWrite & { kind: 'update' }) {
  const attributes = Object.entries(set);
  return new UpdateCommand({
    TableName: ORDERS_TABLE,
    Key: { order_id },
    UpdateExpression: `SET ${attributes.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(attributes.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(attributes.map(([name, value]) => [`:${name}`, value])),
  });
}
