/**
 * One contender of the Scan benchmarks, in its own process: `ours` or `plain`, ours with one segment, or `recorded`: ours
 * with all that a poll does, into a snapshot on the volume.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { stringify } from 'csv-stringify';
import { systemClock } from '../src/base/clock.js';
import type { Column } from '../src/csv/rows.js';
import { PollHealth } from '../src/datasets/freshness.js';
import type { TableRecorder } from '../src/recorder/table-recorder.js';
import { createDynamoDbSource } from '../src/sources/dynamodb/source.js';
import { ScanThreads } from '../src/sources/dynamodb/threads.js';
import type { Source } from '../src/sources/source.js';
import { openTestRecorder } from '../test/support/test-recorder.js';
import { type Cost, measured, serveRequests } from './harness.js';

export interface ScanRequest {
  readonly endpoint: string;
  readonly table: string;
}

export interface ScanResult extends Cost {
  /** The result, to verify that both did the same work. */
  readonly rows: number;
  readonly bytes: number;
}

type Reader = (request: ScanRequest) => Promise<{ rows: number; bytes: number }>;

const OPTIONS = {
  columns: [],
  only: null,
  rename: {},
  consistent: false,
  maxReadCapacity: null,
  maxPollMegabytes: null,
};

/** This project: the source as the service uses it, with the columns known from the poll before. */
function ours(segments: number | 'auto'): Reader {
  const threads = new ScanThreads();
  let source: ReturnType<typeof createDynamoDbSource> | null = null;
  let known: readonly Column[] = [];
  return async ({ endpoint, table }) => {
    source ??= createDynamoDbSource({ ...OPTIONS, segments, table, region: null, endpoint, threads });
    const { rows } = await source.read({ known, signal: new AbortController().signal });
    known = rows.columns;
    return { rows: rows.ends.length, bytes: rows.body.length };
  };
}

/** All that a poll does: the source, and the recorder of a table of which only the latest rows are kept. */
function recorded(): Reader {
  const threads = new ScanThreads();
  const dataDir = mkdtempSync(join(tmpdir(), 'dynamo-csv-bench-'));
  mkdirSync(join(dataDir, '.dynamo-csv'));
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  let opened: { source: Source; recorder: TableRecorder } | null = null;
  return async ({ endpoint, table }) => {
    opened ??= {
      source: createDynamoDbSource({ ...OPTIONS, segments: 'auto', table, region: null, endpoint, threads }),
      recorder: await openTestRecorder({ name: table, dataDir, health: new PollHealth(1_000, systemClock) }),
    };
    const { source, recorder } = opened;
    const reading = await source.read({ known: recorder.known, signal: new AbortController().signal });
    const { rows, bytes } = await recorder.record(reading, Date.now());
    return { rows, bytes };
  };
}

/** The obvious implementation: the document client, all pages in a loop, `csv-stringify`. */
function plain(): Reader {
  let client: DynamoDBDocumentClient | null = null;
  return async ({ endpoint, table }) => {
    client ??= DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint }));
    const items: Record<string, unknown>[] = [];
    for await (const page of paginateScan({ client }, { TableName: table }))
      items.push(...(page.Items ?? []));
    const columns = [...new Set(items.flatMap((item) => Object.keys(item)))];
    const csv = await new Promise<string>((resolve, reject) => {
      stringify(items, { header: true, columns }, (error, text) => (error ? reject(error) : resolve(text)));
    });
    return { rows: items.length, bytes: Buffer.byteLength(csv) };
  };
}

const READERS: Record<string, () => Reader> = {
  recorded,
  ours: () => ours('auto'),
  'one-segment': () => ours(1),
  plain,
};

const read = READERS[process.argv[2]!]!();
serveRequests<ScanRequest, ScanResult>(async (request) => {
  let result = { rows: 0, bytes: 0 };
  const cost = await measured(async () => {
    result = await read(request);
  });
  return { ...cost, ...result };
});
