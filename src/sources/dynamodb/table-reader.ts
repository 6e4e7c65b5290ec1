import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../base/clock.js';
import { DynamoCsvError } from '../../base/errors.js';
import type { Column, EncodedRows } from '../../csv/rows.js';
import type { ReadingCost } from '../source.js';
import type { SegmentBlocks } from './blocks.js';
import { type ByteBudget, byteBudget, type ClientOptions, defaultPollBytes } from './client.js';
import { scanUnits } from './cost.js';
import { joinReads, type LastReading } from './last-reading.js';
import type { ColumnOptions } from './layout.js';
import { attributeOfPath, meaningsOf } from './paths.js';
import type { Tail } from './query/since.js';
import type { Cursor, ReadScope, ScanPlan } from './read-plan.js';
import type { TableShape } from './run-encoder.js';
import { type Pace, readSegments, type SegmentsRead, type SegmentsTask, together } from './scan.js';
import type { TableDescription } from './table.js';
import type { ScanThreads } from './threads.js';

/** Up to this size a table is read in the main thread: one or two pages, a few milliseconds each. */
const SMALL = { items: 20_000, bytes: 2 << 20 };
/** The most that DynamoDB returns in one page. */
const PAGE_BYTES = 1 << 20;
/** More segments than this do not use the processors better, and each costs at least a request. */
const MAX_AUTO_SEGMENTS = 16;
/** Read units per second that one segment can consume: about ten pages of 128 units. */
const UNITS_PER_SEGMENT = 1024;
/** The assumed size of an item if the table's size is unknown. */
const ASSUMED_ITEM_BYTES = 1024;

/** How to read a table, as configured. */
export interface ReadOptions extends ColumnOptions {
  /** The DynamoDB table's name. */
  readonly table: string;
  /** Strongly consistent reads, at twice the read units. */
  readonly consistent: boolean;
  /** Segments of the parallel Scan; `auto`: by the table's size. */
  readonly segments: number | 'auto';
  /** Read units per second that polls of this table may take; null: no limit. */
  readonly maxReadCapacity: number | null;
  /** The share of a provisioned table's read capacity that polls may take; absent: all of it. */
  readonly capacityShare?: number;
  /** Megabytes of JSON that one poll may read; null: a quarter of the memory this process may use. */
  readonly maxPollMegabytes: number | null;
}

/** What is known about a table before it is read. */
export interface Expectation {
  readonly scope: ReadScope;
  readonly description: TableDescription;
  /** Columns the dataset already has. */
  readonly known: readonly Column[];
  /** The size found by the last reading: items, and bytes of pages. */
  readonly observed: { readonly items: number; readonly bytes: number };
  /** Milliseconds still to wait for earlier readings under `maxReadCapacity`. */
  readonly owed: number;
}

export interface TableReading {
  readonly rows: EncodedRows;
  readonly keys: readonly string[];
  readonly cost: ReadingCost;
  readonly owed: number;
  /** Names of the columns with values of more than one type. */
  readonly mixed: readonly string[];
  /** Attributes that stay JSON in some of the decoded items, because their values would make too many columns. */
  readonly beyond: readonly string[];
  /** With `since`: what has to be remembered, in the order of the Queries; else empty. */
  readonly tails: readonly Tail[];
}

/** Reads a whole table: a small one in this thread, a large one (or the rest of one that turns out to be large) in threads. */
export class TableReader {
  readonly #options: ReadOptions;
  readonly #client: DynamoDBClient;
  readonly #clientOptions: ClientOptions;
  readonly #threads: ScanThreads;
  readonly #clock: Clock;
  /** What the last reading knew about each item, so that items with the same bytes are not decoded again. */
  #last: LastReading | null = null;

  constructor(
    options: ReadOptions,
    client: DynamoDBClient,
    clientOptions: ClientOptions,
    threads: ScanThreads,
    clock: Clock,
  ) {
    this.#options = options;
    this.#client = client;
    this.#clientOptions = clientOptions;
    this.#threads = threads;
    this.#clock = clock;
  }

  /** Rejects with what the SDK threw, a `DynamoCsvError`, or the signal's reason, after everything has stopped. */
  async read(expectation: Expectation, signal: AbortSignal): Promise<TableReading> {
    const plan = this.#plan(expectation, isLarge(expectation));
    const shape = this.#shape(expectation);
    const isKept = plan.since === null && this.#last?.fits(shape, plan.totalSegments) === true;
    const before = isKept ? this.#last : null;
    try {
      return await this.#read(expectation, plan, shape, before, signal);
    } catch (error) {
      const isCollision = error instanceof DynamoCsvError && error.code === 'COLUMN_COLLISION';
      if (before === null || !isCollision) throw error;
    }
    // The attribute may no longer exist in any item; only reading all of them again can tell.
    return this.#read(expectation, plan, shape, null, signal);
  }

  async #read(
    expectation: Expectation,
    plan: ScanPlan,
    shape: TableShape,
    before: LastReading | null,
    signal: AbortSignal,
  ): Promise<TableReading> {
    const budget = this.#budget();
    const earlier = before?.segments ?? [];
    const all = Array.from(
      { length: plan.totalSegments },
      (_, segment): Cursor => ({ segment, after: null }),
    );
    const reads: SegmentsRead[] = [];
    let rest: readonly Cursor[] = all;
    let { owed } = expectation;
    // A large one is not begun here while threads start: decoding it here too costs more than it saves, see `ScanThreads`.
    if (!isLarge(expectation)) {
      const pace = this.#pace(expectation, 1, owed);
      const task = { shape, plan, cursors: all, pace, budget, earlier };
      const here = await readSegments(this.#client, task, this.#clock, signal, SMALL);
      reads.push(here);
      ({ rest, owed } = here);
    }
    const planOfRest = withTails(plan, reads);
    const shares = split(rest, this.#threads.size);
    const tasks = shares.map((cursors): SegmentsTask => {
      const pace = this.#pace(expectation, shares.length, owed);
      return { shape, plan: planOfRest, cursors, pace, budget, earlier: earlierOf(cursors, earlier) };
    });
    const elsewhere = await together(
      signal,
      tasks.map((task) => (signal) => this.#threads.read(task, this.#clientOptions, signal)),
    );
    reads.push(...elsewhere);
    const { reading, last } = await joinReads(shape, reads, before, this.#threads, mayRepeat(plan));
    this.#last = plan.since === null ? last : null;
    const owing = Math.max(...reads.map(({ owed }) => owed));
    const beyond = [...new Set(reads.flatMap(({ run }) => run.beyond))];
    const tails = withTails(plan, reads).since?.tails ?? [];
    return { ...reading, beyond, cost: totalCost(reads), owed: owing, tails };
  }

  #shape({ description, known }: Expectation): TableShape {
    const { table, columns, only, rename, expand = false, others = [] } = this.#options;
    const options = { columns, only, rename, expand, others };
    return { table, keys: description.keys, options, known };
  }

  #budget(): ByteBudget {
    const { maxPollMegabytes } = this.#options;
    return byteBudget(maxPollMegabytes === null ? defaultPollBytes() : maxPollMegabytes * 1e6);
  }

  #plan(expectation: Expectation, large: boolean): ScanPlan {
    const { table, consistent, segments, only } = this.#options;
    const maxReadCapacity = capacityFor(this.#options, expectation.description);
    const auto = large ? autoSegments(expectedSize(expectation).bytes, maxReadCapacity) : 1;
    const { scope } = expectation;
    return {
      table,
      ...scope,
      totalSegments: scope.queries?.length ?? (segments === 'auto' ? auto : segments),
      consistent,
      pageItems: this.#pageItems(expectation),
      attributes: only === null ? null : this.#attributes(expectation, only),
    };
  }

  /** Items per page so that a page takes at most one second's read units; null if a full page is not more than that. */
  #pageItems(expectation: Expectation): number | null {
    const { consistent } = this.#options;
    const maxReadCapacity = capacityFor(this.#options, expectation.description);
    if (maxReadCapacity === null) return null;
    const bytes = (maxReadCapacity / scanUnits(PAGE_BYTES, { consistent })) * PAGE_BYTES;
    if (bytes >= PAGE_BYTES) return null;
    // DynamoDB updates the count about every six hours, and reports 0 for a new table until then.
    const { description, observed } = expectation;
    const { items, bytes: size } = description.items > 0 ? description : observed;
    const itemBytes = items > 0 ? Math.max(1, size / items) : ASSUMED_ITEM_BYTES;
    return Math.max(1, Math.floor(bytes / itemBytes));
  }

  #pace({ description }: Expectation, shares: number, owed: number): Pace | null {
    const { consistent } = this.#options;
    const maxReadCapacity = capacityFor(this.#options, description);
    if (maxReadCapacity === null) return null;
    const unitsPerSecond = maxReadCapacity / shares;
    const pageUnits = scanUnits(Math.min(PAGE_BYTES, description.bytes), { consistent });
    const expected = Math.min(unitsPerSecond, pageUnits);
    return { unitsPerSecond, owed, expected };
  }

  /** The attributes needed for the wanted columns: those named, those renamed to one of them, and the keys. */
  #attributes({ description, scope }: Expectation, only: readonly string[]): readonly string[] | null {
    const keys = [...description.keys, ...(scope.since === null ? [] : [scope.since.attribute])];
    const wanted = new Set(only);
    const renamed = Object.entries(this.#options.rename).filter(([, column]) => wanted.has(column));
    // Of a path the whole attribute: an index in a projected list is not the index in the list.
    const attributes = [...only, ...renamed.map(([name]) => name)].flatMap(meaningsOf).map(attributeOfPath);
    const { projected } = scope;
    // DynamoDB refuses to project attributes that a global index does not have.
    const present = projected === null ? attributes : attributes.filter((name) => projected.includes(name));
    const names = new Set([...keys.map(({ name }) => name), ...present]);
    // DynamoDB accepts expressions of up to 4 KB; beyond about a hundred names the saving is small anyway.
    return names.size <= 100 ? [...names] : null;
  }
}

/** Read units per second that polls of a table may take, by its options and its provisioned capacity; null: no limit. */
export function capacityFor(
  { maxReadCapacity, capacityShare }: Pick<ReadOptions, 'maxReadCapacity' | 'capacityShare'>,
  { readCapacity }: Pick<TableDescription, 'readCapacity'>,
): number | null {
  if (capacityShare === undefined || readCapacity === null) return maxReadCapacity;
  return Math.min(maxReadCapacity ?? Infinity, readCapacity * capacityShare);
}

function expectedSize({ scope, description, observed }: Expectation): { items: number; bytes: number } {
  // What a Query returns is known once it has been read.
  if (scope.queries !== null) return observed;
  return {
    items: Math.max(description.items, observed.items),
    bytes: Math.max(description.bytes, observed.bytes),
  };
}

function isLarge(expectation: Expectation): boolean {
  const { items, bytes } = expectedSize(expectation);
  return items > SMALL.items || bytes > SMALL.bytes;
}

function autoSegments(bytes: number, maxReadCapacity: number | null): number {
  const useful = Math.min(MAX_AUTO_SEGMENTS, Math.ceil(bytes / PAGE_BYTES));
  const affordable = maxReadCapacity === null ? useful : Math.ceil(maxReadCapacity / UNITS_PER_SEGMENT);
  return Math.max(1, Math.min(useful, affordable));
}

/** The plan for the rest of a reading: what was read so far has been seen. */
function withTails(plan: ScanPlan, reads: readonly SegmentsRead[]): ScanPlan {
  const { since } = plan;
  if (since === null) return plan;
  const tails = [...since.tails];
  for (const read of reads) for (const [segment, tail] of read.tails) tails[segment] = tail;
  return { ...plan, since: { ...since, tails } };
}

/** Whether an item may be read twice: one that moves within an index while it is read. In a table none moves. */
function mayRepeat({ index, queries }: ScanPlan): boolean {
  return index !== null || queries !== null;
}

/** Deals the cursors out evenly. */
function split(cursors: readonly Cursor[], shares: number): Cursor[][] {
  const count = Math.min(shares, cursors.length);
  return Array.from({ length: count }, (_, share) => cursors.filter((_, index) => index % count === share));
}

/** What was known about segments that are read from their beginning; parts of the others were matched already. */
function earlierOf(cursors: readonly Cursor[], earlier: readonly SegmentBlocks[]): readonly SegmentBlocks[] {
  const whole = new Set(cursors.filter(({ after }) => after === null).map(({ segment }) => segment));
  return earlier.filter(({ segment }) => whole.has(segment));
}

function totalCost(reads: readonly SegmentsRead[]): ReadingCost {
  const total = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
  for (const { cost } of reads) {
    total.requests += cost.requests;
    total.attempts += cost.attempts;
    total.bytes += cost.bytes;
    total.readCapacityUnits += cost.readCapacityUnits;
  }
  return total;
}
