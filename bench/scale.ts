/**
 * `npm run bench -- scale`: what the service costs as its work grows. Writes `docs/performance.md` and its plot from the
 * figures in `bench/scale-figures.json`, where those that were just measured take the place of earlier ones.
 * `--quick`: without the largest sizes. `--only=items,clients`: only these parts.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { nodeFlags, projectRoot } from '../src/base/project.js';
import { startPageServer } from '../test/support/page-server.js';
import { type Benchmark, type Comparison, Contender, median } from './harness.js';
import { type Figures, loadAverage, type Part, pageOf, plotOf, type Row } from './scale-page.js';
import type { ScanRequest, ScanResult } from './scan-contender.js';
import { Service, startFleet, writeFleetConfig } from './service.js';
import { memoryOfTable } from './table-memory.js';
import type { WindowServerRequest, WindowServerResult } from './window-server.js';
import { makeYear, TABLE } from './year.js';

const CONTENDER = fileURLToPath(new URL('./scan-contender.js', import.meta.url));
const WINDOW_SERVER = fileURLToPath(new URL('./window-server.js', import.meta.url));
const FIGURES = join(projectRoot, 'bench', 'scale-figures.json');
const PAGE = join(projectRoot, 'docs', 'performance.md');
const PLOT = join(projectRoot, 'docs', 'images', 'performance.svg');

const MB = 1e6;
const DAY = 86_400_000;
const ROWS_A_DAY = 5_760;
/** Days of history that are made of rows; the files of earlier days are copies of theirs. */
const REAL_DAYS = 40;

const isQuick = process.argv.includes('--quick');
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');

const SIZES = {
  items: isQuick ? [2_000, 20_000, 200_000] : [2_000, 20_000, 200_000, 2_000_000],
  shares: [0, 0.001, 0.01, 0.1, 1],
  tables: isQuick ? [1, 10, 50] : [1, 10, 50, 200],
  days: isQuick ? [1, 30, 365] : [1, 30, 365, 3_650],
  clients: isQuick ? [1, 8, 50] : [1, 8, 50, 200, 500],
};

const PARTS: Readonly<Record<Part, () => Promise<readonly Row[]>>> = {
  items: measureItems,
  shares: measureShares,
  tables: measureTables,
  history: measureHistory,
  clients: measureClients,
};

export const scaleBenchmark: Benchmark = {
  name: 'scale',
  about:
    'what the service costs with more items, changes, tables, history and clients; writes docs/performance.md',
  run: async () => {
    const figures: Figures = JSON.parse(await readFile(FIGURES, 'utf8').catch(() => '{}'));
    const parts = (Object.keys(PARTS) as Part[]).filter((part) => only?.includes(part) ?? true);
    for (const part of parts) {
      console.error(`  ${part} …`);
      const busy = loadAverage();
      const rows = await PARTS[part]();
      figures[part] = {
        rows,
        measured: { at: new Date().toISOString().slice(0, 10), machine: machine(), busy },
      };
      await writeFile(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
    }
    await writeFile(PAGE, pageOf(figures));
    await writeFile(PLOT, plotOf(figures));
    return parts.flatMap((part) => figures[part]!.rows.map((row) => lineOf(part, row)));
  },
};

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 1e9);
  return `${cpus().length} × ${first?.model.trim() || 'unknown processor'}, ${memory} GB, ${type()} ${release()}, Node ${process.versions.node}`;
}

function lineOf(part: Part, { size, ...values }: Row): Comparison {
  const shown = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  return {
    what: `${part}: ${size}`,
    ours: shown.join(', '),
    other: '-',
    ratio: null,
    goal: null,
    reached: null,
  };
}

/** Whole polls of one table into a snapshot, from DynamoDB's responses to the file. */
async function measureItems(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const items of SIZES.items) {
    const rounds = items > 1_000_000 ? 2 : 5;
    const [same, few, all] = await polls(items, [0, 0.01, 1], rounds);
    const memory = (await memoryOfTable(items)).at(-1)!;
    rows.push({
      size: items,
      'poll unchanged, ms of processor': round(same!.cpu),
      'poll with 1 % changed, ms of processor': round(few!.cpu),
      'poll with all changed, ms of processor': round(all!.cpu),
      'memory between polls, MB': Math.round(memory.memory / MB),
      'during polls, MB': Math.round(memory.most / MB),
      'CSV, MB': round(all!.bytes / MB),
    });
  }
  return rows;
}

async function measureShares(): Promise<readonly Row[]> {
  const found = await polls(200_000, SIZES.shares, 5);
  return found.map(({ cpu, wall }, index) => ({
    size: SIZES.shares[index]! * 100,
    'poll, ms of processor': round(cpu),
    'poll, ms': round(wall),
  }));
}

interface Poll {
  readonly cpu: number;
  readonly wall: number;
  readonly bytes: number;
}

async function polls(items: number, shares: readonly number[], rounds: number): Promise<readonly Poll[]> {
  const server = await startPageServer({ items });
  const env = {
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: 'us-east-1',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  const contender = new Contender<ScanRequest, ScanResult>(CONTENDER, ['recorded'], {
    env,
    execArgv: [...nodeFlags],
  });
  try {
    const poll = async (share: number) => {
      await server.change(share);
      return contender.ask(server);
    };
    for (let warmup = 0; warmup < 2; warmup += 1) await poll(1);
    const found: Poll[] = [];
    for (const share of shares) {
      const results: ScanResult[] = [];
      for (let one = 0; one < rounds; one += 1) results.push(await poll(share));
      const of = (name: 'cpu' | 'wall' | 'bytes') => median(results.map((result) => result[name]));
      found.push({ cpu: of('cpu'), wall: of('wall'), bytes: of('bytes') });
    }
    return found;
  } finally {
    await Promise.all([contender.stop(), server.close()]);
  }
}

const TABLE_INTERVAL = 10_000;
/** Milliseconds of polls alone, then with requests. */
const POLLED = 20_000;
const REQUESTED = 5_000;

/** Tables of a thousand items each, polled every ten seconds; nothing changes. */
async function measureTables(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const server = await startPageServer({ items: 1_000 });
  try {
    for (const tables of SIZES.tables) {
      rows.push(await inFolder((folder) => withTables(folder, server.endpoint, tables)));
    }
  } finally {
    await server.close();
  }
  return rows;
}

async function withTables(folder: string, endpoint: string, tables: number): Promise<Row> {
  const names = Array.from({ length: tables }, (_, index) => `table-${index + 1}`);
  const config = join(folder, 'tables.yaml');
  const lines = names.map((name) => `  ${name}: { interval: ${TABLE_INTERVAL / 1_000}s }`);
  await writeFile(config, ['tables:', ...lines, ''].join('\n'));
  const { service } = await Service.start({
    config,
    dataDir: join(folder, 'data'),
    endpoints: { AWS_ENDPOINT_URL_DYNAMODB: endpoint },
  });
  try {
    const before = await service.process();
    await delay(POLLED);
    const after = await service.process();
    const times: number[] = [];
    for (const end = performance.now() + REQUESTED; performance.now() < end; await delay(20)) {
      times.push((await service.get(`/csv/${names[times.length % tables]}`)).took);
    }
    const polls = after.polls - before.polls;
    return {
      size: tables,
      'poll, ms of processor': round(((after.cpu - before.cpu) * 1_000) / Math.max(1, polls)),
      'memory, MB': Math.round(after.memory / MB),
      'dataset p50, ms': round(quantile(times, 0.5)),
      'dataset p99, ms': round(quantile(times, 0.99)),
    };
  } finally {
    await service.stop();
  }
}

/** A log of two counters every 30 seconds, with the fleet's views. */
async function measureHistory(): Promise<readonly Row[]> {
  const fleet = await startFleet({ step: null, timeZone: 'America/New_York' });
  try {
    return await inFolder(async (folder) => {
      const config = await writeFleetConfig(folder, '2s');
      const rows: Row[] = [];
      for (const days of SIZES.days) {
        const dataDir = join(folder, `days-${days}`);
        await makeHistory(dataDir, config, days);
        const { service, readyAfter } = await Service.start({ config, dataDir, endpoints: fleet.endpoints });
        try {
          rows.push({
            size: days,
            ...(await askHistory(service, days)),
            'start to ready, ms': Math.round(readyAfter),
          });
        } finally {
          await service.stop();
        }
        await rm(dataDir, { recursive: true, force: true });
      }
      return rows;
    });
  } finally {
    await fleet.stop();
  }
}

async function makeHistory(dataDir: string, config: string, days: number): Promise<void> {
  await makeYear({ dataDir, config, rows: Math.min(days, REAL_DAYS) * ROWS_A_DAY, csv: null });
  for (const dataset of [TABLE, `${TABLE}-changes`]) {
    const folder = join(dataDir, 'history', dataset);
    // The folder also has what the columns of its days are.
    const made = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('date='));
    for (let back = REAL_DAYS; back < days; back += 1) {
      const date = new Date(Date.now() - (back + 1) * DAY).toISOString().slice(0, 10);
      const other = made[back % made.length]!.slice('date='.length);
      await mkdir(join(folder, `date=${date}`), { recursive: true });
      await cp(
        join(folder, `date=${other}`, `${other}.parquet`),
        join(folder, `date=${date}`, `${date}.parquet`),
      );
    }
  }
}

const WINDOWS = 150;
const COLD = 5;

async function askHistory(service: Service, days: number): Promise<Omit<Row, 'size'>> {
  const recent = await times(WINDOWS, 50, (round) => service.get(`/csv/${TABLE}?last=${600_000 + round}ms`));
  const daysAgo = Math.min(days - 1, REAL_DAYS - 10);
  const byHour = await times(20, 10, (round) => {
    const to = Date.now() - daysAgo * DAY - round;
    return service.get(`/csv/${TABLE}?from=${to - DAY}&to=${to}&every=1h`);
  });
  const cold: number[] = [];
  for (let one = 0; one <= COLD; one += 1) {
    const before = await service.version(`${TABLE}-changes`);
    while ((await service.version(`${TABLE}-changes`)) === before) await delay(20);
    cold.push((await service.get('/csv/rides-per-day')).took);
  }
  const { memory } = await service.process();
  return {
    'ten minutes p50, ms': round(quantile(recent, 0.5)),
    'ten minutes p99, ms': round(quantile(recent, 0.99)),
    'a day by hour p50, ms': round(quantile(byHour, 0.5)),
    'a view of 13 weeks, cold, ms': round(median(cold.slice(1))),
    'memory, MB': Math.round(memory / MB),
  };
}

async function times(
  count: number,
  warmups: number,
  work: (round: number) => Promise<{ readonly took: number }>,
): Promise<readonly number[]> {
  const all: number[] = [];
  for (let one = 0; one < warmups + count; one += 1) all.push((await work(one)).took);
  return all.slice(warmups);
}

const SECONDS = 5;

/** Connections that ask for distinct ten-minute windows of a month's log, each as fast as it is answered. */
async function measureClients(): Promise<readonly Row[]> {
  return inFolder(async (folder) => {
    const config = await writeFleetConfig(folder, '30s', true);
    const dataDir = join(folder, 'month');
    await makeYear({ dataDir, config, rows: 20 * ROWS_A_DAY, csv: null });
    const server = new Contender<WindowServerRequest, WindowServerResult>(WINDOW_SERVER, ['direct'], {
      execArgv: [...nodeFlags],
    });
    try {
      const { port, lastAt } = await server.ask({ dataDir, config });
      let round = 0;
      const load = (connections: number, duration: number) =>
        autocannon({
          url: `http://127.0.0.1:${port}`,
          connections,
          duration,
          requests: [
            {
              setupRequest: (request) => {
                round += 1;
                const to = lastAt + 1 - round;
                return { ...request, path: `/csv/${TABLE}?from=${to - 600_000}&to=${to}` };
              },
            },
          ],
        });
      await load(8, 2);
      const rows: Row[] = [];
      for (const clients of SIZES.clients) {
        const { latency, requests, errors, non2xx } = await load(clients, SECONDS);
        // Each client always waits for one answer. The program's own mean is of whole milliseconds, rounded down.
        const mean = (clients / requests.average) * 1_000;
        if (errors + non2xx > 0) throw new Error(`${errors + non2xx} windows failed`);
        rows.push({
          size: clients,
          'windows a second': Math.round(requests.average),
          'mean, ms': Math.round(mean * 100) / 100,
          'p99, ms': latency.p99,
        });
      }
      return rows;
    } finally {
      await server.stop();
    }
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]!;
}

/** Two digits are what such a measurement has. */
function round(value: number): number {
  return value >= 10 ? Math.round(value) : Number(value.toPrecision(2));
}
