/**
 * One contender of the memory of streams, in its own process: a table that is `polled` or `followed`, with all that a
 * reading does, into a snapshot and its changes on the volume.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../src/base/clock.js';
import { PollHealth } from '../src/datasets/freshness.js';
import type { TableRecorder } from '../src/recorder/table-recorder.js';
import { createDynamoDbSource } from '../src/sources/dynamodb/source.js';
import { createStreamSource } from '../src/sources/dynamodb/streams/source.js';
import { ScanThreads } from '../src/sources/dynamodb/threads.js';
import type { Source } from '../src/sources/source.js';
import { SCRIPTED_TABLE } from '../test/support/scripted-source.js';
import { openTestRecorder } from '../test/support/test-recorder.js';
import { serveRequests } from './harness.js';

export interface MemoryRequest {
  readonly endpoint: string;
  readonly table: string;
  /** Milliseconds for which the table is followed; a polled one is polled once. */
  readonly time: number;
}

export interface MemoryResult {
  readonly rows: number;
  /** Resident memory in bytes: the median of samples while it reads, and the most that there ever was. */
  readonly usual: number;
  readonly most: number;
}

const LOOK_EVERY = 200;
/** Bytes per second: the items' file is written several times while the table is followed. */
const WRITE_RATE = 5e6;

const isFollowed = process.argv[2] === 'followed';
const threads = new ScanThreads();
const dataDir = mkdtempSync(join(tmpdir(), 'dynamo-csv-bench-'));
mkdirSync(join(dataDir, '.dynamo-csv'));
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
let opened: { readonly source: Source; readonly recorder: TableRecorder } | null = null;

async function open({ endpoint, table }: MemoryRequest) {
  const options = { ...SCRIPTED_TABLE, table, endpoint, threads };
  const source = isFollowed
    ? createStreamSource({ ...options, stream: true, interval: 1_000 })
    : createDynamoDbSource(options);
  const health = new PollHealth(1_000, systemClock);
  const kept = { name: table, dataDir, health, changes: true, exactTimes: isFollowed, writeRate: WRITE_RATE };
  return { source, recorder: await openTestRecorder(kept) };
}

serveRequests<MemoryRequest, MemoryResult>(async (request) => {
  opened ??= await open(request);
  const { source, recorder } = opened;
  const { signal } = new AbortController();
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(process.memoryUsage.rss()), LOOK_EVERY);
  let rows = 0;
  for (const end = Date.now() + request.time; ; ) {
    const { known, position } = recorder;
    const reading = await source.read({ known, position, signal });
    rows = (await recorder.record(reading, Date.now())).rows;
    if (!isFollowed || Date.now() >= end) break;
    await delay(reading.nextIn ?? 0);
  }
  await delay(1_000);
  clearInterval(sampling);
  const usual = samples.sort((a, b) => a - b)[samples.length >> 1]!;
  return { rows, usual, most: process.resourceUsage().maxRSS * 1_024 };
});
