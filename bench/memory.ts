import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Benchmark, type Comparison, median } from './harness.js';
import { Service, startFleet, writeFleetConfig } from './service.js';

const POLLS = 1_000;
/** The shortest interval there is. */
const INTERVAL = '100ms';
/** Simulated time between two polls: the interval of a real service. */
const STEP = 30_000;
const TABLES = ['zone-count-dynamodb', 'pickup-zone-dynamodb', 'flag-dynamodb', 'taxi-destination-dynamodb'];
/** Milliseconds between two memory samples. */
const LOOK_EVERY = 500;
/** Panels that are open during the benchmark. */
const DATASETS = ['/csv/zone-count-dynamodb?null=null', '/csv/flag-dynamodb'];
const WINDOWS_AND_VIEWS = ['/csv/flag-dynamodb?last=10m', '/csv/rides-today', '/csv/unassigned-taxis-count'];

interface Case {
  readonly what: string;
  /** Without the API server, views and lookups, so that nothing needs SQL. */
  readonly tablesOnly: boolean;
  readonly panels: readonly string[];
  /** Bytes; null: no goal. */
  readonly most: number | null;
}

const CASES: readonly Case[] = [
  { what: "the fleet's tables", tablesOnly: true, panels: DATASETS, most: 150e6 },
  {
    what: 'all of the fleet, with SQL',
    tablesOnly: false,
    panels: [...DATASETS, ...WINDOWS_AND_VIEWS],
    most: null,
  },
];

/** The memory of the last polls divided by that of the 500th and those after it. */
const FLAT = 1.05;

interface Sample {
  readonly polls: number;
  readonly memory: number;
}

/** (d) of this project's goals: little memory, and no more of it after many polls. */
export const memoryBenchmark: Benchmark = {
  name: 'memory',
  about: `resident memory of the service over ${POLLS} polls of each of the fleet's tables`,
  run: async () => {
    const lines: Comparison[] = [];
    for (const one of CASES) lines.push(...(await runCase(one)));
    return lines;
  },
};

async function runCase(one: Case): Promise<readonly Comparison[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  const fleet = await startFleet({ step: STEP, timeZone: 'America/New_York' });
  try {
    const config = await writeFleetConfig(folder, INTERVAL, one.tablesOnly);
    const { endpoints } = fleet;
    const { service } = await Service.start({ config, dataDir: join(folder, 'data'), endpoints });
    try {
      return compared(one, await watch(service, one.panels));
    } finally {
      await service.stop();
    }
  } finally {
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Samples the service until its slowest table has been polled often enough. */
async function watch(service: Service, panels: readonly string[]): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (;;) {
    await delay(LOOK_EVERY);
    for (const panel of panels) await service.get(panel);
    const counts = await Promise.all(TABLES.map((table) => service.metrics(table)));
    const polls = Math.min(...counts.map((count) => count.polls));
    samples.push({ polls, memory: counts[0]!.memory });
    if (polls >= POLLS) return samples;
  }
}

function compared({ what, most }: Case, samples: readonly Sample[]): readonly Comparison[] {
  const between = (from: number, to: number) =>
    median(samples.filter(({ polls }) => polls >= from && polls < to).map(({ memory }) => memory));
  const middle = between(POLLS * 0.5, POLLS * 0.6);
  const end = between(POLLS * 0.9, Number.POSITIVE_INFINITY);
  const shown = (memory: number) => `${Math.round(memory / 1e6)} MB`;
  return [
    {
      what: `${what}: memory after ${POLLS} polls`,
      ours: shown(end),
      other: '-',
      ratio: null,
      goal: most === null ? null : `under ${shown(most)}`,
      reached: most === null ? null : end < most,
    },
    {
      what: `${what}: against ${POLLS / 2} polls`,
      ours: shown(end),
      other: shown(middle),
      ratio: end / middle,
      goal: `at most ${FLAT}`,
      reached: end / middle <= FLAT,
    },
  ];
}
