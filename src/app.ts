import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Registry as MetricsRegistry } from 'prom-client';
import type { ArchiveKeeper } from './archive/keeper.js';
import { type Clock, isoTime } from './base/clock.js';
import { Closing } from './base/closing.js';
import { notListening } from './base/errors.js';
import { LocalDays } from './base/local-days.js';
import type { Logger } from './base/logger.js';
import { projectRoot } from './base/project.js';
import { Collector } from './collect/collector.js';
import { type CollectorDatasetOptions, createCollectorDataset } from './collect/collector-dataset.js';
import { COLLECTOR_LOG, createCollectorLogSource } from './collect/collector-log.js';
import { createPollMetrics, type PollMetrics } from './collect/metrics.js';
import { type Loop, Polling } from './collect/polling.js';
import { stagger } from './collect/schedule.js';
import type { Config } from './config/config.js';
import { displayPath } from './config/yaml-file.js';
import { PublishedFolder } from './dashboards/published-folder.js';
import { PollHealth } from './datasets/freshness.js';
import { openLookups } from './datasets/lookups.js';
import type { Queries } from './datasets/queries.js';
import { DatasetRegistry } from './datasets/registry.js';
import { LocalStore } from './history/local-store.js';
import { Sealer } from './history/sealer.js';
import { Sealing } from './history/sealing.js';
import { createHttpMetrics, type HttpMetrics } from './http/metrics.js';
import { createHttp, type Http, ResponseTimes } from './http/server.js';
import { recordable } from './recorder/broken-recorder.js';
import type { Recorder } from './recorder/recorder.js';
import { warnAboutUnservedData } from './recorder/unserved-data.js';
import { type OpenSources, openSources } from './sources/index.js';
import { Sql } from './sql/sql.js';
import { tryViews } from './sql/try-views.js';
import type { ViewDataset } from './sql/view-dataset.js';
import { openRecorder } from './takeover/open-recorder.js';
import type { TakeoverOptions } from './takeover/takeover.js';
import { nodeFiles } from './volume/files.js';
import { csvFile } from './volume/layout.js';
import { thisProcess } from './volume/lock.js';
import { openVolume } from './volume/volume.js';
import { WindowQueries } from './windows/window-queries.js';

/** A running service. */
export interface App {
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Stops it within five seconds: new connections are refused, requests finish, reads in progress are dropped, polls being
   * recorded finish, and the volume is released.
   */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts a start in progress: it rejects with the signal's reason, and everything is closed again. */
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
  /** The recorders that are open. */
  readonly recorders: Set<Recorder>;
}

/** What opening and polling need from a source: a configured one, or the service itself. */
type OpenSource = Pick<
  OpenSources['list'][number],
  'title' | 'interval' | 'recording' | 'keeping' | 'consumesReadUnits' | 'pythonScript' | 'source' | 'price'
>;

/** A service that has locked its data folder. */
type LockedService = Service & { readonly checkVolume: () => Promise<void> };

/** A source and its collector. */
interface Polled {
  readonly source: OpenSource;
  readonly collector: Collector;
}

/** Milliseconds after which a view that is waiting for data is tried again. */
const VIEWS_AGAIN = 5_000;

/**
 * Starts the service: first everything on the volume is served, then the sources are polled. Rejects with a
 * `DynamoCsvError` if the volume is locked or not writable, if its history has another time zone, or if the port is in
 * use. An error in one source, view, lookup or state file is logged and does not stop the others.
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
      recorders: new Set(),
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
  const checkVolume = await takeVolume(service);
  const archive = await openArchive(service);
  const sql = new Sql({ ...config, ...service, damagedFile: (file) => sealer.setAside(file) });
  closing.add(() => sql.close());
  const store = new LocalStore(config.dataDir, nodeFiles);
  const sealer: Sealer = new Sealer({ store, days, parquet: sql.parquet, clock, logger });
  await sealer.checkTimeZone();
  const locked = { ...service, checkVolume };
  const polled = await openDatasets(sealer, locked);
  const about = aboutPolls(polled, service);
  const log = await openSource(collectorLog(about), 0, sealer, { ...locked, logger: warningsOf(logger) });
  const views = await addDatasets(polled, about, log, sql, service);
  const queries = new WindowQueries({ clock, localDays: days, next: sql.queries });
  const http = await createHttp({
    ...service,
    metrics: service.httpMetrics,
    ...pageOptions(config),
    ...queriesOf(polled, queries),
    ...(archive === null ? {} : { archive: () => archive.status }),
  });
  const polling = new Polling(clock);
  const more = [
    watchViews(views, service),
    ...dashboardsOf(queries, service),
    ...(archive === null ? [] : [archive]),
  ];
  for (const loop of [...loopsOf([...polled, log], sealer, service), ...more]) polling.add(loop);
  closing.add(() => Promise.all([http.close(), polling.stop()]));
  signal.throwIfAborted();
  const url = await listen(http, config);
  polling.start();
  return { url, close: () => closing.close() };
}

/** Locks the data folder. Returns a function that checks, before each write, that it is still the same one. */
async function takeVolume({ config, clock, logger, closing }: Service): Promise<() => Promise<void>> {
  const { leftovers, lockKeptAt, check, release } = await openVolume(
    config.dataDir,
    thisProcess(isoTime(clock.now())),
  );
  closing.add(release);
  if (lockKeptAt !== null)
    logger.warn(
      { keptAt: lockKeptAt },
      'moved something aside that is not a file and has the name of the lock file',
    );
  if (leftovers.length > 0) logger.info({ files: leftovers }, 'removed incomplete temporary files');
  return async () => {
    if ((await check()) === 'moved')
      logger.warn(
        { dataDir: config.dataDir },
        'the data folder was replaced while this service runs: locked it again',
      );
  };
}

/** Makes the data folder and its archive one history, before anything in the folder is read; null: there is no archive. */
async function openArchive(service: Service): Promise<ArchiveKeeper | null> {
  const { config, clock, logger, signal, closing, recorders, pollMetrics } = service;
  if (config.archive === null) return null;
  // Loaded only where there is an archive: the S3 client is not small.
  const { ArchiveKeeper } = await import('./archive/keeper.js');
  const { S3Objects } = await import('./archive/s3-objects.js');
  const { createArchiveMetrics } = await import('./archive/metrics.js');
  const keeper = new ArchiveKeeper({
    objects: new S3Objects(config.archive),
    dataDir: config.dataDir,
    files: nodeFiles,
    holder: { name: `${hostname()}, process ${process.pid}`, token: randomUUID() },
    every: config.archive.every,
    tables: () => recorders,
    clock,
    logger,
  });
  // After the last poll is recorded, and before the folder is unlocked.
  closing.add(() => keeper.close());
  createArchiveMetrics(pollMetrics.registry, () => keeper.status, clock);
  await keeper.prepare(signal);
  return keeper;
}

/** Opens the recorder of each source; nothing is polled yet. */
async function openDatasets(sealer: Sealer, service: LockedService): Promise<readonly Polled[]> {
  const { config, clock, logger, closing } = service;
  const sources = await openSources(config, { clock, logger, timeZone: config.timeZone });
  closing.add(() => sources.close());
  const published = sources.list.map(({ recording, title }) => ({ name: recording.name, source: title }));
  published.push({ name: COLLECTOR_LOG.recording.name, source: COLLECTOR_LOG.title });
  await warnAboutUnservedData(published, { dataDir: config.dataDir, files: nodeFiles, logger });
  const offsets = stagger(sources.list.map(({ interval }) => interval));
  return Promise.all(
    sources.list.map((source, index) => openSource(source, offsets[index] ?? 0, sealer, service)),
  );
}

async function openSource(
  configured: OpenSource,
  offset: number,
  sealer: Sealer,
  service: LockedService,
): Promise<Polled> {
  const { config, clock, logger, closing, checkVolume } = service;
  const { source, title, recording } = configured;
  const health = new PollHealth(configured.interval, clock);
  const { dataDir } = config;
  const recorder = await openRecorder({
    ...recording,
    source: title,
    dataDir,
    health,
    logger,
    checkVolume,
    takeover: takeoverOf(configured, dataDir),
  });
  service.recorders.add(recorder);
  closing.add(() => recorder.close());
  for (const dataset of [recorder.log, recorder.changes]) {
    if (dataset !== null) await sealer.restore(dataset);
  }
  const collector = new Collector({
    ...service,
    metrics: service.pollMetrics,
    name: recording.name,
    source: recordable(source, recorder),
    recorder,
    health,
    offset,
  });
  return { source: configured, collector };
}

/** For the service's own polls: only warnings and errors are logged. */
function warningsOf(logger: Logger): Logger {
  return logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}

/** What the dataset `collector` is made of. */
function aboutPolls(polled: readonly Polled[], { clock, responseTimes }: Service): CollectorDatasetOptions {
  const sources = polled.map(({ collector, source: { price } }) => ({ collector, price }));
  return { sources, responseTimes: (name) => responseTimes.of(name), clock };
}

/** The service as a source of its own log. */
function collectorLog(about: CollectorDatasetOptions): OpenSource {
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

/** Registers all datasets, in the order of the catalogue. Returns the views. */
async function addDatasets(
  polled: readonly Polled[],
  about: CollectorDatasetOptions,
  log: Polled,
  sql: Sql,
  { config, clock, logger, registry }: Service,
): Promise<readonly ViewDataset[]> {
  for (const { collector } of polled) {
    for (const dataset of collector.recorder.datasets) registry.add(dataset);
  }
  registry.add(createCollectorDataset(about));
  for (const dataset of log.collector.recorder.datasets) registry.add(dataset);
  const dir = config.lookupsDir;
  await openLookups({ dir, shown: displayPath(dir), registry, clock, logger });
  return sql.openViews(config.viewsDir, displayPath(config.viewsDir));
}

function queriesOf(polled: readonly Polled[], queries: Queries) {
  const tables = polled.filter(({ source }) => source.consumesReadUnits);
  const statistics = new Map(tables.map(({ collector }) => [collector.name, collector.statistics]));
  return { queries, readUnitsToday: (dataset: string) => statistics.get(dataset)?.unitsToday ?? null };
}

/** The page built by `npm run build`, if it exists. */
function pageOptions({ grafanaUrl, dashboardsDir }: Config) {
  const webDir = join(projectRoot, 'dist', 'web');
  const hasDashboards = dashboardsDir !== null;
  return { grafanaUrl, hasDashboards, webDir: existsSync(webDir) ? webDir : null };
}

/** Keeps the dashboards of tables in the folder that Grafana reads, if there is one. */
function dashboardsOf(queries: Queries, service: Service): readonly Loop[] {
  const { dashboardsDir: dir, grafanaDatasource: datasource, timeZone } = service.config;
  if (dir === null) return [];
  return [new PublishedFolder({ ...service, dir, datasource, timeZone, queries, files: nodeFiles })];
}

function loopsOf(polled: readonly Polled[], sealer: Sealer, { days, clock }: Service): readonly Loop[] {
  const sealing = new Sealing({ sealer, days, clock });
  for (const { collector, source } of polled) sealing.add(collector, source.keeping);
  return [...polled.map(({ collector }) => collector), sealing];
}

/** Computes views as soon as their data is there, before the first request, and logs the broken ones. */
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

/** Listens, and returns the URL of the service on this machine. */
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
