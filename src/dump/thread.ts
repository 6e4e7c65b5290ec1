import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../base/clock.js';
import { type ErrorData, errorToData } from '../base/errors.js';
import type { EncodedRows } from '../csv/rows.js';
import { byteBudget, type ClientOptions, createDynamoDbClient, placeOf } from '../sources/dynamodb/client.js';
import { explainFailure } from '../sources/dynamodb/failures.js';
import { moved, withOwnMemory } from '../sources/dynamodb/moved.js';
import { columnOfPath, meaningsOf } from '../sources/dynamodb/paths.js';
import type { Cursor, ScanPlan } from '../sources/dynamodb/read-plan.js';
import type { TableShape } from '../sources/dynamodb/run-encoder.js';
import { type Pace, type ReadLimits, readRows, type ScanCost } from '../sources/dynamodb/scan.js';

/** Some pages of one segment; plain data. */
export interface ChunkTask {
  readonly client: ClientOptions;
  readonly shape: TableShape;
  readonly plan: ScanPlan;
  readonly cursor: Cursor;
  readonly pace: Pace | null;
}

/** Another one is on its way when this is reached. More would leave threads without work at the end. */
const ONE_PAGE: ReadLimits = { items: 0, bytes: 0 };

/** The rows of some pages of a segment, and where it goes on; null: the segment is complete. */
export interface Chunk {
  readonly rows: EncodedRows;
  /** Columns with values of several types. */
  readonly mixed: readonly string[];
  /** What the columns that may be paths were found as, as `pathText`: of a path, or an attribute of that name. */
  readonly origins: readonly (readonly [column: string, attribute: string])[];
  readonly next: Cursor['after'];
  readonly cost: ScanCost;
  /** Milliseconds still to wait for what was consumed. */
  readonly owed: number;
}

/** Errors are posted as data: between threads an error loses its class and its fields. */
export type ChunkResult = { readonly chunk: Chunk } | { readonly error: ErrorData };

/** Of this thread; it lives as long as that. */
let client: DynamoDBClient | null = null;

/** Reads one chunk for another thread: the memory of its rows is moved and not copied. */
export async function readChunk(task: ChunkTask): Promise<ChunkResult> {
  client ??= createDynamoDbClient(task.client);
  const result = await readHere(client, task, new AbortController().signal);
  if ('error' in result) return result;
  const { chunk } = result;
  const rows = { ...chunk.rows, body: withOwnMemory(chunk.rows.body) };
  return moved({ chunk: { ...chunk, rows } }, [rows.body.buffer, rows.ends.buffer] as ArrayBuffer[]);
}

/** Reads one chunk with that client. */
export async function readHere(
  own: DynamoDBClient,
  task: ChunkTask,
  signal: AbortSignal,
): Promise<ChunkResult> {
  try {
    return { chunk: await chunkOf(own, task, signal) };
  } catch (thrown) {
    const place = await placeOf(own, task.plan.table);
    return { error: errorToData(explainFailure(thrown, place, 'dynamodb:Scan')) };
  }
}

async function chunkOf(own: DynamoDBClient, task: ChunkTask, signal: AbortSignal): Promise<Chunk> {
  const { shape, plan, cursor, pace } = task;
  // Chunks are small; the whole may be larger than memory.
  const budget = byteBudget(Number.MAX_SAFE_INTEGER);
  const segments = { shape, plan, cursors: [cursor], pace, budget };
  const { rows, mixed, origins, cost, rest, owed } = await readRows(
    own,
    segments,
    systemClock,
    signal,
    ONE_PAGE,
  );
  const columns = new Set(shape.options.others?.flatMap(meaningsOf).map(columnOfPath));
  const asked = [...origins].filter(([column]) => columns.has(column));
  return { rows, mixed, origins: asked, next: rest[0]?.after ?? null, cost, owed };
}
