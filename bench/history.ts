import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '../src/base/project.js';
import { duckDbTitle, serviceSetup, timedInDuckDb } from './duckdb-shell.js';
import { alternate, type Benchmark, type Comparison, median, pairedRatio } from './harness.js';
import { watchingHealth } from './health.js';
import { between, Roapi } from './roapi.js';
import { Service, type ServiceOptions, startFleet, writeFleetConfig } from './service.js';
import { makeYear, TABLE } from './year.js';

/** Rows of the two logs: thirty days, and a year of two counters every 30 seconds. */
const FEW = 172_800;
const MANY = 2_100_000;
/** The polling interval during the benchmark: it must change an input of the views as often as they are measured cold. */
const INTERVAL = '2s';
const TIME_ZONE = 'America/New_York';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The views of the weekly dashboard that come from this log. */
const WEEKLY = ['rides-per-day', 'success-rate-per-week'];
const STARTS = 5;

/** What is measured of one request, in milliseconds; `round` makes each request unique, so that none is cached. */
type Request = (service: Service, round: number) => Promise<number>;

const lastTenMinutes: Request = async (service, round) =>
  (await service.get(`/csv/${TABLE}?last=${600_000 + round}ms`)).took;

/** A day by hour: 24 rows of each counter; `daysAgo` tells which. */
const dayByHour =
  (daysAgo: number): Request =>
  async (service, round) => {
    const to = Date.now() - daysAgo * DAY - round;
    return (await service.get(`/csv/${TABLE}?from=${to - DAY}&to=${to}&every=1h`)).took;
  };

/** A year by day, which nobody has asked for at this very moment. */
const yearByDay: Request = async (service, round) => {
  const to = Date.now() - round;
  return (await service.get(`/csv/${TABLE}?from=${to - 365 * DAY}&to=${to}&every=1d`)).took;
};
const YEAR_BY_DAY = 'a year by day';

/** A view, the first time after an input changed. */
const cold =
  (view: string): Request =>
  async (service) => {
    const input = `${TABLE}-changes`;
    await service.get(`/csv/${view}`);
    const before = await service.version(input);
    while ((await service.version(input)) === before) await delay(20);
    return (await service.get(`/csv/${view}`)).took;
  };

/** The same view again. */
const kept =
  (view: string): Request =>
  async (service) => {
    await service.get(`/csv/${view}`);
    return (await service.get(`/csv/${view}`)).took;
  };

/** History is cheap: what a window costs depends on the window, not on how long the service has been running. */
export const historyBenchmark: Benchmark = {
  name: 'history',
  about: `a log of ${MANY} rows (a year) against one of ${FEW} (30 days), over HTTP`,
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    const config = await writeFleetConfig(folder, INTERVAL);
    const csv = join(folder, 'whole.csv');
    const fleet = await startFleet({ step: null, timeZone: TIME_ZONE });
    try {
      const small = { config, dataDir: join(folder, 'small'), endpoints: fleet.endpoints };
      const large = { config, dataDir: join(folder, 'large'), endpoints: fleet.endpoints };
      await makeYear({ ...small, rows: FEW, csv: null });
      await makeYear({ ...large, rows: MANY, csv });
      return [...(await measureStarts(small, large)), ...(await measureAnswers(small, large, csv))];
    } finally {
      await fleet.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measureStarts(small: ServiceOptions, large: ServiceOptions): Promise<readonly Comparison[]> {
  const start = (options: ServiceOptions) => async () => {
    const { service, readyAfter } = await Service.start(options);
    await service.stop();
    return readyAfter;
  };
  // The first start polls the other tables; later starts have everything on the volume.
  const [few, many] = await alternate([start(small), start(large)], { warmups: 1, rounds: STARTS });
  return [limited('start to ready', many!, few!, 1_500)];
}

/** On volumes that are there, with the whole of the large log in a CSV beside them. */
export async function measureAnswers(
  few: ServiceOptions,
  many: ServiceOptions,
  csv: string,
): Promise<readonly Comparison[]> {
  const { service: small } = await Service.start(few);
  const { service: large } = await Service.start(many);
  const whole = await serveFile(csv);
  const roapi = await Roapi.start(csv, Date.now());
  try {
    const { result, line } = await watchingHealth(large.url, 'all of it', () =>
      measureRequests(small, large, whole, roapi),
    );
    const alone = await selectsAlone(many.dataDir);
    return [
      ...result,
      ...alone(result),
      line,
      remembered(await large.metrics(TABLE), await small.metrics(TABLE)),
    ];
  } finally {
    whole.close();
    await Promise.all([small.stop(), large.stop(), roapi?.stop()]);
  }
}

async function measureRequests(
  small: Service,
  large: Service,
  whole: Server,
  roapi: Roapi | null,
): Promise<readonly Measured[]> {
  const lines: Measured[] = [];
  const measure = async (request: Request, { warmups, rounds }: Rounds) => {
    let round = 0;
    const on = (service: Service) => () => {
      round += 1;
      return request(service, round);
    };
    const [ofSmall, ofLarge] = await alternate([on(small), on(large)], { warmups, rounds });
    return { ofSmall: ofSmall!, ofLarge: ofLarge! };
  };
  const windows = await measure(lastTenMinutes, { warmups: 30, rounds: 200 });
  lines.push(
    notLonger('last 10 minutes', windows.ofLarge, windows.ofSmall, 1.5),
    limited('last 10 minutes', windows.ofLarge, null, 5),
  );
  const days = await measure(dayByHour(0), { warmups: 5, rounds: 30 });
  lines.push(told('a day by hour', days.ofLarge, days.ofSmall));
  const sealed = await alternate(
    [countedRounds((round) => dayByHour(100)(large, round)), ...(roapi === null ? [] : [dayByHourOf(roapi)])],
    { warmups: 10, rounds: 60 },
  );
  lines.push(
    atMost(
      `a sealed day by hour, against ${roapi?.title ?? 'ROAPI: not installed'}`,
      sealed[0]!,
      sealed[1] ?? null,
      0.5,
    ),
  );
  const years = await alternate([countedRounds((round) => yearByDay(large, round))], {
    warmups: 10,
    rounds: 30,
  });
  lines.push(limited(YEAR_BY_DAY, years[0]!, null, 60));
  for (const view of WEEKLY) {
    const computed = await measure(cold(view), { warmups: 2, rounds: 9 });
    lines.push(
      notLonger(`${view}, cold, a year against 30 days`, computed.ofLarge, computed.ofSmall, 1.5),
      limited(`${view}, cold`, computed.ofLarge, null, 60),
    );
    const again = await measure(kept(view), { warmups: 2, rounds: 30 });
    lines.push(told(`${view}, kept`, again.ofLarge, again.ofSmall));
  }
  const downloads = await alternate([() => download(whole)], { warmups: 1, rounds: 5 });
  lines.push(told('last 10 minutes, against the whole log', windows.ofLarge, downloads[0]!));
  return lines;
}

/** A comparison with what was measured. */
interface Measured extends Comparison {
  readonly milliseconds: readonly number[];
}

/**
 * The SELECTs of the weekly views in DuckDB by itself, over the same files and rows. Returns what makes the lines of it from
 * those of the service.
 */
async function selectsAlone(dataDir: string): Promise<(lines: readonly Measured[]) => readonly Comparison[]> {
  const title = await duckDbTitle();
  const texts = await Promise.all(
    WEEKLY.map((view) => readFile(join(projectRoot, 'config', 'views', `${view}.sql`), 'utf8')),
  );
  const logs = [TABLE, `${TABLE}-changes`];
  const setup = [
    ...(await serviceSetup(TIME_ZONE)),
    ...logs.flatMap((log) => [
      `CREATE TABLE "unsealed ${log}" AS SELECT *, CAST("timestamp" AS DATE) AS date FROM read_csv('${join(dataDir, `${log}.csv`)}')`,
      `CREATE VIEW "${log}" AS FROM read_parquet('${join(dataDir, 'history', log)}/*/*.parquet',
         hive_partitioning = true, hive_types = {'date': DATE}) UNION ALL BY NAME FROM "unsealed ${log}"`,
    ]),
  ];
  const selects = {
    ...Object.fromEntries(WEEKLY.map((view, index) => [view, texts[index]!])),
    [YEAR_BY_DAY]: `SELECT counter_type, arg_max(count, timestamp), max(timestamp) FROM "${TABLE}" GROUP BY date, counter_type`,
  };
  const times = title === null ? null : await timedInDuckDb({ setup, selects, warmups: 3, rounds: 9 });
  const asked = [
    ...WEEKLY.map((view) => ({ view, what: `${view}, cold` })),
    { view: YEAR_BY_DAY, what: YEAR_BY_DAY },
  ];
  return (lines) =>
    asked.map(({ view, what }) => {
      const { milliseconds: own } = lines.find((line) => line.what === what)!;
      return atMost(
        `${what}, against its SELECT in ${title ?? 'DuckDB: not installed'}`,
        own,
        times?.[view] ?? null,
        1.5,
      );
    });
}

/** Calls `work` with 1, 2 and so on. */
function countedRounds<T>(work: (round: number) => Promise<T>): () => Promise<T> {
  let round = 0;
  return () => {
    round += 1;
    return work(round);
  };
}

/** The last row of each hour and counter, as `every=1h` has it. */
function dayByHourOf(roapi: Roapi): () => Promise<number> {
  return countedRounds(async (round) => {
    const to = Date.now() - 100 * DAY - round;
    const latest = `SELECT *, row_number() OVER (PARTITION BY date_trunc('hour', timestamp), counter_type
      ORDER BY timestamp DESC) AS number FROM log WHERE ${between(to - DAY, to)}`;
    const sql = `SELECT counter_type, count, timestamp FROM (${latest}) AS latest WHERE number = 1 ORDER BY timestamp`;
    return roapi.took(sql);
  });
}

interface Rounds {
  readonly warmups: number;
  readonly rounds: number;
}

/** The whole log as a file, sent by `node:http`. */
async function serveFile(path: string): Promise<Server> {
  const { size } = await stat(path);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8', 'content-length': size });
    createReadStream(path).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** As Grafana's plugin receives it: a string. */
async function download(server: Server): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const before = performance.now();
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  return performance.now() - before;
}

const MOST_MEMORY = 350e6;

function remembered(large: { readonly memory: number }, small: { readonly memory: number }): Comparison {
  const shown = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return {
    what: 'memory after all of it',
    ours: shown(large.memory),
    other: shown(small.memory),
    ratio: large.memory / small.memory,
    goal: `under ${shown(MOST_MEMORY)}`,
    reached: large.memory < MOST_MEMORY,
  };
}

function told(what: string, ours: readonly number[], others: readonly number[] | null): Measured {
  return {
    what,
    milliseconds: ours,
    ours: milliseconds(ours),
    other: others === null ? '-' : milliseconds(others),
    ratio:
      others === null
        ? null
        : others.length === ours.length
          ? pairedRatio(ours, others)
          : median(ours) / median(others),
    goal: null,
    reached: null,
  };
}

/** A median that has to stay under `most` milliseconds. */
function limited(
  what: string,
  ours: readonly number[],
  others: readonly number[] | null,
  most: number,
): Measured {
  return { ...told(what, ours, others), goal: `under ${most} ms`, reached: median(ours) < most };
}

function notLonger(what: string, ours: readonly number[], others: readonly number[], most: number): Measured {
  const line = told(what, ours, others);
  return { ...line, goal: `at most ${most}`, reached: line.ratio! <= most };
}

/** `others` null: nothing to compare with is installed. */
function atMost(
  what: string,
  ours: readonly number[],
  others: readonly number[] | null,
  most: number,
): Measured {
  if (others !== null) return notLonger(what, ours, others, most);
  return { ...told(what, ours, null), goal: `at most ${most}` };
}

function milliseconds(values: readonly number[]): string {
  const value = median(values);
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}
