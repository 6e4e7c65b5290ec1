import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../base/clock.js';
import type { SegmentBlocks } from './blocks.js';
import type { ByteBudget } from './limits.js';
import { ReadPacer } from './pacing.js';
import { type EncodedRun, RunEncoder, type TableShape } from './run-encoder.js';
import { type Cursor, type ScanCost, type ScanPlan, scanSegments } from './scan.js';

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
  const pacer = task.pace === null ? null : new ReadPacer(task.pace.unitsPerSecond, clock, task.pace);
  const { cost, rest } = await scanSegments(client, task.plan, task.cursors, {
    pacer,
    budget: task.budget,
    signal,
    onPage: (segment, page, { bytes }) => {
      encoder.add(segment, page);
      return limits === null || (encoder.items <= limits.items && bytes <= limits.bytes);
    },
  });
  return { ...encoder.finish(), cost, rest, owed: pacer?.owed ?? 0 };
}
