import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { nodeFlags } from '../src/base/project.js';
import { alternate, type Benchmark, type Comparison, Contender, median, pairedRatio } from './harness.js';
import { startBare, watchingHealth } from './health.js';
import { RawClient } from './raw-client.js';
import { type Question, Roapi, type Server } from './roapi.js';
import { writeFleetConfig } from './service.js';
import type { WindowServerRequest, WindowServerResult } from './window-server.js';
import { makeYear, TABLE } from './year.js';

const SERVER = fileURLToPath(new URL('./window-server.js', import.meta.url));
/** Rows of a year of two counters every 30 seconds. */
const ROWS = 2_100_000;
const TEN_MINUTES = 600_000;
/** As after some minutes of service: Node compiles in stages, the last of them after some thousand requests. */
const ALONE = { warmups: 2_000, rounds: 300 };
const CLIENTS = 8;
/** Seconds of one measurement under load, and how many there are. */
const SECONDS = 3;
const LOADS = { warmups: 1, rounds: 3 };
/** Windows a second while `/healthz` is watched. */
const RATE = 1_000;

/** Forty rows of millions: what a panel asks for. */
export const windowsBenchmark: Benchmark = {
  name: 'windows',
  about: `distinct ten-minute windows of a log of ${ROWS} rows, against DuckDB's way here and ROAPI with the CSV in memory`,
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    const config = await writeFleetConfig(folder, '30s', true);
    const dataDir = join(folder, 'year');
    const csv = join(folder, 'whole.csv');
    await makeYear({ dataDir, config, rows: ROWS, csv });
    try {
      return await measureWindows(dataDir, config, csv);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** On a volume that is there, with the whole log in a CSV beside it. */
export async function measureWindows(
  dataDir: string,
  config: string,
  csv: string,
): Promise<readonly Comparison[]> {
  const contenders = ['direct', 'duckdb'].map(
    (way) =>
      new Contender<WindowServerRequest, WindowServerResult>(SERVER, [way], { execArgv: [...nodeFlags] }),
  );
  let roapi: Roapi | null = null;
  try {
    const [direct, duckdb] = await Promise.all(contenders.map((one) => one.ask({ dataDir, config })));
    roapi = await Roapi.start(csv, direct!.lastAt);
    return await compare(direct!, duckdb!, roapi);
  } finally {
    await roapi?.stop();
    await Promise.all(contenders.map((one) => one.stop()));
  }
}

function ours({ port, lastAt }: WindowServerResult, more = ''): Server {
  return {
    port,
    question: (round) => {
      const to = lastAt + 1 - round;
      return { method: 'GET', path: `/csv/${TABLE}?from=${to - TEN_MINUTES}&to=${to}${more}` };
    },
  };
}

/** What an answer over HTTP costs that needs no computing. */
function floor(url: string): Server {
  return { port: Number(new URL(url).port), question: () => ({ method: 'GET', path: '/' }) };
}

async function compare(
  direct: WindowServerResult,
  duckdb: WindowServerResult,
  roapi: Roapi | null,
): Promise<readonly Comparison[]> {
  const plain = ours(direct);
  const alert = ours(direct, '&pivot=counter_type:count&null=null&pad=1');
  const bare = await startBare();
  const servers = [plain, alert, ours(duckdb), floor(bare.url), ...(roapi === null ? [] : [roapi])];
  const clients = await Promise.all(servers.map(({ port }) => RawClient.connect(port)));
  let round = 0;
  const alone = await alternate(
    servers.map((server, index) => () => {
      round += 1;
      return took(clients[index]!, server.question(round));
    }),
    ALONE,
  );
  for (const client of clients) client.close();
  await bare.stop();
  const loads = await alternate(
    [plain, ours(duckdb), ...(roapi === null ? [] : [roapi])].map((server) => () => {
      round += 1;
      return answersPerSecond(server, round);
    }),
    LOADS,
  );
  const other = roapi?.title ?? 'ROAPI: not installed';
  return [
    latency('ten minutes, DuckDB’s way here', alone[0]!, alone[2]!, null),
    latency('ten minutes, against 4 KB from a bare node:http', alone[0]!, alone[3]!, null),
    latency(`ten minutes, against ${other}`, alone[0]!, alone[4], 0.1),
    latency(`a bare node:http, against ${other}`, alone[3]!, alone[4], null),
    latency('with pivot, null and pad, against the plain window', alone[1]!, alone[0]!, 1.5),
    rate(`${CLIENTS} clients, DuckDB’s way here`, loads[0]!, loads[1]!, null),
    rate(`${CLIENTS} clients, against ${other}`, loads[0]!, loads[2], 10),
    await health(plain),
  ];
}

/** Milliseconds until the answer is complete. */
async function took(client: RawClient, question: Question): Promise<number> {
  const before = performance.now();
  const { status, body } = await client.ask(question);
  const milliseconds = performance.now() - before;
  const answer = body.toString();
  if (status !== 200 || answer.split('\n').length < 20) throw new Error(`${status} ${answer}`);
  return milliseconds;
}

/** Separate ranges of rounds, so that no measurement repeats another's request. */
const APART = 1_000_000;

async function answersPerSecond(server: Server, run: number): Promise<number> {
  const result = await load(server, run, {});
  return result.requests.average;
}

async function load(server: Server, run: number, more: Partial<autocannon.Options>) {
  let round = run * APART;
  const result = await autocannon({
    url: `http://127.0.0.1:${server.port}`,
    connections: CLIENTS,
    duration: SECONDS,
    ...more,
    requests: [
      {
        setupRequest: (request) => {
          round += 1;
          return { ...request, ...server.question(round % (20 * TEN_MINUTES)) } as autocannon.Request;
        },
      },
    ],
  });
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} windows failed`);
  return result;
}

/** `/healthz` while windows are requested. */
async function health(server: Server): Promise<Comparison> {
  const { line } = await watchingHealth(`http://127.0.0.1:${server.port}`, `${RATE} windows a second`, () =>
    load(server, 900, { overallRate: RATE }),
  );
  return line;
}

function latency(
  what: string,
  own: readonly number[],
  others: readonly number[] | undefined,
  most: number | null,
): Comparison {
  const ratio = others === undefined ? null : pairedRatio(own, others);
  return {
    what,
    ours: `${median(own).toFixed(2)} ms`,
    other: others === undefined ? '-' : `${median(others).toFixed(2)} ms`,
    ratio,
    goal: most === null ? null : `at most ${most}`,
    reached: most === null || ratio === null ? null : ratio <= most,
  };
}

function rate(
  what: string,
  own: readonly number[],
  others: readonly number[] | undefined,
  least: number | null,
): Comparison {
  const ratio = others === undefined ? null : pairedRatio(own, others);
  return {
    what,
    ours: `${Math.round(median(own))}/s`,
    other: others === undefined ? '-' : `${Math.round(median(others))}/s`,
    ratio,
    goal: least === null ? null : `at least ${least}`,
    reached: least === null || ratio === null ? null : ratio >= least,
  };
}
