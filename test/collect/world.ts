import type { TestContext } from 'node:test';
import { Registry } from 'prom-client';
import { LocalDays } from '../../src/base/local-days.js';
import { Collector } from '../../src/collect/collector.js';
import { createPollMetrics, type PollMetrics } from '../../src/collect/metrics.js';
import { encodeRows } from '../../src/csv/encode.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { FullReading, Reading, Source } from '../../src/sources/source.js';
import { type Files, nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import type { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openTestRecorder } from '../support/test-recorder.js';

/** A poll that a test decides on. */
export interface Asked {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly signal: AbortSignal;
  answer(reading: Reading): void;
  fail(error: Error): void;
}

/** A source that says what a test wants it to say, when it wants it. */
export class ScriptedSource implements Source {
  readonly title = 'scripted';
  readonly asked: Asked[] = [];
  readonly #clock: ManualClock;
  #waiting: (() => void)[] = [];
  /** Answers at once; null: polls wait until a test answers them. */
  script: ((poll: number) => Reading | Error) | null = null;
  closed = false;
  /** Whether a reading ends when its signal aborts. */
  listens = true;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  read({ signal }: { readonly signal: AbortSignal }): Promise<Reading> {
    return new Promise((resolve, reject) => {
      const asked = { at: this.#clock.now(), signal, answer: resolve, fail: reject };
      this.asked.push(asked);
      if (this.listens) signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const said = this.script?.(this.asked.length);
      if (said instanceof Error) reject(said);
      else if (said !== undefined) resolve(said);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Resolves once it was asked so often. */
  async askedTimes(count: number): Promise<Asked> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.asked[count - 1]!;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** One row, a counter. */
export function counted(count: number, more: Partial<FullReading> = {}): Reading {
  const columns = [
    { name: 'id', type: 'string', seen: true },
    { name: 'count', type: 'number', seen: true },
  ] as const;
  return {
    rows: encodeRows(columns, [['pickup', String(count)]]),
    kind: 'full',
    keys: ['id'],
    position: null,
    cost: { requests: 1, attempts: 2, bytes: 100, readCapacityUnits: 0.5, metricsRequested: 0 },
    ...more,
  };
}

export interface CollectorWorld {
  readonly clock: ManualClock;
  readonly metrics?: PollMetrics;
  readonly files?: Files;
  readonly name?: string;
  readonly offset?: number;
  readonly interval?: number;
  readonly random?: number;
  readonly patience?: number;
  readonly record?: Partial<RecorderOptions>;
}

/** A collector of a scripted source on a volume of its own, not yet running. */
export async function collectorWorld(t: TestContext, world: CollectorWorld) {
  const { clock, files = nodeFiles, name = 'flags', interval = 30_000, random = 0 } = world;
  const dataDir = world.record?.dataDir ?? (await temporaryFolder(t));
  await nodeFiles.makeFolder(`${dataDir}/.dynamo-csv`);
  const { logger, lines } = logLines();
  const metrics = world.metrics ?? createPollMetrics(new Registry());
  const health = new PollHealth(interval, clock);
  const source = new ScriptedSource(clock);
  const recorder = await openTestRecorder({
    name,
    source: source.title,
    dataDir,
    files,
    health,
    logger,
    ...world.record,
  });
  t.after(() => recorder.close());
  const collector = new Collector({
    name,
    source,
    recorder,
    health,
    offset: world.offset ?? 0,
    days: new LocalDays('America/New_York'),
    metrics,
    clock,
    logger,
    random: () => random,
    ...(world.patience === undefined ? {} : { patience: world.patience }),
  });
  /** Runs it until the test ends, or until it is told to stop. */
  const run = () => {
    const stopping = new AbortController();
    const ended = collector.run(stopping.signal);
    const stop = () => {
      stopping.abort(new Error('the test is over'));
      return ended;
    };
    t.after(stop);
    return stop;
  };
  const served = async () => (await recorder.datasets[0]!.content()).bytes.toString();
  return { dataDir, source, recorder, collector, health, metrics, lines, run, served };
}
