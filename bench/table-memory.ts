import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPageServer } from '../test/support/page-server.js';
import type { Benchmark, Comparison } from './harness.js';
import { Service } from './service.js';

const MANY = 1_000_000;
/** Milliseconds between a poll and a look at the memory: what a poll left behind is freed after it. */
const REST = 1_000;
/** Milliseconds between the starts of two polls, per million items, and at least: enough for a poll and the rest. */
const INTERVAL = 4_000;
const SHORTEST = 1_500;
/** Milliseconds between two looks at how many polls there were. */
const LOOK_EVERY = 100;

/** What is looked at, and after how many polls in which that share of the items changed. */
const PHASES = [
  { what: 'the first poll', share: 0, polls: 1 },
  { what: 'ten polls in which nothing changed', share: 0, polls: 10 },
  { what: 'ten polls in which 1 % of the items changed', share: 0.01, polls: 10 },
  { what: 'three polls in which all items changed', share: 1, polls: 3 },
] as const;

/** One copy of the rows: the memory of the service with its code, against the bytes of the CSV. */
export const tableMemoryBenchmark: Benchmark = {
  name: 'table-memory',
  about: `resident memory of the service after polls of ${MANY} items, against the bytes of their CSV`,
  run: async () => {
    const found = await memoryOfTable(MANY);
    return found.map(({ what, memory, bytes }): Comparison => {
      const ratio = memory / bytes;
      const shown = (size: number) => `${Math.round(size / 1e6)} MB`;
      return {
        what: `${MANY} items, memory after ${what}`,
        ours: shown(memory),
        other: shown(bytes),
        ratio,
        goal: 'at most 3',
        reached: ratio <= 3,
      };
    });
  },
};

/** Bytes. */
export interface TableMemory {
  readonly what: string;
  /** Resident memory of the service between two polls. */
  readonly memory: number;
  /** The most that was seen until then, also during polls. */
  readonly most: number;
  /** Of the table's file. */
  readonly bytes: number;
}

/** What a service with one table takes, by phase. */
export async function memoryOfTable(items: number): Promise<readonly TableMemory[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  const server = await startPageServer({ items });
  const { table } = server;
  const config = join(folder, 'tables.yaml');
  const interval = Math.max(SHORTEST, Math.ceil((INTERVAL * items) / MANY));
  await writeFile(config, `tables: { ${table}: { interval: ${interval}ms } }\n`);
  const dataDir = join(folder, 'data');
  const endpoints = { AWS_ENDPOINT_URL_DYNAMODB: server.endpoint };
  const { service } = await Service.start({ config, dataDir, endpoints });
  try {
    const found: TableMemory[] = [];
    let seen = 0;
    let most = 0;
    const look = async () => {
      const looked = await service.metrics(table);
      most = Math.max(most, looked.memory);
      return looked;
    };
    const nextPoll = async () => {
      let { polls } = await look();
      for (; polls <= seen; { polls } = await look()) await delay(LOOK_EVERY);
      seen = polls;
    };
    for (const { what, share, polls } of PHASES) {
      for (let poll = 0; poll < polls; poll += 1) {
        if (share > 0) await server.change(share);
        await nextPoll();
      }
      await delay(REST);
      const { size: bytes } = await stat(join(dataDir, `${table}.csv`));
      found.push({ what, memory: (await look()).memory, most, bytes });
    }
    return found;
  } finally {
    await service.stop();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
