import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { systemClock } from '../src/base/clock.js';
import { createLogger } from '../src/base/logger.js';
import { nodeFlags } from '../src/base/project.js';
import { encodeRows } from '../src/csv/encode.js';
import type { Cell, Column } from '../src/csv/rows.js';
import { PollHealth } from '../src/datasets/freshness.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { TableRecorder } from '../src/recorder/table-recorder.js';
import { pollsPerMonth } from '../src/sources/billing.js';
import { readPrice, scanUnits, streamPrice } from '../src/sources/dynamodb/cost.js';
import { pageOfItems } from '../src/sources/dynamodb/page.js';
import { RunEncoder } from '../src/sources/dynamodb/run-encoder.js';
import { encodeRecords, type ItemRecord } from '../src/sources/dynamodb/streams/delta.js';
import { createStreamSource } from '../src/sources/dynamodb/streams/source.js';
import { ScanThreads } from '../src/sources/dynamodb/threads.js';
import type { DeltaReading, FullReading } from '../src/sources/source.js';
import { Sql } from '../src/sql/sql.js';
import { nodeFiles } from '../src/volume/files.js';
import { TEST_AWS, useTestAws } from '../test/support/aws.js';
import { startPageServer } from '../test/support/page-server.js';
import { SCRIPTED_TABLE } from '../test/support/scripted-source.js';
import { ScriptedStreams } from '../test/support/scripted-streams.js';
import { type Benchmark, type Comparison, Contender, IMAGE_ENVIRONMENT, median } from './harness.js';
import type { MemoryRequest, MemoryResult } from './stream-memory.js';

const MEMORY = fileURLToPath(new URL('./stream-memory.js', import.meta.url));

const FEW = 10_000;
const MANY = 1_000_000;
const CHANGES_PER_SECOND = 200;
/** Long enough that the items' file is written, as it is now and then. */
const SECONDS = 200;
const CATCH_UP = 50_000;
/** Of the measurement of memory: milliseconds of following, and polls. */
const FOLLOWED_FOR = 45_000;
const POLLS = 3;

const TABLE = {
  table: 'scripted',
  keys: [{ name: 'id', type: 'S' }],
  items: 0,
  bytes: 0,
  billing: 'on-demand',
} as const;
const COLUMN_OPTIONS = { columns: [], only: null, rename: {} };
const COST = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
const silent = createLogger({ level: 'silent' });

/** (i) of this project's goals: what following a stream costs depends on the changes, not on the table. */
export const streamBenchmark: Benchmark = {
  name: 'stream',
  about: `following ${CHANGES_PER_SECOND} changes a second in tables of ${FEW} and of ${MANY} items`,
  run: async () => {
    useTestAws();
    const few = await following(FEW);
    const many = await following(MANY);
    const poll = await fullPoll(MANY);
    return [
      line('processor per second of following, 1,000,000 items against 10,000', many, few, 1.5),
      line('a second of following 1,000,000 items against one poll of them', many, poll, 0.02),
      await latency(),
      await catchUp(),
      ...(await memory()),
      price(),
    ];
  },
};

function line(what: string, ours: number, other: number, goal: number): Comparison {
  const ratio = ours / other;
  const shown = (milliseconds: number) => `${milliseconds.toFixed(1)} ms`;
  return {
    what,
    ours: shown(ours),
    other: shown(other),
    ratio,
    goal: `at most ${goal}`,
    reached: ratio <= goal,
  };
}

const idOf = (item: number) => `order-${String(item).padStart(7, '0')}`;

function itemOf(item: number, count: number) {
  return {
    id: { S: idOf(item) },
    customer: { S: `customer-${item % 5_000}` },
    state: { S: count % 2 === 0 ? 'paid' : 'sent' },
    count: { N: String(count) },
  };
}

const COLUMNS: readonly Column[] = [
  { name: 'id', type: 'string', seen: true },
  { name: 'count', type: 'number', seen: true },
  { name: 'customer', type: 'string', seen: true },
  { name: 'state', type: 'string', seen: true },
];

function tableOf(items: number, position: string): FullReading {
  const rows = Array.from({ length: items }, (_, item): Cell[] => {
    const { id, customer, state, count } = itemOf(item, 0);
    return [id.S, count.N, customer.S, state.S];
  });
  return { kind: 'full', rows: encodeRows(COLUMNS, rows), keys: ['id'], position, cost: COST };
}

interface Recording {
  readonly dataDir: string;
  readonly recorder: TableRecorder;
}

async function recording<T>(work: (recording: Recording) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  await mkdir(join(dataDir, '.dynamo-csv'));
  const recorder = await TableRecorder.open({
    name: 'orders',
    source: 'DynamoDB table scripted',
    dataDir,
    files: nodeFiles,
    health: new PollHealth(30_000, systemClock),
    logger: silent,
    log: false,
    changes: true,
    exactTimes: true,
    configured: [],
    timestampColumn: null,
  });
  try {
    return await work({ dataDir, recorder });
  } finally {
    await recorder.close();
    await rm(dataDir, { recursive: true });
  }
}

/** Milliseconds of processor for a second's records: from attribute values to the files. */
function following(items: number): Promise<number> {
  return recording(async ({ recorder }) => {
    const start = Date.now();
    await recorder.record(tableOf(items, '0'), start);
    const used: number[] = [];
    for (let second = 1; second <= SECONDS; second += 1) {
      const records = Array.from({ length: CHANGES_PER_SECOND }, (_, index): ItemRecord => {
        const item = Math.floor(((second * 7919 + index * 104_729) % 1_000_003) * (items / 1_000_003));
        const image = itemOf(item, second);
        return { at: start + second * 1_000, change: 'put', key: { id: image.id }, image };
      });
      const before = process.cpuUsage();
      const encoded = encodeRecords(
        records,
        { ...TABLE, keys: [...TABLE.keys] },
        COLUMN_OPTIONS,
        recorder.known,
      );
      const delta: DeltaReading = { kind: 'delta', ...encoded, position: String(second), cost: COST };
      await recorder.record(delta, start + second * 1_000);
      const { user, system } = process.cpuUsage(before);
      used.push((user + system) / 1_000);
    }
    // The mean: the items' file is written now and then.
    return used.reduce((sum, one) => sum + one, 0) / used.length;
  });
}

/** Milliseconds of processor for one poll in which every page has changes: from its pages to the files. */
function fullPoll(items: number): Promise<number> {
  return recording(async ({ recorder }) => {
    const polls: number[] = [];
    for (let poll = 0; poll < 2; poll += 1) {
      const pages = Array.from({ length: items / 5_000 }, (_, page) =>
        pageOfItems(
          Array.from({ length: 5_000 }, (_, index) =>
            itemOf(page * 5_000 + index, index % 50 === 0 ? poll : 0),
          ),
        ),
      );
      const before = process.cpuUsage();
      const shape = {
        table: TABLE.table,
        keys: [...TABLE.keys],
        options: COLUMN_OPTIONS,
        known: recorder.known,
      };
      const encoder = new RunEncoder(shape, []);
      for (const page of pages) encoder.add(0, page);
      const { rows } = encoder.finish().run;
      await recorder.record({ kind: 'full', rows, keys: ['id'], position: null, cost: COST }, Date.now());
      const { user, system } = process.cpuUsage(before);
      polls.push((user + system) / 1_000);
    }
    return polls[1]!;
  });
}

/** A source that follows these streams. */
function followerOf(streams: ScriptedStreams) {
  const threads = new ScanThreads({ size: 1 });
  const source = createStreamSource({
    ...SCRIPTED_TABLE,
    endpoint: streams.endpoint,
    threads,
    stream: true,
    interval: 1_000,
  });
  const close = async () => {
    await source.close();
    await threads.close();
    await streams.close();
  };
  return { source, signal: new AbortController().signal, close };
}

/** From a write to the row in a window of the dataset, while the table changes 200 times a second. */
async function latency(): Promise<Comparison> {
  const streams = await ScriptedStreams.start({ viewType: 'NEW_IMAGE' });
  const { source, signal, close } = followerOf(streams);
  const took = await recording(async ({ dataDir, recorder }) => {
    const { position } = await source.read({ known: [], position: null, signal });
    await recorder.record(tableOf(MANY, position!), Date.now());
    const registry = new DatasetRegistry();
    for (const dataset of recorder.datasets) registry.add(dataset);
    const damagedFile = async () => {};
    const sql = new Sql({
      dataDir,
      timeZone: 'UTC',
      registry,
      damagedFile,
      clock: systemClock,
      logger: silent,
    });
    const look = async (id: string) => {
      const query = await sql.queries.window(registry.get('orders')!, [['id', id]]);
      let text = '';
      for await (const part of (await query.run(signal)).body) text += part;
      return text;
    };
    await look(idOf(0));
    let isOver = false;
    const follow = async () => {
      while (!isOver) {
        const reading = await source.read({ known: recorder.known, position: recorder.position, signal });
        await recorder.record(reading, Date.now());
        await delay(reading.nextIn ?? 0);
      }
    };
    const write = async () => {
      for (let tick = 1; !isOver; tick += 1) {
        for (let index = 0; index < CHANGES_PER_SECOND / 20; index += 1) {
          const { id, ...attributes } = itemOf((tick * 7919 + index * 104_729) % MANY, tick);
          streams.put(id.S, attributes);
        }
        await delay(50);
      }
    };
    const running = [follow(), write()];
    const times: number[] = [];
    for (let probe = 0; probe < 20; probe += 1) {
      const writtenAt = performance.now();
      const { id, ...attributes } = itemOf(probe * 1_000 + 1, 1_000_000 + probe);
      streams.put(id.S, attributes);
      while (!(await look(id.S)).includes(String(1_000_000 + probe))) await delay(20);
      times.push(performance.now() - writtenAt);
    }
    isOver = true;
    await Promise.all(running);
    await sql.close();
    return times.sort((a, b) => a - b);
  });
  await close();
  const p95 = took[Math.ceil(took.length * 0.95) - 1]!;
  return {
    what: 'from a write to the row in a window, 1,000,000 items, p95',
    ours: `${(p95 / 1_000).toFixed(2)} s (median ${(median(took) / 1_000).toFixed(2)} s)`,
    other: '-',
    ratio: null,
    goal: 'at most 2 s',
    reached: p95 <= 2_000,
  };
}

/** Records per second of a stream that is behind, against a loop of the plain SDK that counts them. */
async function catchUp(): Promise<Comparison> {
  const streams = await ScriptedStreams.start();
  const { source, signal, close } = followerOf(streams);
  const full = await source.read({ known: [], position: null, signal });
  for (let count = 0; count < CATCH_UP; count += 1) {
    const { id, ...attributes } = itemOf(count % 1_000, count);
    streams.put(id.S, attributes);
  }
  const ours = await recording(async ({ recorder }) => {
    await recorder.record(full, Date.now());
    const startedAt = performance.now();
    for (let found = 0; found < CATCH_UP; ) {
      const reading = await source.read({ known: recorder.known, position: recorder.position, signal });
      await recorder.record(reading, Date.now());
      found += reading.rows.ends.length;
    }
    return (CATCH_UP / (performance.now() - startedAt)) * 1_000;
  });
  const other = await countWithPlainSdk(streams);
  await close();
  const ratio = ours / other;
  const shown = (perSecond: number) => `${Math.round(perSecond).toLocaleString('en')}/s`;
  return {
    what: 'records at catch-up, read and recorded, against the plain SDK that counts them',
    ours: shown(ours),
    other: shown(other),
    ratio,
    goal: 'at least 0.5',
    reached: ratio >= 0.5,
  };
}

async function countWithPlainSdk({ endpoint, arn: StreamArn }: ScriptedStreams): Promise<number> {
  const client = new DynamoDBStreamsClient({ endpoint });
  const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn }));
  const { ShardId } = StreamDescription!.Shards![0]!;
  const command = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
  let { ShardIterator } = await client.send(new GetShardIteratorCommand(command));
  const startedAt = performance.now();
  for (let found = 0; found < CATCH_UP; ) {
    const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator }));
    found += Records.length;
    ShardIterator = NextShardIterator;
  }
  const took = performance.now() - startedAt;
  client.destroy();
  return (CATCH_UP / took) * 1_000;
}

/** Resident memory of a process that follows a table, against one that polls it. */
async function memory(): Promise<readonly Comparison[]> {
  const server = await startPageServer({ items: MANY, changesPerSecond: CHANGES_PER_SECOND });
  const contenders = ['followed', 'polled'].map(
    (how) =>
      new Contender<MemoryRequest, MemoryResult>(MEMORY, [how], {
        env: { ...TEST_AWS, ...IMAGE_ENVIRONMENT },
        execArgv: [...nodeFlags],
      }),
  );
  const [followed, polled] = contenders as [(typeof contenders)[0], (typeof contenders)[0]];
  try {
    const about = { endpoint: server.endpoint, table: server.table };
    const firsts = [await followed.ask({ ...about, time: 0 }), await polled.ask({ ...about, time: 0 })];
    const later = [await followed.ask({ ...about, time: FOLLOWED_FOR })];
    for (let poll = 0; poll < POLLS; poll += 1) {
      await server.change((CHANGES_PER_SECOND * 30) / MANY);
      later[1] = await polled.ask({ ...about, time: 0 });
    }
    return [
      memoryLine('resident memory after the first Scan, 1,000,000 items, against polled', firsts, 'usual'),
      memoryLine('resident memory while it is followed, against polled', later, 'usual'),
      memoryLine('the most resident memory so far, against polled', later, 'most'),
    ];
  } finally {
    await Promise.all([...contenders.map((one) => one.stop()), server.close()]);
  }
}

function memoryLine(what: string, results: readonly MemoryResult[], which: 'usual' | 'most'): Comparison {
  const [ours, other] = results.map((result) => result[which]) as [number, number];
  const ratio = ours / other;
  const shown = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return { what, ours: shown(ours), other: shown(other), ratio, goal: 'at most 1', reached: ratio <= 1 };
}

/** By the price list, in us-east-1: one shard read every second, against a Scan every 30 seconds. */
function price(): Comparison {
  const ours = streamPrice(pollsPerMonth(1_000), 'us-east-1');
  const units = scanUnits(2 ** 30, { consistent: false });
  const other = readPrice(units * pollsPerMonth(30_000), 'us-east-1');
  const ratio = ours / other;
  return {
    what: 'price of a table of 1 GB a month, 100 changes a minute, against polls every 30 s',
    ours: `USD ${ours.toFixed(2)}`,
    other: `USD ${other.toFixed(0)}`,
    ratio,
    goal: 'at most 1/500',
    reached: ratio <= 1 / 500,
  };
}
