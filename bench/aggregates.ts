import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../src/base/project.js';
import type { AggregateServerRequest, AggregateServerResult } from './aggregate-server.js';
import { DuckDbShell, duckDbTitle, type ShellAnswer, serviceSetup } from './duckdb-shell.js';
import { alternate, type Benchmark, type Comparison, Contender, median, pairedRatio } from './harness.js';
import { watchingHealth } from './health.js';

const SERVER = fileURLToPath(new URL('./aggregate-server.js', import.meta.url));
/** A million readings of an hour: a hundred devices, every 0.36 s each. */
const READINGS = 1_000_000;
const DEVICES = 100;
const MINUTE = 60_000;
const ROUNDS = { warmups: 3, rounds: 15 };
const MOST = 1.2;

interface Question {
  readonly search: string;
  /** Milliseconds of the window, which ends with the newest reading. */
  readonly last: number;
  /** What DuckDB selects for it behind the step. */
  readonly select: string;
  readonly keys: number;
}

/** What a panel asks for, of the whole hour and of a part of it, and a few that need other functions. */
const QUESTIONS: readonly Question[] = [
  { search: 'every=1m&agg=avg:t&by=device', last: 60 * MINUTE, select: 'device, avg(t)', keys: 2 },
  { search: 'every=1m&agg=avg:t&by=device', last: 15 * MINUTE, select: 'device, avg(t)', keys: 2 },
  {
    search: 'every=1m&agg=max:t,min:t,count&by=device',
    last: 60 * MINUTE,
    select: 'device, max(t), min(t), count(*)',
    keys: 2,
  },
  { search: 'every=10s&agg=p95:t', last: 60 * MINUTE, select: 'quantile_cont(t, 0.95)', keys: 1 },
];

type Server = Contender<AggregateServerRequest | 'cpu', AggregateServerResult | number>;

/**
 * Aggregates of many rows over HTTP, against what their SELECT takes in DuckDB by itself over the same rows in its memory,
 * in turns. Both have answered the question before, and no answer comes from a cache of answers.
 */
export const aggregatesBenchmark: Benchmark = {
  name: 'aggregates',
  about: `aggregates of an hour of ${READINGS} readings, against their SELECT in DuckDB by itself`,
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    const server: Server = new Contender(SERVER, [], { execArgv: [...nodeFlags] });
    try {
      const found = (await server.ask({
        dataDir: folder,
        readings: READINGS,
        devices: DEVICES,
      })) as AggregateServerResult;
      const { result, line } = await watchingHealth(found.url, 'aggregates', () => compared(server, found));
      return [...result, line];
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function compared(server: Server, found: AggregateServerResult): Promise<readonly Comparison[]> {
  const title = await duckDbTitle();
  const shell =
    title === null
      ? null
      : await DuckDbShell.start([
          ...(await serviceSetup('UTC')),
          `CREATE TABLE readings AS SELECT device, t, CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp" FROM read_csv('${found.csv}')`,
        ]);
  const agent = new Agent({ keepAlive: true });
  const lines: Comparison[] = [];
  for (const [number, question] of QUESTIONS.entries()) {
    let round = number * 1_000;
    const ours = () => asked(server, agent, found, question, round++);
    const contenders = shell === null ? [ours] : [ours, () => shell.select(selectOf(question, found))];
    const [own = [], others] = await alternate(contenders, ROUNDS);
    if (others !== undefined) check(question, own[0]!, others[0]!);
    lines.push(...linesOf(question, title, own, others ?? null));
  }
  agent.destroy();
  await shell?.stop();
  return lines;
}

/** Asks the service; `to` makes each question another one, so that none is answered from the cache. */
async function asked(
  server: Server,
  agent: Agent,
  { url, lastAt }: AggregateServerResult,
  { search, last }: Question,
  round: number,
): Promise<ShellAnswer> {
  const used = (await server.ask('cpu')) as number;
  const before = performance.now();
  // Later than the newest reading: the rows are the same.
  const range = `from=${lastAt + 1 - last}&to=${lastAt + 1 + round}`;
  const request = get(`${url}/csv/readings?${range}&${search}`, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const body = await text(response);
  const wall = performance.now() - before;
  if (response.statusCode !== 200) throw new Error(`${search}: ${response.statusCode} ${body}`);
  const cpu = ((await server.ask('cpu')) as number) - used;
  const rows = body.trimEnd().split('\n').slice(1);
  const total = rows.reduce((sum, row) => sum + Number(row.slice(row.lastIndexOf(',') + 1)), 0);
  return { wall, cpu, rows: rows.length, total };
}

function selectOf({ search, last, select, keys }: Question, { lastAt }: AggregateServerResult): string {
  const step = search.startsWith('every=1m') ? 60_000 : 10_000;
  const at = (instant: number) => `to_timestamp(${instant / 1_000})`;
  const range = `"timestamp" >= ${at(lastAt + 1 - last)} AND "timestamp" < ${at(lastAt + 1)}`;
  const group = Array.from({ length: keys }, (_, index) => index + 1);
  return `SELECT epoch_ms("timestamp") // ${step}, ${select} FROM readings WHERE ${range} GROUP BY ${group} ORDER BY ALL`;
}

/** Whether both computed the same. */
function check({ search }: Question, own: ShellAnswer, other: ShellAnswer): void {
  const isClose = Math.abs(own.total - other.total) <= 1e-9 * Math.abs(other.total);
  if (own.rows === other.rows && isClose) return;
  throw new Error(
    `${search}: ${own.rows} rows, in all ${own.total}; DuckDB has ${other.rows}, ${other.total}`,
  );
}

function linesOf(
  { search, last }: Question,
  title: string | null,
  own: readonly ShellAnswer[],
  others: readonly ShellAnswer[] | null,
): readonly Comparison[] {
  const measures = { wall: 'wall time', cpu: 'processor time' } as const;
  return (['wall', 'cpu'] as const).map((measure) => {
    const shown = (answers: readonly ShellAnswer[]) =>
      `${median(answers.map((answer) => answer[measure])).toFixed(1)} ms`;
    const of = (answers: readonly ShellAnswer[]) => answers.map((answer) => answer[measure]);
    const ratio = others === null ? null : pairedRatio(of(own), of(others));
    return {
      what: `${search} of ${last / MINUTE} minutes, ${measures[measure]}, against ${title ?? 'DuckDB: not installed'}`,
      ours: shown(own),
      other: others === null ? '-' : shown(others),
      ratio,
      goal: `at most ${MOST}`,
      reached: ratio === null ? null : ratio <= MOST,
    };
  });
}
