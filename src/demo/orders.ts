import { chance } from './random.js';
import type { Zone } from './zones.js';

/** An order as the table has it, in the document client's form. */
export interface OrderItem {
  readonly order_id: string;
  readonly customer: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly status: OrderStatus;
  /** US dollars. */
  readonly amount: number;
  /** Where the passenger waits. */
  readonly address: { readonly street: string; readonly zone_id: number };
  /** The table's time to live, in seconds since the epoch: a while after the ride was paid. */
  readonly expires_at?: number;
}

export type OrderStatus = 'new' | 'accepted' | 'riding' | 'paid';

/** What the application does to one order. */
export type OrderWrite =
  | { readonly kind: 'put'; readonly item: OrderItem }
  | {
      readonly kind: 'update';
      readonly order_id: string;
      readonly set: { readonly status: OrderStatus; readonly expires_at?: number };
    }
  | { readonly kind: 'delete'; readonly order_id: string };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Milliseconds between two orders, on average. */
const EVERY = 4 * SECOND;
/** Milliseconds that a paid order is kept. */
const KEPT = 20 * MINUTE;
/** Milliseconds from an order's creation to its removal, at most. */
const LONGEST = 50 * MINUTE;
/** The share of orders that their customer cancels before a taxi accepts them: they are deleted. */
const CANCELLED = 0.08;

const STREETS = [
  'Broadway',
  'Park Ave',
  'Lexington Ave',
  'Madison Ave',
  'Amsterdam Ave',
  'Mercer St',
  'Canal St',
];

/**
 * The rides that customers order by app: a pure function of the seed and the time, like the fleet. An order is put, accepted
 * by a taxi, and paid after the ride; some are cancelled. What is paid is removed by the table's time to live.
 */
export class Orders {
  readonly #seed: number;
  readonly #zones: readonly Zone[];

  constructor(options: { readonly seed: number; readonly zones: readonly Zone[] }) {
    this.#seed = options.seed;
    this.#zones = options.zones.filter(({ weight }) => weight > 0);
  }

  /** The orders that are in the table at that time, oldest first, as long as the time to live is exact. */
  items(time: number): readonly OrderItem[] {
    const items: OrderItem[] = [];
    for (const order of this.#orders(time - LONGEST, time)) {
      const item = itemAt(order, time);
      if (item !== null) items.push(item);
    }
    return items;
  }

  /** What is written after `from` until `to` (included), in the order of time. Nothing removes paid orders: they expire. */
  writes(from: number, to: number): readonly OrderWrite[] {
    const steps: { readonly at: number; readonly write: OrderWrite }[] = [];
    for (const order of this.#orders(from - LONGEST, to))
      for (const step of stepsOf(order)) if (step.at > from && step.at <= to) steps.push(step);
    return steps.sort((a, b) => a.at - b.at).map(({ write }) => write);
  }

  *#orders(from: number, to: number): Generator<Order> {
    for (let number = Math.floor(from / EVERY); number * EVERY <= to; number += 1) {
      const order = this.#order(number);
      if (order.times.new <= to) yield order;
    }
  }

  #order(number: number): Order {
    const drawn = (what: string) => chance(this.#seed, 'order', number, what);
    const created = number * EVERY + Math.floor(drawn('created') * EVERY);
    const accepted = created + SECOND * Math.round(4 + 50 * drawn('accepted'));
    const riding = accepted + SECOND * Math.round(30 + 400 * drawn('riding'));
    const paid = riding + SECOND * Math.round(120 + 900 * drawn('paid'));
    const zone = this.#zones[Math.floor(drawn('zone') * this.#zones.length)]!;
    const minutes = (paid - riding) / MINUTE;
    return {
      times: { new: created, accepted, riding, paid },
      cancelledAt: drawn('cancelled') < CANCELLED ? accepted - 2 * SECOND : null,
      item: {
        order_id: `ride-${number}`,
        customer: `customer-${String(Math.floor(drawn('customer') * 900)).padStart(3, '0')}`,
        created_at: new Date(created).toISOString(),
        status: 'new',
        amount: Math.round((3 + 1.7 * minutes) * 100) / 100,
        address: {
          street: `${1 + Math.floor(drawn('number') * 1_200)} ${STREETS[Math.floor(drawn('street') * STREETS.length)]}`,
          zone_id: zone.id,
        },
      },
    };
  }
}

interface Order {
  /** When it has which status, in milliseconds since the epoch. */
  readonly times: Readonly<Record<OrderStatus, number>>;
  /** Before it is accepted; null: it is not cancelled. */
  readonly cancelledAt: number | null;
  readonly item: OrderItem;
}

/** An order's writes with their times, in their order. */
function stepsOf({ times, cancelledAt, item }: Order): { readonly at: number; readonly write: OrderWrite }[] {
  const { order_id } = item;
  const put = { at: times.new, write: { kind: 'put', item } } as const;
  if (cancelledAt !== null) return [put, { at: cancelledAt, write: { kind: 'delete', order_id } }];
  const set = (status: 'accepted' | 'riding') =>
    ({ at: times[status], write: { kind: 'update', order_id, set: { status } } }) as const;
  const expires_at = expiryOf(times);
  const paid = { kind: 'update', order_id, set: { status: 'paid', expires_at } } as const;
  return [put, set('accepted'), set('riding'), { at: times.paid, write: paid }];
}

/** Null: it is not in the table then. */
function itemAt({ times, cancelledAt, item }: Order, time: number): OrderItem | null {
  if (time < times.new || (cancelledAt !== null && time >= cancelledAt)) return null;
  const expires_at = expiryOf(times);
  if (cancelledAt === null && time >= expires_at * SECOND) return null;
  if (time >= times.paid) return { ...item, status: 'paid', expires_at };
  return { ...item, status: time >= times.riding ? 'riding' : time >= times.accepted ? 'accepted' : 'new' };
}

function expiryOf({ paid }: Order['times']): number {
  return Math.ceil((paid + KEPT) / SECOND);
}
