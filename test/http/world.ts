import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { Registry } from 'prom-client';
import type { Clock } from '../../src/base/clock.js';
import { createLogger } from '../../src/base/logger.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { Answer, Parameters, Queries, Query } from '../../src/datasets/queries.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { createHttpMetrics, type HttpMetrics } from '../../src/http/metrics.js';
import type { HttpPlugin } from '../../src/http/plugin.js';
import { createHttp, type Http, type HttpOptions, ResponseTimes } from '../../src/http/server.js';
import { badParameter } from '../../src/windows/errors.js';
import { neverOverloaded } from '../support/never-overloaded.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openTestRecorder } from '../support/test-recorder.js';

export const START = Date.parse('2026-11-24T09:30:00.000Z');
export const INTERVAL = 30_000;

type Types = Readonly<Record<string, Column['type']>>;

/** A table that a test polls by hand. */
export interface TestTable {
  readonly health: PollHealth;
  readonly datasets: readonly Dataset[];
  poll(types: Types, rows: readonly (readonly Cell[])[]): Promise<void>;
}

/** The service's HTTP side over real datasets, with a clock and a SQL engine that tests set. */
export interface World {
  readonly http: Http;
  readonly registry: DatasetRegistry;
  readonly queries: ScriptedQueries;
  readonly metrics: HttpMetrics;
  readonly responseTimes: ResponseTimes;
  /** Lines of the log, parsed. */
  readonly log: readonly Record<string, unknown>[];
  now: number;
  table(name: string, options?: { readonly log?: boolean; readonly changes?: boolean }): Promise<TestTable>;
  /** Listens, and gives the address. */
  listen(): Promise<string>;
}

export interface WorldOptions extends Partial<Omit<HttpOptions, 'config'>> {
  readonly config?: Partial<HttpOptions['config']>;
  readonly logLevel?: string;
  readonly plugins?: readonly HttpPlugin[];
}

export async function createWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const { config, logLevel = 'debug', plugins, ...others } = options;
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  const log: Record<string, unknown>[] = [];
  const destination = new Writable({
    write: (line: Buffer, _encoding, done) => {
      log.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = createLogger({ level: logLevel, destination });
  const time = { now: START };
  const clock: Clock = { now: () => time.now, sleep: async () => undefined };
  const registry = new DatasetRegistry();
  const queries = new ScriptedQueries();
  const metrics = createHttpMetrics(new Registry());
  const responseTimes = new ResponseTimes(clock);
  const httpOptions: HttpOptions = {
    registry,
    queries,
    metrics,
    logger,
    clock,
    config: {
      apiToken: null,
      allowedHosts: [],
      corsOrigin: [],
      allowSql: false,
      file: 'config/test.yaml',
      dataDir,
      timeZone: 'UTC',
      ...config,
    },
    responseTimes,
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
    ...others,
  };
  const http = await createHttp(httpOptions, plugins);
  neverOverloaded(http);
  t.after(() => http.close());
  const world: World = {
    http,
    registry,
    queries,
    metrics,
    responseTimes,
    log,
    get now() {
      return time.now;
    },
    set now(milliseconds) {
      time.now = milliseconds;
    },
    table: async (name, kept = {}) => {
      const health = new PollHealth(INTERVAL, clock);
      const recorder = await openTestRecorder({
        name,
        dataDir,
        health,
        logger,
        ...kept,
      });
      t.after(() => recorder.close());
      for (const dataset of recorder.datasets) registry.add(dataset);
      const cost = { requests: 1, attempts: 1, bytes: 100, readCapacityUnits: 0.5, metricsRequested: 0 };
      return {
        health,
        datasets: recorder.datasets,
        poll: async (types, rows) => {
          const columns = Object.entries(types).map(([column, type]) => ({ name: column, type, seen: true }));
          const reading = {
            kind: 'full',
            rows: encodeRows(columns, rows),
            keys: ['id'],
            position: null,
            cost,
          } as const;
          await recorder.record(reading, time.now);
        },
      };
    },
    listen: async () => {
      await http.listen({ port: 0, host: '127.0.0.1' });
      return `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
    },
  };
  return world;
}

export const COUNTS = { id: 'string', count: 'number' } as const;

/** Stands for the SQL engine: what a test says a window or a SQL text is answered with. */
export class ScriptedQueries implements Queries {
  /** What was asked, in order. */
  readonly asked: { readonly what: string; readonly parameters: Parameters }[] = [];
  /** How often a query was run. */
  runs = 0;
  answer: (parameters: Parameters, signal: AbortSignal) => AsyncIterable<Buffer> = () => pieces('one\n1\n');
  details: Partial<Omit<Query, 'run'>> = {};

  async window(dataset: Dataset, parameters: Parameters): Promise<Query> {
    return this.#query(dataset.name, parameters);
  }

  async sql(text: string, parameters: Parameters): Promise<Query> {
    return this.#query(text, parameters);
  }

  #query(what: string, parameters: Parameters): Query {
    this.asked.push({ what, parameters });
    const wrong = parameters.find(([name]) => name === 'wrong');
    if (wrong !== undefined) throw badParameter('wrong: there is no such parameter', 'leave it out');
    return {
      key: JSON.stringify([what, parameters]),
      version: '1',
      until: null,
      contentType: 'text/csv; charset=utf-8',
      readAt: START,
      ...this.details,
      run: async (signal): Promise<Answer> => {
        this.runs += 1;
        return { columns: [], body: this.answer(parameters, signal) };
      },
    };
  }
}

export async function* pieces(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}
