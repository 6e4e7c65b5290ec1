import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Registry as MetricsRegistry } from 'prom-client';
import { type Clock, isoTime } from './base/clock.js';
import { Closing } from './base/closing.js';
import { notListening } from './base/errors.js';
import { LocalDays } from './base/local-days.js';
import type { Logger } from './base/logger.js';
import { projectRoot } from './base/project.js';
import { Collector } from './collect/collector.js';
import { createCollectorDataset } from './collect/collector-dataset.js';
import { createPollMetrics, type PollMetrics } from './collect/metrics.js';
import { type Loop, Polling } from './collect/polling.js';
import { stagger } from './collect/schedule.js';
import type { Config } from './config/config.js';
import { displayPath } from './config/yaml-file.js';
import { type ConfiguredSource, createSources } from './create-sources.js';
import { PollHealth } from './datasets/freshness.js';
import { openLookups } from './datasets/lookups.js';
import { DatasetRegistry } from './datasets/registry.js';
import { LocalStore } from './history/local-store.js';
import { Sealer } from './history/sealer.js';
import { Sealing } from './history/sealing.js';
import { createHttpMetrics, type HttpMetrics } from './http/metrics.js';
import { createHttp, type Http, ResponseTimes } from './http/server.js';
import { warnAboutUnservedData } from './recorder/unserved-data.js';
import { Sql } from './sql/sql.js';
import { tryViews } from './sql/try-views.js';
import type { ViewDataset } from './sql/view-dataset.js';
import { openRecorder } from './takeover/open-recorder.js';
import { nodeFiles } from './volume/files.js';
import { thisProcess } from './volume/lock.js';
import { openVolume } from './volume/volume.js';

/** A running service. */
export interface App {
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Ends it within five seconds: no new connection is accepted, requests finish, reads under way are dropped, polls that
   * are being recorded finish, and the volume is free for the next service.
   */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts a start under way: it rejects with the signal's reason, and everything is closed again. */
  readonly signal: AbortSignal;
}

/** What the parts of one service share. */
interface Service extends AppOptions {
  readonly config: Config;
  readonly days: LocalDays;
  readonly pollMetrics: PollMetrics;
  readonly httpMetrics: HttpMetrics;
  readonly registry: DatasetRegistry;
  readonly responseTimes: ResponseTimes;
  readonly closing: Closing;
}

/** A source with what polls it. */
interface Polled {
  readonly source: ConfiguredSource;
  readonly collector: Collector;
}

/** Milliseconds after which a view that waits for its data is tried again. */
const VIEWS_AGAIN = 5_000;

/**
 * Starts the service: first everything on the volume is served, then the sources are polled. Rejects with a
 * `DynamoCsvError` when the volume is held or cannot be written, when its history is another time zone's, or when the
 * port is taken. A fault of one source, view, lookup or state file is logged and stops nothing else.
 */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const closing = new Closing();
  try {
    const service: Service = {
      ...options,
      config,
      days: new LocalDays(config.timeZone),
      ...createMetrics(),
      registry: new DatasetRegistry(),
      responseTimes: new ResponseTimes(options.clock),
      closing,
    };
    return await start(service);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** The metrics of `/metrics`; each service in a process has its own. */
function createMetrics() {
  const registry = new MetricsRegistry();
  return { pollMetrics: createPollMetrics(registry), httpMetrics: createHttpMetrics(registry) };
}

async function start(service: Service): Promise<App> {
  const { config, clock, logger, signal, days, closing } = service;
  await takeVolume(service);
  const sql = new Sql({ ...config, ...service, damagedFile: (file) => sealer.setAside(file) });
  closing.add(() => sql.close());
  const store = new LocalStore(config.dataDir, nodeFiles);
  const sealer: Sealer = new Sealer({ store, days, parquet: sql.parquet, clock, logger });
  await sealer.checkTimeZone();
  const polled = await openSources(sealer, service);
  const views = await addDatasets(polled, sql, service);
  const http = await createHttp({
    ...service,
    metrics: service.httpMetrics,
    ...pageOptions(config),
    ...queriesOf(polled, sql),
  });
  const polling = new Polling(clock);
  for (const loop of [...loopsOf(polled, sealer, service), watchViews(views, service)]) polling.add(loop);
  closing.add(() => Promise.all([http.close(), polling.stop()]));
  signal.throwIfAborted();
  const url = await listen(http, config);
  polling.start();
  return { url, close: () => closing.close() };
}

/** Takes the lock of the data folder. */
async function takeVolume({ config, clock, logger, closing }: Service): Promise<void> {
  const { leftovers, release } = await openVolume(config.dataDir, thisProcess(isoTime(clock.now())));
  closing.add(release);
  if (leftovers.length > 0)
    logger.info({ files: leftovers }, 'removed half-written files of an interrupted run');
}

/** Opens each source's data on the volume; nothing is polled yet. */
async function openSources(sealer: Sealer, service: Service): Promise<readonly Polled[]> {
  const { config, clock, logger, closing } = service;
  const sources = await createSources(config, clock);
  closing.add(() => sources.close());
  const published = sources.list.map(({ recording, source }) => ({
    name: recording.name,
    source: source.title,
  }));
  await warnAboutUnservedData(published, { dataDir: config.dataDir, files: nodeFiles, logger });
  const offsets = stagger(sources.list.map(({ interval }) => interval));
  return Promise.all(
    sources.list.map((source, index) => openSource(source, offsets[index] ?? 0, sealer, service)),
  );
}

async function openSource(
  configured: ConfiguredSource,
  offset: number,
  sealer: Sealer,
  service: Service,
): Promise<Polled> {
  const { config, clock, logger, closing } = service;
  const { source, recording, takeover } = configured;
  const health = new PollHealth(configured.interval, clock);
  const { dataDir } = config;
  const recorder = await openRecorder({
    ...recording,
    source: source.title,
    dataDir,
    health,
    logger,
    takeover,
  });
  closing.add(() => recorder.close());
  for (const dataset of [recorder.log, recorder.changes]) {
    if (dataset !== null) await sealer.restore(dataset);
  }
  const collector = new Collector({
    ...service,
    metrics: service.pollMetrics,
    name: recording.name,
    source,
    recorder,
    health,
    offset,
  });
  return { source: configured, collector };
}

/** Registers all datasets, in the order of the catalogue. Returns the views. */
async function addDatasets(
  polled: readonly Polled[],
  sql: Sql,
  { config, clock, logger, registry, responseTimes }: Service,
): Promise<readonly ViewDataset[]> {
  for (const { collector } of polled) {
    for (const dataset of collector.recorder.datasets) registry.add(dataset);
  }
  const sources = polled.map(({ collector, source: { region } }) => ({ collector, region }));
  registry.add(createCollectorDataset({ sources, responseTimes: (name) => responseTimes.of(name), clock }));
  const dir = config.lookupsDir;
  await openLookups({ dir, shown: displayPath(dir), registry, clock, logger });
  return sql.openViews(config.viewsDir, displayPath(config.viewsDir));
}

function queriesOf(polled: readonly Polled[], { queries }: Sql) {
  const tables = polled.filter(({ source }) => source.kind === 'table');
  const statistics = new Map(tables.map(({ collector }) => [collector.name, collector.statistics]));
  return { queries, readUnitsToday: (dataset: string) => statistics.get(dataset)?.unitsToday ?? null };
}

/** The page that `npm run build` made; none where it did not. */
function pageOptions({ grafanaUrl }: Config) {
  const webDir = join(projectRoot, 'dist', 'web');
  return { grafanaUrl, webDir: existsSync(webDir) ? webDir : null };
}

function loopsOf(polled: readonly Polled[], sealer: Sealer, { days, clock }: Service): readonly Loop[] {
  const sealing = new Sealing({ sealer, days, clock });
  for (const { collector, source } of polled) sealing.add(collector, source.keeping);
  return [...polled.map(({ collector }) => collector), sealing];
}

/** Logs which views are broken as soon as their data is there, and computes them before the first request. */
function watchViews(views: readonly ViewDataset[], { clock, logger }: Service): Loop {
  return {
    async run(signal) {
      let waiting = await tryViews(views, logger, signal);
      while (waiting.length > 0 && !signal.aborted) {
        await clock.sleep(VIEWS_AGAIN, signal).catch(() => undefined);
        if (!signal.aborted) waiting = await tryViews(waiting, logger, signal);
      }
    },
  };
}

/** Listens, and returns the address under which this machine reaches the service. */
async function listen(http: Http, { host, port }: Config): Promise<string> {
  try {
    await http.listen({ host, port });
  } catch (error) {
    throw notListening(host, port, error);
  }
  const { port: actual } = http.server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${actual}`;
}
