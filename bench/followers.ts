import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeFlags, projectRoot } from '../src/base/project.js';
import { TEST_AWS } from '../test/support/aws.js';
import { startTestDynamoDb, type TestDynamoDb } from '../test/support/dynalite.js';
import { alternate, type Benchmark, type Comparison, Contender, median, pairedRatio } from './harness.js';
import type { WallRequest, WallResult } from './wall-client.js';
import { makeYear, TABLE } from './year.js';

const WALL_CLIENT = fileURLToPath(new URL('./wall-client.js', import.meta.url));
/** Rows of the lookup that is asked for in windows, the takings over that are measured, and the rounds of answers. */
const ROWS = 20_000;
const KILLS = 3;
const ROUNDS = 7;
/** Days of the log of two counters, polled every 30 seconds. */
const DAYS = 3;
/** Milliseconds of one measurement of answers, and connections. */
const TIME = 2_000;
const CONNECTIONS = 8;
/** Different questions of one measurement: more than are answered in it. */
const QUESTIONS = 20_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** Windows a second while the lag is measured, for so many changes. */
const WINDOWS = 100;
const CHANGES = 40;

/** What several services on one volume are worth, and what it costs when one is lost. */
export const followersBenchmark: Benchmark = {
  name: 'followers',
  about:
    'taking over from a killed and from a frozen collector, the lag of a follower, answers of two services against one',
  run: async () => {
    const answers = await World.with(USUAL, async (world) => {
      const pair = await world.pair();
      const shared = [
        ...(await onSharedProcessors(pair, 'windows')),
        ...(await onSharedProcessors(pair, 'wall')),
      ];
      return [...shared, ...(await onTheirOwnProcessors(pair))];
    });
    return World.with(SHORTEST, async (world) => {
      const pair = await world.pair();
      const lag = await lagOf(pair, world);
      for (const { child } of pair) child.kill('SIGKILL');
      return [...answers, ...lag, ...(await takingOver(world))];
    });
  },
};

/** Intervals of the polls: that of most tables, and one that would hide no lag. */
const USUAL = '30s';
const SHORTEST = '500ms';

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

  /** `interval`: of the table's polls. */
  static async with<T>(interval: string, work: (world: World) => Promise<T>): Promise<T> {
    const world = await World.#start(interval);
    try {
      return await work(world);
    } finally {
      await world.#close();
    }
  }

  static async #start(interval: string): Promise<World> {
    const database = await startTestDynamoDb();
    const table = await database.createTable({ id: 'N' });
    await database.createTable({ counter_type: 'S' }, TABLE);
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    await mkdir(join(folder, 'lookups'));
    const rows = Array.from({ length: ROWS }, (_, id) => `${id},place ${id % 97},${(id * 7919) % 10_007}\n`);
    await writeFile(join(folder, 'lookups', 'places.csv'), `id,name,count\n${rows.join('')}`);
    const config = join(folder, 'config.yaml');
    const counters = `${TABLE}: { log: true, changes: true, interval: 1h }`;
    const tables = `tables: { ${table}: { log: true, interval: ${interval} }, ${counters} }`;
    await writeFile(config, `${tables}\nlookups: lookups\n`);
    const zones = Array.from({ length: 69 }, (_, id) => `${id},zone ${id},${(id * 7919) % 101}\n`);
    await writeFile(join(folder, 'lookups', 'zones.csv'), `zone_id,name,taxis\n${zones.join('')}`);
    await makeYear({ dataDir: join(folder, 'data'), config, rows: DAYS * 2 * 2_880, csv: null });
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

  async pair(): Promise<readonly [Service, Service]> {
    return [await this.service(), await this.service()];
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

  async #close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Windows are asked for from here back, each with another end: no cache has them. */
let asked = 0;

/** What is asked: windows only, or what the panels of a wall ask. */
type Asked = 'windows' | 'wall';

/** Nine windows; a wall asks four times for a dataset as it is too, of which the client has two already. */
function questionsOf(what: Asked, etag: string): WallRequest['questions'] {
  const now = Date.now();
  const window = (length: number, more = '') => {
    asked += 1;
    const to = now - MINUTE - (asked % DAY);
    return [`/csv/${TABLE}?from=${to - length}&to=${to}${more}`] as const;
  };
  const windows = [
    () => window(10 * MINUTE),
    () => window(10 * MINUTE, '&pivot=counter_type:count'),
    () => window(10 * MINUTE, '&pivot=counter_type:count&null=null&pad=1'),
    () => window(DAY, '&every=1h'),
    () => window(10 * MINUTE, '&counter_type=dispatch&columns=timestamp,count'),
    () => window(60 * MINUTE, '&every=1m&pivot=counter_type:count'),
    () => window(10 * MINUTE),
    () => window(10 * MINUTE, '&limit=100&sort=-timestamp'),
    () => window(DAY, '&every=1h&pivot=counter_type:count'),
  ];
  const whole = () => ['/csv/zones'] as const;
  const known = () => ['/csv/zones', `if-none-match: ${etag}\r\n`] as const;
  const panels = what === 'windows' ? windows : [...windows, whole, known, whole, known];
  return Array.from({ length: QUESTIONS }, (_, index) => panels[index % panels.length]!());
}

/** What answers took, and the seconds of processor time that it cost, a second. */
interface Load {
  readonly perSecond: number;
  /** Of all that were asked for, the part that the service turned away. */
  readonly refused: number;
  /** Processors that the service used, its main thread of them, and the client. Null: only Linux tells. */
  readonly service: number | null;
  readonly main: number | null;
  readonly client: number;
}

async function load(client: WallClient, { url, child }: Service, what: Asked): Promise<Load> {
  const etag = (await fetch(`${url}/csv/zones`)).headers.get('etag') ?? '';
  const request = {
    port: Number(new URL(url).port),
    questions: questionsOf(what, etag),
    connections: CONNECTIONS,
  };
  const before = await processorTime(child.pid!);
  const { answers, refused, failure, took, cpu } = await client.ask({ ...request, time: TIME });
  const after = await processorTime(child.pid!);
  if (failure !== null) throw new Error(failure);
  const used = (of: (times: ProcessorTime) => number) =>
    before === null || after === null ? null : (of(after) - of(before)) / took;
  return {
    perSecond: (answers / took) * SECOND,
    refused: refused / (answers + refused),
    service: used(({ all }) => all),
    main: used(({ main }) => main),
    client: cpu / took,
  };
}

type WallClient = Contender<WallRequest, WallResult>;

interface ProcessorTime {
  /** Milliseconds of all threads, and of the main one. */
  readonly all: number;
  readonly main: number;
}

/** Milliseconds of a tick in `/proc`: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICK = 10;

/** Null: this is not Linux. */
async function processorTime(pid: number): Promise<ProcessorTime | null> {
  const of = async (path: string) => {
    const text = await readFile(path, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  };
  const paths = [`/proc/${pid}/stat`, `/proc/${pid}/task/${pid}/stat`] as const;
  const [all, main] = await Promise.all(paths.map(of)).catch(() => []);
  return all === undefined || main === undefined ? null : { all, main };
}

function wallClients(pair: readonly Service[]): readonly WallClient[] {
  return pair.map(() => new Contender<WallRequest, WallResult>(WALL_CLIENT, []));
}

/** What both services answered in each round, and what one did. */
interface Answered {
  readonly both: readonly (readonly Load[])[];
  readonly alone: readonly (readonly Load[])[];
  readonly line: Comparison & { readonly ratio: number };
}

/** Two services against one, each with its client; stops the clients. */
async function twoAgainstOne(
  pair: readonly [Service, Service],
  clients: readonly WallClient[],
  asked: Asked,
  what: string,
): Promise<Answered> {
  const one = async () => [await load(clients[1]!, pair[1], asked)];
  const two = () => Promise.all(pair.map((service, index) => load(clients[index]!, service, asked)));
  const [both, alone] = await alternate<readonly Load[]>([two, one], { warmups: 2, rounds: ROUNDS });
  await Promise.all(clients.map((client) => client.stop()));
  const answers = (rounds: readonly (readonly Load[])[]) => rounds.map((loads) => total(loads, 'perSecond'));
  const shown = (rounds: readonly (readonly Load[])[]) => `${median(answers(rounds)).toFixed(0)}/s`;
  return {
    both: both!,
    alone: alone!,
    line: {
      ...line(what, shown(both!)),
      other: shown(alone!),
      ratio: pairedRatio(answers(both!), answers(alone!)),
    },
  };
}

/** The goal is of windows; a wall's datasets are cheap answers, of which asking is a large part. */
async function onSharedProcessors(
  pair: readonly [Service, Service],
  asked: Asked,
): Promise<readonly Comparison[]> {
  const what = `${asked === 'windows' ? 'windows' : "a wall's windows and datasets"} a second, two services against one`;
  const { both, alone, line: answers } = await twoAgainstOne(pair, wallClients(pair), asked, what);
  const goal = { goal: 'at least 1.7 on two idle cores', reached: answers.ratio >= 1.7 };
  return [
    asked === 'windows' ? { ...answers, ...goal } : answers,
    ...costs('one service', alone),
    ...costs('two services', both),
    line(
      'requests turned away, since the machine has too much else to do: most of two services, of one',
      [both, alone].map((rounds) => percent(rounds)).join(', '),
    ),
    // One alone answers as fast as its main thread; two share the processors with all threads and the clients.
    line('so two services on two processors give at most', `${bound(alone).toFixed(2)} of one`),
  ];
}

/**
 * What a second service adds that has a processor of its own, as in a container of its own: each service shares one with its
 * client. Above, the client of one service alone has the other processor, which two services have to share with theirs.
 */
async function onTheirOwnProcessors(pair: readonly [Service, Service]): Promise<readonly Comparison[]> {
  const what = 'windows a second, two services against one, each with its client on its own processor';
  const clients = wallClients(pair);
  try {
    for (const [processor, { child }] of pair.entries())
      for (const pid of [child.pid!, clients[processor]!.pid]) keepOn(processor, pid);
  } catch (error) {
    await Promise.all(clients.map((client) => client.stop()));
    return [line(what, `not measured: ${(error as Error).message}`)];
  }
  const { line: answers } = await twoAgainstOne(pair, clients, 'windows', what);
  return [{ ...answers, goal: 'at least 1.7', reached: answers.ratio >= 1.7 }];
}

/** Throws where there is no `taskset` (util-linux), or not that many processors. */
function keepOn(processor: number, pid: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(processor), String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Processors that each part used, and what an answer cost. */
function costs(who: string, rounds: readonly (readonly Load[])[]): readonly Comparison[] {
  const used = (part: 'service' | 'main' | 'client') => median(rounds.map((round) => total(round, part)));
  const cost = (part: 'service' | 'main' | 'client') => {
    const each = rounds.map((round) => total(round, part) / total(round, 'perSecond'));
    return `${(median(each) * SECOND).toFixed(3)} ms`;
  };
  const processors = [used('service'), used('client')].map((value) => value.toFixed(2));
  return [
    line(`processors used by ${who}, and by the client`, processors.join(', ')),
    line(
      'an answer: processor time, of it the main thread, and the client',
      [cost('service'), cost('main'), cost('client')].join(', '),
    ),
  ];
}

function percent(rounds: readonly (readonly Load[])[]): string {
  const each = rounds.flatMap((round) => round.map(({ refused }) => refused));
  return `${(Math.max(...each) * 100).toFixed(1)} %`;
}

function bound(alone: readonly (readonly Load[])[]): number {
  const of = (round: readonly Load[]) =>
    (2 * total(round, 'main')) / (total(round, 'service') + total(round, 'client'));
  return median(alone.map(of));
}

/** NaN where it cannot be told. */
function total(round: readonly Load[], part: keyof Load): number {
  return round.reduce((sum, one) => sum + (one[part] ?? Number.NaN), 0);
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
