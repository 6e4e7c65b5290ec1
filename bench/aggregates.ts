import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../src/base/project.js';
import type { AggregateServerRequest, AggregateServerResult } from './aggregate-server.js';
import { duckDbTitle, serviceSetup, timedInDuckDb } from './duckdb-shell.js';
import { type Benchmark, type Comparison, Contender, median } from './harness.js';
import { watchingHealth } from './health.js';

const SERVER = fileURLToPath(new URL('./aggregate-server.js', import.meta.url));
/** A million readings of an hour: a hundred devices, every 0.36 s each. */
const READINGS = 1_000_000;
const DEVICES = 100;
const HOUR = 3_600_000;
const ROUNDS = { warmups: 3, rounds: 11 };
const MOST = 1.2;
/** What a panel asks for, and a few that need other functions. */
const QUESTIONS = {
  'every=1m&agg=avg:t&by=device': ['device', 'avg(t)'],
  'every=1m&agg=max:t,min:t,count&by=device': ['device', 'max(t), min(t), count(*)'],
  'every=10s&agg=p95:t': ['', 'quantile_cont(t, 0.95)'],
} as const;

/** Aggregates of many rows over HTTP, against what their SELECT takes in DuckDB by itself over the same rows in its memory. */
export const aggregatesBenchmark: Benchmark = {
  name: 'aggregates',
  about: `aggregates of an hour of ${READINGS} readings, against their SELECT in DuckDB by itself`,
  run: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    const server = new Contender<AggregateServerRequest, AggregateServerResult>(SERVER, [], {
      execArgv: [...nodeFlags],
    });
    try {
      const found = await server.ask({ dataDir: folder, readings: READINGS, devices: DEVICES });
      const { result, line } = await watchingHealth(found.url, 'aggregates', () => measured(found));
      return [...(await compared(result, found)), line];
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Times = Readonly<Record<string, readonly number[]>>;

/** Milliseconds of each question; its `to` makes each unique, so that none is answered from the cache. */
async function measured({ url, lastAt }: AggregateServerResult): Promise<Times> {
  const agent = new Agent({ keepAlive: true });
  const times: Record<string, number[]> = Object.fromEntries(
    Object.keys(QUESTIONS).map((question) => [question, []]),
  );
  for (let round = 0; round < ROUNDS.warmups + ROUNDS.rounds; round += 1) {
    for (const question of Object.keys(QUESTIONS)) {
      const to = lastAt + 1 + round;
      const before = performance.now();
      const request = get(`${url}/csv/readings?from=${to - HOUR}&to=${to}&${question}`, { agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const body = await text(response);
      if (response.statusCode !== 200) throw new Error(`${question}: ${response.statusCode} ${body}`);
      if (round >= ROUNDS.warmups) times[question]!.push(performance.now() - before);
    }
  }
  agent.destroy();
  return times;
}

async function compared(
  times: Times,
  { csv, lastAt }: AggregateServerResult,
): Promise<readonly Comparison[]> {
  const title = await duckDbTitle();
  const range = `"timestamp" >= to_timestamp(${(lastAt + 1 - HOUR) / 1_000}) AND "timestamp" < to_timestamp(${(lastAt + 1) / 1_000})`;
  const select = (question: string, [by, aggregates]: readonly [string, string]) => {
    const step = question.startsWith('every=1m') ? 60_000 : 10_000;
    const keys = [`epoch_ms("timestamp") // ${step}`, ...(by === '' ? [] : [by])];
    return `SELECT ${keys.join(', ')}, ${aggregates} FROM readings WHERE ${range} GROUP BY ${keys.map((_, index) => index + 1)} ORDER BY ALL`;
  };
  const selects = Object.fromEntries(
    Object.entries(QUESTIONS).map(([question, parts]) => [question, select(question, parts)]),
  );
  const setup = [
    ...(await serviceSetup('UTC')),
    `CREATE TABLE readings AS SELECT device, t, CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp" FROM read_csv('${csv}')`,
  ];
  const alone = title === null ? null : await timedInDuckDb({ setup, selects, ...ROUNDS });
  return Object.entries(times).map(([question, own]) => {
    const others = alone?.[question];
    const ratio = others === undefined ? null : median(own) / median(others);
    const shown = (values: readonly number[]) => `${median(values).toFixed(1)} ms`;
    return {
      what: `${question}, against ${title ?? 'DuckDB: not installed'}`,
      ours: shown(own),
      other: others === undefined ? '-' : shown(others),
      ratio,
      goal: `at most ${MOST}`,
      reached: ratio === null ? null : ratio <= MOST,
    };
  });
}
