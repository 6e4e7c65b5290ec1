import type { Closing } from '../base/closing.js';
import type { Budget, BudgetPace } from '../budget/budget.js';
import { Collector } from '../collect/collector.js';
import type { CollectorDatasetOptions } from '../collect/collector-dataset.js';
import { COLLECTOR_LOG, createCollectorLogSource } from '../collect/collector-log.js';
import type { Polling } from '../collect/polling.js';
import { stagger } from '../collect/schedule.js';
import { PollHealth } from '../datasets/freshness.js';
import type { Sealer } from '../history/sealer.js';
import type { Sealing } from '../history/sealing.js';
import { recordable } from '../recorder/broken-recorder.js';
import type { OpenSources } from '../sources/index.js';
import { openRecorder } from '../takeover/open-recorder.js';
import type { TakeoverOptions } from '../takeover/takeover.js';
import type { Files } from '../volume/files.js';
import { csvFile } from '../volume/layout.js';
import type { Service } from './service.js';

/** What opening and polling need from a source: a configured one, or the service itself. */
export type OpenSource = Pick<
  OpenSources['list'][number],
  | 'title'
  | 'interval'
  | 'recording'
  | 'keeping'
  | 'consumesReadUnits'
  | 'pythonScript'
  | 'source'
  | 'price'
  | 'expect'
>;

/** A source and its collector. */
export interface Polled {
  readonly source: OpenSource;
  readonly collector: Collector;
  readonly budget: Budget;
  readonly pace: BudgetPace;
}

/** What opening a source needs of a service that has locked its data folder. */
export interface Collected {
  readonly service: Service;
  /** Writes only while the folder is this service's. */
  readonly files: Files;
  readonly checkVolume: () => Promise<void>;
  readonly sealer: Sealer;
  readonly closing: Closing;
}

/** Opens the recorder of each source of the configuration; nothing is polled yet. */
export async function openAll(sources: OpenSources, budget: Budget, collected: Collected): Promise<Polled[]> {
  const offsets = stagger(sources.list.map(({ interval }) => interval));
  return Promise.all(
    sources.list.map((source, index) => openSource(source, offsets[index] ?? 0, budget, collected)),
  );
}

export async function openSource(
  configured: OpenSource,
  offset: number | (() => number),
  budget: Budget,
  { service, files, checkVolume, sealer, closing }: Collected,
): Promise<Polled> {
  const { config, clock, logger, recorders } = service;
  const { source, title, recording, interval, price, expect, consumesReadUnits } = configured;
  const health = new PollHealth(interval, clock);
  const { dataDir } = config;
  const recorder = await openRecorder({
    ...recording,
    source: title,
    dataDir,
    files,
    health,
    logger,
    checkVolume,
    takeover: takeoverOf(configured, dataDir),
    restore: (dataset) => sealer.restore(dataset),
  });
  recorders.add(recorder);
  closing.add(() => recorder.close());
  const pace = budget.join({
    name: recording.name,
    title,
    shortest: interval,
    isFixed: !consumesReadUnits || !Number.isFinite(budget.usdPerMonth),
    price,
    ...(expect === undefined ? {} : { expect }),
  });
  const collector = new Collector({
    ...service,
    metrics: service.pollMetrics,
    name: recording.name,
    source: recordable(source, recorder),
    recorder,
    health,
    pace,
    offset,
  });
  return { source: configured, collector, budget, pace };
}

export function startPolling({ collector, source }: Polled, polling: Polling, sealing: Sealing): void {
  sealing.add(collector, source.keeping);
  polling.add(collector);
}

/** The service as a source of its own log. */
export function collectorLog(about: CollectorDatasetOptions): OpenSource {
  return {
    ...COLLECTOR_LOG,
    source: createCollectorLogSource(about),
    consumesReadUnits: false,
    pythonScript: null,
    price: () => 0,
  };
}

/** The file that the Python script may have left for a source; null: the script never wrote one. */
function takeoverOf({ pythonScript, recording }: OpenSource, dataDir: string): TakeoverOptions | null {
  if (pythonScript === null) return null;
  const { table, rename, timeColumn } = pythonScript;
  return {
    kind: recording.log ? 'log' : 'snapshot',
    path: csvFile(dataDir, recording.name),
    scriptPath: csvFile(dataDir, table),
    rename,
    ...(timeColumn === null ? {} : { timeColumn }),
  };
}
