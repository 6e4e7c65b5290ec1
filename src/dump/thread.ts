import { systemClock } from '../base/clock.js';
import { type ErrorData, errorToData } from '../base/errors.js';
import type { EncodedRows } from '../csv/rows.js';
import { byteBudget, type ClientOptions, createDynamoDbClient, placeOf } from '../sources/dynamodb/client.js';
import { explainFailure } from '../sources/dynamodb/failures.js';
import { moved } from '../sources/dynamodb/moved.js';
import type { Cursor, ScanPlan } from '../sources/dynamodb/read-plan.js';
import type { TableShape } from '../sources/dynamodb/run-encoder.js';
import { type Pace, type ReadLimits, readSegments, type ScanCost } from '../sources/dynamodb/scan.js';

/** Some pages of one segment; plain data. */
export interface ChunkTask {
  readonly client: ClientOptions;
  readonly shape: TableShape;
  readonly plan: ScanPlan;
  readonly cursor: Cursor;
  readonly pace: Pace | null;
  readonly limits: ReadLimits;
}

/** The rows of some pages of a segment, and where it goes on; null: the segment is complete. */
export interface Chunk {
  readonly rows: EncodedRows;
  readonly next: Cursor['after'];
  readonly cost: ScanCost;
  /** Milliseconds still to wait for what was consumed. */
  readonly owed: number;
}

/** Errors are posted as data: between threads an error loses its class and its fields. */
export type ChunkResult = { readonly chunk: Chunk } | { readonly error: ErrorData };

/** Of this thread; they live as long as it does. */
let client: ReturnType<typeof createDynamoDbClient> | null = null;

/** Reads one chunk for another thread: the memory of its rows is moved and not copied. */
export async function readChunk(task: ChunkTask): Promise<ChunkResult> {
  const result = await readHere(task);
  if ('error' in result) return result;
  const { body, ends } = result.chunk.rows;
  return moved(result, [body.buffer, ends.buffer] as ArrayBuffer[]);
}

/** Reads one chunk. */
export async function readHere(task: ChunkTask): Promise<ChunkResult> {
  client ??= createDynamoDbClient(task.client);
  try {
    return { chunk: await chunkOf(client, task) };
  } catch (thrown) {
    const place = await placeOf(client, task.plan.table);
    return { error: errorToData(explainFailure(thrown, place, 'dynamodb:Scan')) };
  }
}

async function chunkOf(own: NonNullable<typeof client>, task: ChunkTask): Promise<Chunk> {
  const { shape, plan, cursor, pace, limits } = task;
  const signal = new AbortController().signal;
  // Chunks are small; the whole may be larger than memory.
  const budget = byteBudget(Number.MAX_SAFE_INTEGER);
  const segments = { shape, plan, cursors: [cursor], pace, budget, earlier: [] };
  const { run, cost, rest, owed } = await readSegments(own, segments, systemClock, signal, limits);
  return { rows: run.rows, next: rest[0]?.after ?? null, cost, owed };
}
