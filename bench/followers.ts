import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { nodeFlags, projectRoot } from '../src/base/project.js';
import { TEST_AWS } from '../test/support/aws.js';
import { startTestDynamoDb, type TestDynamoDb } from '../test/support/dynalite.js';
import { alternate, type Benchmark, type Comparison, median, pairedRatio } from './harness.js';

/** Rows of the dataset whose windows are asked for, and the takings over that are measured. */
const ROWS = 20_000;
const KILLS = 3;
const ROUNDS = 5;
/** Seconds of one measurement of answers, and connections. */
const SECONDS = 3;
const CONNECTIONS = 4;
/** Windows a second while the lag is measured, for so many changes. */
const WINDOWS = 100;
const CHANGES = 40;

/** What several services on one volume are worth, and what it costs when one is lost. */
export const followersBenchmark: Benchmark = {
  name: 'followers',
  about:
    'taking over from a killed and from a frozen collector, the lag of a follower, answers of two services against one',
  run: async () => {
    const world = await World.start();
    try {
      const pair = [await world.service(), await world.service()] as const;
      const answers = await twoAgainstOne(pair);
      const lag = await lagOf(pair, world);
      for (const { child } of pair) child.kill('SIGKILL');
      return [...answers, ...lag, ...(await takingOver(world))];
    } finally {
      await world.close();
    }
  },
};

interface Service {
  readonly url: string;
  readonly child: ChildProcess;
}

/** A table, a dataset of many rows, and services on one data folder. */
class World {
  readonly database: TestDynamoDb;
  readonly table: string;
  readonly #folder: string;
  readonly #config: string;
  readonly #children: ChildProcess[] = [];
  #changes = 0;

  private constructor(database: TestDynamoDb, table: string, folder: string, config: string) {
    this.database = database;
    this.table = table;
    this.#folder = folder;
    this.#config = config;
  }

  static async start(): Promise<World> {
    const database = await startTestDynamoDb();
    const table = await database.createTable({ id: 'N' });
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    await mkdir(join(folder, 'lookups'));
    const rows = Array.from({ length: ROWS }, (_, id) => `${id},place ${id % 97},${(id * 7919) % 10_007}\n`);
    await writeFile(join(folder, 'lookups', 'places.csv'), `id,name,count\n${rows.join('')}`);
    const config = join(folder, 'config.yaml');
    await writeFile(config, `tables: { ${table}: { log: true, interval: 500ms } }\nlookups: lookups\n`);
    const world = new World(database, table, folder, config);
    await world.change();
    return world;
  }

  /** Writes one more item; resolves to its id. */
  async change(): Promise<number> {
    this.#changes += 1;
    await this.database.put(this.table, [{ id: { N: String(this.#changes) } }]);
    return this.#changes;
  }

  /** Starts a service; resolves when it is ready. */
  async service(): Promise<Service> {
    const child = spawn(process.execPath, [...nodeFlags, join(projectRoot, 'dist', 'src', 'server.js')], {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH,
        ...TEST_AWS,
        AWS_ENDPOINT_URL_DYNAMODB: this.database.endpoint,
        CONFIG: this.#config,
        DATA_DIR: join(this.#folder, 'data'),
        PORT: '0',
        ROLE: 'auto',
        LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.push(child);
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    while ((await fetch(`${url}/readyz`)).status !== 200) await delay(20);
    return { url, child };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Windows that no cache has, each some milliseconds of work. */
let asked = 0;
function load({ url }: Service): Promise<autocannon.Result> {
  return autocannon({
    url,
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [
      {
        setupRequest: (request) => {
          asked += 1;
          return {
            ...request,
            path: `/csv/places?count__gt=${asked % 10_007}&sort=-count,name&limit=${(asked % 89) + 1}`,
          };
        },
      },
    ],
  });
}

async function twoAgainstOne([a, b]: readonly [Service, Service]): Promise<readonly Comparison[]> {
  const perSecond = ({ errors, non2xx, '2xx': answered, duration }: autocannon.Result) => {
    if (errors + non2xx > 0) throw new Error('a window was not answered');
    return answered / duration;
  };
  const one = async () => perSecond(await load(b));
  const two = async () => {
    const results = await Promise.all([load(a), load(b)]);
    return results.reduce((sum, result) => sum + perSecond(result), 0);
  };
  const [both, alone] = await alternate([two, one], { warmups: 1, rounds: ROUNDS });
  const ratio = pairedRatio(both!, alone!);
  return [
    {
      what: 'windows a second, two services against one',
      ours: `${median(both!).toFixed(0)}/s`,
      other: `${median(alone!).toFixed(0)}/s`,
      ratio,
      goal: 'at least 1.7 on two idle cores',
      reached: ratio >= 1.7,
    },
  ];
}

/** From when the collector shows an item until the follower does, while windows are asked of it. */
async function lagOf([a, b]: readonly [Service, Service], world: World): Promise<readonly Comparison[]> {
  const follower = (await roleOf(a)) === 'follow' ? a : b;
  const collector = follower === a ? b : a;
  const stopping = new AbortController();
  const windows = askWindows(follower, world.table, stopping.signal);
  const lags: number[] = [];
  for (let change = 0; change < CHANGES; change += 1) {
    const id = await world.change();
    await shows(collector, world.table, id);
    const begun = performance.now();
    await shows(follower, world.table, id);
    lags.push(performance.now() - begun);
  }
  stopping.abort();
  const times = await windows;
  const lag = (value: number) => `${value.toFixed(0)} ms`;
  const sorted = [...times].sort((x, y) => x - y);
  return [
    line(`lag of a follower at ${WINDOWS} windows a second, median`, lag(median(lags))),
    {
      ...line('the same, longest', lag(Math.max(...lags))),
      goal: 'at most 1000 ms',
      reached: Math.max(...lags) <= 1_000,
    },
    line('its windows meanwhile, p50', `${median(times).toFixed(1)} ms`),
    line('its windows meanwhile, p99', `${sorted[Math.floor(sorted.length * 0.99)]!.toFixed(1)} ms`),
  ];
}

async function askWindows({ url }: Service, table: string, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  const running = new Set<Promise<void>>();
  while (!signal.aborted) {
    const one = (async () => {
      const begun = performance.now();
      const response = await fetch(`${url}/csv/${table}?last=${60 + (times.length % 600)}s&limit=100`);
      await response.arrayBuffer();
      times.push(performance.now() - begun);
    })();
    running.add(one);
    void one.finally(() => running.delete(one));
    await delay(1_000 / WINDOWS);
  }
  await Promise.all(running);
  return times;
}

async function shows({ url }: Service, table: string, id: number): Promise<void> {
  const text = async () => (await fetch(`${url}/csv/${table}?id=${id}&limit=1`)).text();
  while (!(await text()).includes(`\n${id},`)) await delay(10);
}

/** How often a collector that ends in some way was followed by another one, and how long that took. */
async function takingOver(world: World): Promise<readonly Comparison[]> {
  const killed: number[] = [];
  let served = 0;
  let failed = 0;
  let collector = await world.service();
  while ((await roleOf(collector)) !== 'collect') await delay(50);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const follower = await world.service();
    const found = await replacedBy(follower, () => collector.child.kill('SIGKILL'));
    killed.push(found.took);
    served += found.served;
    failed += found.failed;
    collector = follower;
  }
  const follower = await world.service();
  const frozen = await replacedBy(follower, () => collector.child.kill('SIGSTOP'));
  return [
    within('a follower collects after kill -9, longest', Math.max(...killed)),
    within('a follower collects after SIGSTOP', frozen.took),
    {
      ...line(
        'reads of it answered meanwhile, and failed',
        `${served + frozen.served}, ${failed + frozen.failed}`,
      ),
      goal: 'none failed',
      reached: failed + frozen.failed === 0,
    },
  ];
}

interface Replaced {
  readonly took: number;
  readonly served: number;
  readonly failed: number;
}

async function replacedBy(follower: Service, end: () => void): Promise<Replaced> {
  let served = 0;
  let failed = 0;
  let isOver = false;
  const reading = (async () => {
    while (!isOver) {
      const { status } = await fetch(`${follower.url}/csv/places?limit=10`);
      if (status === 200) served += 1;
      else failed += 1;
    }
  })();
  const begun = performance.now();
  end();
  while ((await roleOf(follower)) !== 'collect') await delay(20);
  const took = performance.now() - begun;
  isOver = true;
  await reading;
  return { took, served, failed };
}

async function roleOf({ url }: Service): Promise<string> {
  return ((await (await fetch(`${url}/healthz`)).json()) as { role: string }).role;
}

function line(what: string, ours: string): Comparison {
  return { what, ours, other: '-', ratio: null, goal: null, reached: null };
}

function within(what: string, milliseconds: number): Comparison {
  const ours = `${(milliseconds / 1_000).toFixed(1)} s`;
  return { ...line(what, ours), goal: 'at most 15 s', reached: milliseconds <= 15_000 };
}
