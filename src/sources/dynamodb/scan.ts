import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { DynamoDBClient, ScanCommand, AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../base/clock.js';
import { pageMemory } from '../aws/receiving.js';
import { bytesOf } from './attributes.js';
import type { SegmentBlocks } from './blocks.js';
import { type ByteBudget, MAX_IN_FLIGHT, spend } from './client.js';
import { scanRepeats } from './errors.js';
import { ReadPacer } from './pacing.js';
import { type Page, pageOf } from './page.js';
import { NewItems, type Tail } from './query/since.js';
import { type Cursor, readCommand, type ScanPlan } from './read-plan.js';
import { type EncodedRun, RunEncoder, type TableShape } from './run-encoder.js';
import type { Run } from './sort.js';

export interface ScanCost {
  requests: number;
  attempts: number;
  bytes: number;
  readCapacityUnits: number;
}

export function noCost(): ScanCost {
  return { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0 };
}

export interface ScanHandlers {
  /** Receives a segment's next page; false: stop, leave the rest. */
  readonly onPage: (segment: number, page: Page, cost: ScanCost) => boolean;
  readonly pacer: ReadPacer | null;
  readonly budget: ByteBudget;
  /** Aborts requests. */
  readonly signal: AbortSignal;
}

interface Answer {
  readonly page: Page;
  /** Of its body. */
  readonly bytes: number;
  readonly next: Cursor['after'];
}

/**
 * Reads every page of these segments, several segments at a time; while a page is handled, its segment's next one is being
 * requested. The first failure ends all and rejects with what the SDK threw. Returns what was left unread.
 */
async function scanSegments(
  client: DynamoDBClient,
  plan: ScanPlan,
  cursors: readonly Cursor[],
  handlers: ScanHandlers,
): Promise<{ cost: ScanCost; rest: Cursor[] }> {
  const scan = new SegmentsScan(client, plan, cursors, handlers);
  return scan.run();
}

class SegmentsScan {
  readonly #client: DynamoDBClient;
  readonly #plan: ScanPlan;
  readonly #handlers: ScanHandlers;
  readonly #cost = noCost();
  readonly #waiting: Cursor[];
  readonly #rest: Cursor[] = [];
  #enough = false;

  constructor(client: DynamoDBClient, plan: ScanPlan, cursors: readonly Cursor[], handlers: ScanHandlers) {
    this.#client = client;
    this.#plan = plan;
    this.#handlers = handlers;
    this.#waiting = [...cursors];
  }

  async run(): Promise<{ cost: ScanCost; rest: Cursor[] }> {
    const workers = Math.min(MAX_IN_FLIGHT, this.#waiting.length);
    const work = (signal: AbortSignal) => this.#readWaiting(signal);
    await together(
      this.#handlers.signal,
      Array.from({ length: workers }, () => work),
    );
    return { cost: this.#cost, rest: [...this.#rest, ...this.#waiting] };
  }

  /** A worker: reads one waiting segment after another. */
  async #readWaiting(signal: AbortSignal): Promise<void> {
    while (!this.#enough) {
      const cursor = this.#waiting.shift();
      if (cursor === undefined) return;
      await this.#segment(cursor, signal);
    }
  }

  async #segment({ segment, after }: Cursor, signal: AbortSignal): Promise<void> {
    const { budget, onPage } = this.#handlers;
    const keys = new KeysSeen(this.#plan, segment);
    let request: Promise<Answer> | null = this.#page({ segment, after }, signal);
    while (request !== null) {
      const { page, bytes, next }: Answer = await request;
      spend(budget, bytes, this.#plan.table);
      keys.add(next);
      request = next === null || this.#enough ? null : this.#page({ segment, after: next }, signal);
      // It is awaited in the next iteration. If this page fails first, its own failure must not be an unhandled rejection.
      request?.catch(() => {});
      if (!onPage(segment, page, this.#cost)) this.#enough = true;
      pageMemory.give(page.bytes);
      if (request === null && next !== null) this.#rest.push({ segment, after: next });
    }
  }

  async #page(cursor: Cursor, signal: AbortSignal): Promise<Answer> {
    const { pacer } = this.#handlers;
    const expected = (await pacer?.take(signal)) ?? 0;
    const answer = await this.#client.send(readCommand(this.#plan, cursor) as ScanCommand, {
      abortSignal: signal,
    });
    const units = answer.ConsumedCapacity?.CapacityUnits ?? 0;
    pacer?.consumed(units, expected);
    const { page, bytes } = pageOf(answer);
    this.#cost.requests += 1;
    this.#cost.attempts += answer.$metadata.attempts ?? 1;
    this.#cost.bytes += bytes;
    this.#cost.readCapacityUnits += units;
    return { page, bytes, next: requestKey(answer.LastEvaluatedKey) };
  }
}

/** Detects repeating pages: DynamoDB never sends the same `LastEvaluatedKey` twice in a Scan. */
class KeysSeen {
  readonly #plan: ScanPlan;
  readonly #segment: number;
  readonly #hashes = new Set<string>();
  #pages = 0;

  constructor(plan: ScanPlan, segment: number) {
    this.#plan = plan;
    this.#segment = segment;
  }

  /** Adds the last key of the next page. Throws `scanRepeats` if an earlier page had it. */
  add(key: Cursor['after']): void {
    this.#pages += 1;
    if (key === null) return;
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('base64');
    if (this.#hashes.has(hash)) {
      const { table, queries } = this.#plan;
      throw scanRepeats(table, this.#segment, this.#pages, queries === null ? 'Scan' : 'Query');
    }
    this.#hashes.add(hash);
  }
}

/** Converts a key of a response for a request: binary as bytes. */
function requestKey(key: Record<string, SdkValue> | undefined): Cursor['after'] {
  if (key === undefined) return null;
  const entries = Object.entries(key).map(([name, value]): [string, SdkValue] => [
    name,
    value.B === undefined ? value : { B: bytesOf(value.B) },
  ]);
  return Object.fromEntries(entries);
}

/** One thread's share of a table's segments; plain data. */
export interface SegmentsTask {
  readonly shape: TableShape;
  readonly plan: ScanPlan;
  readonly cursors: readonly Cursor[];
  readonly pace: Pace | null;
  /** What all shares of this poll may read together. */
  readonly budget: ByteBudget;
  /** What the previous reading knew about the items of these segments, with the same shape. */
  readonly earlier: readonly SegmentBlocks[];
}

/** This share's part of `maxReadCapacity`. */
export interface Pace {
  readonly unitsPerSecond: number;
  /** Milliseconds still to wait for earlier readings. */
  readonly owed: number;
  /** Read units that the first page is expected to consume. */
  readonly expected: number;
}

export interface SegmentsRead extends EncodedRun {
  readonly cost: ScanCost;
  /** The segments left unread because the limit was reached. */
  readonly rest: readonly Cursor[];
  /** With `since`: what has to be remembered, by segment. */
  readonly tails: ReadonlyMap<number, Tail>;
  /** Milliseconds still to wait for this reading. */
  readonly owed: number;
}

export interface ReadLimits {
  readonly items: number;
  readonly bytes: number;
}

/** Reads these segments into one run, or up to about `limits` of them. Rejects with what the SDK threw. */
export async function readSegments(
  client: DynamoDBClient,
  task: SegmentsTask,
  clock: Clock,
  signal: AbortSignal,
  limits: ReadLimits | null,
): Promise<SegmentsRead> {
  const encoder = new RunEncoder(task.shape, task.earlier);
  const { since } = task.plan;
  const fresh = since === null ? null : new NewItems(since, task.shape.keys);
  const onPage = (segment: number, page: Page) => encoder.add(segment, fresh?.of(segment, page) ?? page);
  try {
    const read = await readInto(encoder, onPage, client, task, clock, signal, limits);
    return { ...encoder.finish(), ...read, tails: fresh?.finish() ?? new Map() };
  } finally {
    // The next poll is a while away.
    pageMemory.clear();
  }
}

/** What was read of some segments as mere rows. */
export interface RowsRead
  extends Pick<SegmentsRead, 'cost' | 'rest' | 'owed'>,
    Pick<Run, 'rows' | 'mixed' | 'origins'> {}

/**
 * Reads these segments as `readSegments` does, but neither sorts the rows nor remembers the items, which is a third of the
 * work. Rows of a segment are in the order of its pages.
 */
export async function readRows(
  client: DynamoDBClient,
  task: Omit<SegmentsTask, 'earlier'>,
  clock: Clock,
  signal: AbortSignal,
  limits: ReadLimits | null,
): Promise<RowsRead> {
  const encoder = new RunEncoder(task.shape, null);
  const onPage = (segment: number, page: Page) => encoder.add(segment, page);
  const read = await readInto(encoder, onPage, client, task, clock, signal, limits);
  const { rows, mixed, origins } = encoder.finishInOrder();
  return { rows, mixed, origins, ...read };
}

async function readInto(
  encoder: RunEncoder,
  onPage: (segment: number, page: Page) => void,
  client: DynamoDBClient,
  { plan, cursors, pace, budget }: Omit<SegmentsTask, 'earlier'>,
  clock: Clock,
  signal: AbortSignal,
  limits: ReadLimits | null,
): Promise<Pick<SegmentsRead, 'cost' | 'rest' | 'owed'>> {
  const pacer = pace === null ? null : new ReadPacer(pace.unitsPerSecond, clock, pace);
  const { cost, rest } = await scanSegments(client, plan, cursors, {
    pacer,
    budget,
    signal,
    onPage: (segment, page, { bytes }) => {
      onPage(segment, page);
      return limits === null || (encoder.items <= limits.items && bytes <= limits.bytes);
    },
  });
  return { cost, rest, owed: pacer?.owed ?? 0 };
}

/**
 * Runs jobs concurrently under one signal. The first failure aborts the others and is thrown once all have ended, so
 * nothing continues in the background. Throws the outer signal's reason if that aborts.
 */
export async function together<T>(
  signal: AbortSignal,
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T[]> {
  const controller = new AbortController();
  // Each request adds a listener, so many at a time are normal.
  setMaxListeners(0, controller.signal);
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const running = jobs.map(async (job) => {
      try {
        return await job(controller.signal);
      } catch (error) {
        // Only the first one counts: later failures follow from it.
        controller.abort(error);
        throw error;
      }
    });
    await Promise.allSettled(running);
    if (controller.signal.aborted) throw controller.signal.reason;
    return await Promise.all(running);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
