/** The code of the threads in `threads.ts`: one exported function per kind of task. */
import type { MessagePort } from 'node:worker_threads';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../base/clock.js';
import { type ErrorData, errorToData } from '../../base/errors.js';
import { freeBuffer, freeBuffers, shrinkWhenIdle } from '../../base/garbage.js';
import type { Column } from '../../csv/rows.js';
import { type ClientOptions, createDynamoDbClient, placeOf } from './client.js';
import { explainFailure } from './failures.js';
import { moved } from './moved.js';
import { actionOf } from './read-plan.js';
import { readSegments, type SegmentsRead, type SegmentsTask } from './scan.js';
import { type MergedRuns, mergeRuns, type SortedRows } from './sort.js';
import { runBuffers, withBuffers } from './thread-buffers.js';

export interface ReadTask extends SegmentsTask {
  readonly client: ClientOptions;
  /** Any message ends the reading. */
  readonly cancel: MessagePort;
}

export interface MergeTask {
  readonly runs: readonly SortedRows[];
  readonly columns: readonly Column[];
}

/** Errors are posted as data: between threads an error loses its class and its fields. */
export type ReadResult = { readonly read: SegmentsRead } | { readonly error: ErrorData };

export async function read(task: ReadTask): Promise<ReadResult> {
  const controller = new AbortController();
  task.cancel.once('message', () => controller.abort());
  const client = clientFor(task);
  try {
    const read = await readSegments(client, task, systemClock, controller.signal, null);
    freeBuffers(leftOf(task, read), WORTH_COLLECTING);
    return moved({ read }, runBuffers(read.run));
  } catch (thrown) {
    const place = await placeOf(client, task.plan.table, task.plan.index);
    return { error: errorToData(explainFailure(thrown, place, actionOf(task.plan))) };
  } finally {
    task.cancel.close();
    shrinkWhenIdle();
  }
}

/**
 * Bytes in buffers from which freeing them is worth collecting a thread's heap before it idles: of 4 MB, polls of 200,000
 * items in which 1 % changed cost a sixth more.
 */
const WORTH_COLLECTING = 16 << 20;

/** About as many bytes as a reading leaves behind in this thread, also of what was known before it. */
function leftOf({ earlier }: ReadTask, { run, segments }: SegmentsRead): number {
  const known = new Set(earlier);
  const changed = segments.filter((segment) => !known.has(segment));
  return changed.reduce(
    (sum, { hashes, rows }) => sum + hashes.length + rows.byteLength,
    run.rows.body.length,
  );
}

export function merge({ runs, columns }: MergeTask): MergedRuns {
  const merged = mergeRuns(runs.map(withBuffers), columns);
  if (runs.length > 1)
    for (const { buffer } of runs.flatMap(({ rows, keys }) => [rows.body, keys.bytes]))
      freeBuffer(buffer as ArrayBuffer);
  freeBuffers(merged.rows.body.length, WORTH_COLLECTING);
  shrinkWhenIdle();
  return moved(merged, [...runBuffers(merged), ...merged.places.map(({ buffer }) => buffer as ArrayBuffer)]);
}

/** Clients live as long as the thread, with their connections. */
const clients = new Map<string, DynamoDBClient>();

function clientFor({ client: options, plan: { table } }: ReadTask): DynamoDBClient {
  const name = JSON.stringify([table, options.region, options.endpoint, options.role ?? null]);
  const client = clients.get(name) ?? createDynamoDbClient(options);
  clients.set(name, client);
  return client;
}
