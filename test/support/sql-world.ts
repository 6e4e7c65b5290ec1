import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { Clock } from '../../src/base/clock.js';
import { LocalDays } from '../../src/base/local-days.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { LocalStore } from '../../src/history/local-store.js';
import type { DamagedFile } from '../../src/history/parquet-files.js';
import { Sealer } from '../../src/history/sealer.js';
import type { HistoryStore } from '../../src/history/store.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { Reading } from '../../src/sources/source.js';
import { Sql } from '../../src/sql/sql.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from './temporary-folder.js';
import { openTestRecorder } from './test-recorder.js';

const FREE = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
const silent = pino({ level: 'silent' });

/** A reading as a source gives it; the first columns are the keys. */
export function readingOf(
  types: Readonly<Record<string, Column['type']>>,
  rows: readonly (readonly Cell[])[],
  keys: readonly string[] = Object.keys(types).slice(0, 1),
): Reading {
  const columns = Object.entries(types).map(([name, type]) => ({ name, type, seen: true }));
  return { kind: 'full', rows: encodeRows(columns, rows), keys, position: null, cost: FREE };
}

/** A clock that stands until it is put forward. */
export class Time implements Clock {
  at: number;

  constructor(at: number) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.at += milliseconds;
  }
}

/** A volume with recorders, the registry over them and the SQL engine beside it; all gone after the test. */
export class SqlWorld {
  readonly dataDir: string;
  readonly registry: DatasetRegistry;
  readonly sql: Sql;
  readonly sealer: Sealer;
  readonly time: Time;
  /** Lines of the sealer's log, from warnings on. */
  readonly logged: Record<string, unknown>[] = [];

  private constructor(
    dataDir: string,
    timeZone: string,
    registry: DatasetRegistry,
    time: Time,
    sql: Sql,
    store: HistoryStore,
  ) {
    this.dataDir = dataDir;
    this.registry = registry;
    this.sql = sql;
    this.time = time;
    this.sealer = new Sealer({
      store,
      days: new LocalDays(timeZone),
      parquet: sql.parquet,
      clock: time,
      logger: pino({ level: 'warn' }, { write: (line) => this.logged.push(JSON.parse(line)) }),
    });
  }

  static async start(
    t: TestContext,
    options: {
      readonly now?: number;
      readonly timeZone?: string;
      readonly dataDir?: string;
      /** Where sealed days are; by default on the local disk. */
      readonly store?: HistoryStore;
    } = {},
  ): Promise<SqlWorld> {
    const { now = Date.parse('2026-11-20T12:00:00Z'), timeZone = 'America/New_York' } = options;
    const dataDir = options.dataDir ?? (await temporaryFolder(t));
    await mkdir(join(dataDir, '.dynamo-csv'), { recursive: true });
    const time = new Time(now);
    const registry = new DatasetRegistry();
    const damagedFile = (file: DamagedFile) => world.sealer.setAside(file);
    const store = options.store ?? new LocalStore(dataDir, nodeFiles);
    const services = { registry, damagedFile, storedDays: store, clock: time, logger: silent };
    const sql = new Sql({ dataDir, timeZone, ...services });
    t.after(() => sql.close());
    const world = new SqlWorld(dataDir, timeZone, registry, time, sql, store);
    return world;
  }

  /** A table of the volume; its datasets are in the registry. */
  async table(name: string, options: Partial<RecorderOptions> = {}): Promise<TableRecorder> {
    const recorder = await openTestRecorder({
      name,
      dataDir: this.dataDir,
      health: new PollHealth(30_000, this.time),
      ...options,
    });
    for (const dataset of recorder.datasets) this.registry.add(dataset);
    return recorder;
  }

  /** The dataset of that name. */
  dataset(name: string): Dataset {
    const dataset = this.registry.get(name);
    if (dataset === undefined) throw new Error(`no dataset ${name}`);
    return dataset;
  }

  /** The answer to `/csv/<name>?<search>` as text. */
  async window(name: string, search = 'header=true'): Promise<string> {
    const parameters = [...new URLSearchParams(search)];
    const query = await this.sql.queries.window(this.dataset(name), parameters);
    return textOf(await query.run(new AbortController().signal));
  }

  /** The answer to `/csv?sql=…` as text. */
  async ask(text: string, search = ''): Promise<string> {
    const parameters = [...new URLSearchParams(search)];
    const query = await this.sql.queries.sql(text, parameters);
    return textOf(await query.run(new AbortController().signal));
  }
}

async function textOf({ body }: { readonly body: AsyncIterable<Buffer> }): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}
