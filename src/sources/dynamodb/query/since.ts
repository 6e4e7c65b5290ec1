import { createHash } from 'node:crypto';
import type { AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';
import { type AttributeValue, bytesOf, type Item } from '../attributes.js';
import type { KeyAttribute } from '../keys.js';
import { NUMBER_KEY_BYTES, plainDecimal, writeNumberKey } from '../numbers.js';
import { itemsOf, type Page, pageOfItems } from '../page.js';
import { earlier, isLaterThan } from './times.js';

/*
 * Reading only what is new. Items come in the order of a sort key that grows, so a Query from the newest one seen finds the
 * rest. Two things make that safe: the last items before it are read again (`overlap`), because some become visible late;
 * and the keys of these are remembered, so that none is returned twice.
 */

/** What is known of one Query's items; plain JSON, part of a position. */
export interface Tail {
  /** Of the Query: `KeyCondition.id`. */
  readonly id: string;
  /** The newest sort key seen that is not in the future; null: none. */
  readonly newest: AttributeValue | null;
  /** The next reading begins here, included; null: at the first item. */
  readonly from: AttributeValue | null;
  /** The items seen from there on: sort keys in order, each with hashes of its items' keys. */
  readonly seen: readonly SeenItems[];
}

type SeenItems = readonly [sortKey: AttributeValue, ...hashes: string[]];

/** What a thread needs to find new items; plain data. */
export interface SinceTask {
  /** The sort key that grows. */
  readonly attribute: KeyAttribute;
  /** Milliseconds before the newest item that are read again. */
  readonly overlap: number;
  /** When the reading began, in milliseconds since the epoch. */
  readonly now: number;
  /** By segment. */
  readonly tails: readonly Tail[];
}

export interface Position {
  /** When the reading began, in milliseconds since the epoch. */
  readonly at: number;
  readonly tails: readonly Tail[];
}

/** The most items that the tails of a table remember; with more, less is read again. */
export const MAX_SEEN = 20_000;
/** What each tail may remember even if there are many. */
const MIN_SEEN = 100;

export function newTail(id: string): Tail {
  return { id, newest: null, from: null, seen: [] };
}

/** A sort key for a request: binary as bytes. */
export function requestValue(value: AttributeValue): SdkValue {
  return (value.B === undefined ? value : { B: bytesOf(value.B) }) as SdkValue;
}

/** A position as the recorder keeps it. `index`: the name of the index, null for the table. */
export function encodePosition({ at, tails }: Position, index: string | null, since: string): string {
  return JSON.stringify({ kind: 'since', index, since, at, tails });
}

/** Null if it is not a position of that index and sort key. */
export function decodePosition(text: string, index: string | null, since: string): Position | null {
  try {
    const found = JSON.parse(text) as Position & { kind?: string; index?: string | null; since?: string };
    const isOurs = found.kind === 'since' && found.index === index && found.since === since;
    return isOurs ? { at: found.at, tails: found.tails } : null;
  } catch {
    return null;
  }
}

/** Finds the items of pages that were not seen before, and what has to be remembered of them. */
export class NewItems {
  readonly #task: SinceTask;
  readonly #keys: readonly KeyAttribute[];
  readonly #tails = new Map<number, TailWriter>();

  /** `keys`: of the table, which identify an item in any index. */
  constructor(task: SinceTask, keys: readonly KeyAttribute[]) {
    this.#task = task;
    this.#keys = keys;
  }

  /** The page without the items that were seen before. Pages of a segment come in order. */
  of(segment: number, page: Page): Page {
    const items = itemsOf(page);
    const unseen = this.#tail(segment).add(items);
    return unseen.length === items.length ? page : pageOfItems(unseen, page.envelope);
  }

  /** The tails of the segments, with the new items. */
  finish(): ReadonlyMap<number, Tail> {
    return new Map([...this.#tails].map(([segment, tail]) => [segment, tail.finish()]));
  }

  #tail(segment: number): TailWriter {
    const found = this.#tails.get(segment);
    if (found !== undefined) return found;
    const tail = new TailWriter(this.#task, this.#task.tails[segment]!, this.#keys);
    this.#tails.set(segment, tail);
    return tail;
  }
}

interface Seen {
  readonly sortKey: AttributeValue;
  /** In a form whose order by bytes is the order of the sort keys. */
  readonly order: Buffer;
  readonly hashes: Set<string>;
}

class TailWriter {
  readonly #task: SinceTask;
  readonly #id: string;
  readonly #keys: readonly KeyAttribute[];
  readonly #known: ReadonlySet<string>;
  /** In the order of their sort keys. */
  #seen: Seen[];
  #newest: Seen | null;
  /** Where the tail begins; null: it has all items. */
  #from: AttributeValue | null;

  constructor(task: SinceTask, { id, newest, from, seen }: Tail, keys: readonly KeyAttribute[]) {
    this.#task = task;
    this.#id = id;
    this.#keys = keys;
    this.#known = new Set(seen.flatMap(([, ...hashes]) => hashes));
    this.#seen = seen.map(([sortKey, ...hashes]) => this.#entry(sortKey, hashes));
    this.#newest = newest === null ? null : this.#entry(newest, []);
    this.#from = from;
  }

  /** Returns the items that were not seen before. */
  add(items: readonly Item[]): readonly Item[] {
    if (items.length === 0) return items;
    this.#advance(items);
    const begin = this.#from === null ? null : orderOf(this.#from);
    const added = items.slice(begin === null ? 0 : this.#firstFrom(items, begin)).map((item) => {
      const sortKey = this.#sortKeyOf(item);
      return { sortKey, order: orderOf(sortKey), hashes: new Set([hashOfKey(item, this.#keys)]) };
    });
    const kept =
      begin === null ? this.#seen : this.#seen.filter(({ order }) => Buffer.compare(order, begin) >= 0);
    this.#seen = merged(kept, added);
    if (this.#known.size === 0) return items;
    return items.filter((item) => !this.#known.has(hashOfKey(item, this.#keys)));
  }

  finish(): Tail {
    this.#shorten();
    return {
      id: this.#id,
      newest: this.#newest?.sortKey ?? null,
      from: this.#from,
      seen: this.#seen.map(({ sortKey, hashes }) => [sortKey, ...hashes] as const),
    };
  }

  /** Moves the beginning of the tail behind the newest item. An item of the future does not count: others will come before it. */
  #advance(items: readonly Item[]): void {
    const { overlap, now } = this.#task;
    for (let index = items.length - 1; index >= 0; index -= 1) {
      const sortKey = this.#sortKeyOf(items[index]!);
      if (isLaterThan(sortKey, now)) continue;
      const order = orderOf(sortKey);
      if (this.#newest !== null && Buffer.compare(order, this.#newest.order) <= 0) return;
      this.#newest = { sortKey, order, hashes: new Set() };
      const from = earlier(sortKey, overlap) ?? sortKey;
      const isAhead = this.#from === null || Buffer.compare(orderOf(from), orderOf(this.#from)) > 0;
      if (isAhead) this.#from = from;
      return;
    }
  }

  /** Keeps this tail's share of `MAX_SEEN` items, and always all items of one sort key. */
  #shorten(): void {
    let count = this.#seen.reduce((sum, { hashes }) => sum + hashes.size, 0);
    let first = 0;
    const most = Math.max(MIN_SEEN, Math.floor(MAX_SEEN / this.#task.tails.length));
    while (count > most && first < this.#seen.length - 1) {
      count -= this.#seen[first]!.hashes.size;
      first += 1;
    }
    if (first === 0) return;
    this.#seen = this.#seen.slice(first);
    this.#from = this.#seen[0]!.sortKey;
  }

  #entry(sortKey: AttributeValue, hashes: readonly string[]): Seen {
    return { sortKey, order: orderOf(sortKey), hashes: new Set(hashes) };
  }

  #sortKeyOf(item: Item): AttributeValue {
    const { name } = this.#task.attribute;
    return item[name] as AttributeValue;
  }

  /** The index of the first item at or behind `begin`; items are in the order of their sort keys. */
  #firstFrom(items: readonly Item[], begin: Buffer): number {
    let from = 0;
    let to = items.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (Buffer.compare(orderOf(this.#sortKeyOf(items[middle]!)), begin) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** A sort key in a form whose order by bytes is DynamoDB's order. */
function orderOf({ S, N, B }: AttributeValue): Buffer {
  if (S !== undefined) return Buffer.from(S);
  if (N === undefined) return Buffer.from(bytesOf(B ?? ''));
  const plain = Buffer.from(plainDecimal(N));
  const order = Buffer.alloc(plain.length + NUMBER_KEY_BYTES);
  return order.subarray(0, writeNumberKey(plain, 0, plain.length, order, 0));
}

/** Two lists in order as one; items of one sort key in one entry. */
function merged(a: readonly Seen[], b: readonly Seen[]): Seen[] {
  const all: Seen[] = [];
  for (const one of [...a, ...b].sort((x, y) => Buffer.compare(x.order, y.order))) {
    const last = all.at(-1);
    if (last?.order.equals(one.order) === true) for (const hash of one.hashes) last.hashes.add(hash);
    else all.push({ ...one, hashes: new Set(one.hashes) });
  }
  return all;
}

/** 96 bits: of a billion items, two have the same with a probability of one in 10¹¹. */
function hashOfKey(item: Item, keys: readonly KeyAttribute[]): string {
  const key = keys.map(({ name }) => item[name]);
  return createHash('sha256').update(JSON.stringify(key)).digest('base64').slice(0, 16);
}
