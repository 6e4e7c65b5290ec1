import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Registry as MetricsRegistry } from 'prom-client';
import type { ArchiveKeeper } from './archive/keeper.js';
import { type Clock, isoTime } from './base/clock.js';
import { Closing } from './base/closing.js';
import { type DynamoCsvError, notListening } from './base/errors.js';
import { LocalDays } from './base/local-days.js';
import type { Logger } from './base/logger.js';
import { projectRoot } from './base/project.js';
import { Budget, type BudgetPace, CAPACITY_SHARE } from './budget/budget.js';
import { Ledger } from './budget/ledger.js';
import { Collector } from './collect/collector.js';
import { type CollectorDatasetOptions, createCollectorDataset } from './collect/collector-dataset.js';
import { COLLECTOR_LOG, createCollectorLogSource } from './collect/collector-log.js';
import { createPollMetrics, type PollMetrics } from './collect/metrics.js';
import { type Loop, Polling } from './collect/polling.js';
import { stagger } from './collect/schedule.js';
import type { Config } from './config/config.js';
import { OWN_NAMES } from './config/published-names.js';
import { displayPath } from './config/yaml-file.js';
import { PublishedFolder } from './dashboards/published-folder.js';
import { PollHealth } from './datasets/freshness.js';
import { openLookups } from './datasets/lookups.js';
import type { Queries } from './datasets/queries.js';
import { DatasetRegistry } from './datasets/registry.js';
import { Discovery, type DiscoveryHost } from './discovery/discovery.js';
import { FoundTables } from './discovery/found-tables.js';
import { LocalStore } from './history/local-store.js';
import { Sealer } from './history/sealer.js';
import { Sealing } from './history/sealing.js';
import { createHttpMetrics, type HttpMetrics } from './http/metrics.js';
import { createHttp, type Http, ResponseTimes } from './http/server.js';
import { recordable } from './recorder/broken-recorder.js';
import type { Recorder } from './recorder/recorder.js';
import { warnAboutUnservedData } from './recorder/unserved-data.js';
import { TableList } from './sources/dynamodb/table-list.js';
import { type OpenSources, openSources } from './sources/index.js';
import { Sql } from './sql/sql.js';
import { tryViews } from './sql/try-views.js';
import type { ViewDataset } from './sql/view-dataset.js';
import { openRecorder } from './takeover/open-recorder.js';
import type { TakeoverOptions } from './takeover/takeover.js';
import { nodeFiles } from './volume/files.js';
import { csvFile, discoveredFile, spendingFile } from './volume/layout.js';
import { thisProcess } from './volume/lock.js';
import { openVolume } from './volume/volume.js';
import { WindowQueries } from './windows/window-queries.js';

/** A running service. */
export interface App {
  /** Where it answers: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** What it reads, and what that costs, as of now. */
  readonly reading: Reading;
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

/** What a service reads. */
export interface Reading {
  /** Resolves when tables have been looked for the first time; at once if there are none to find. */
  readonly firstLook: Promise<void>;
  /** In the order of the catalogue. */
  sources(): readonly PolledSource[];
  /** Tables that were found and cannot be read, with the reason. */
  skipped(): ReadonlyMap<string, DynamoCsvError>;
  /** Why no tables could be listed; null: they could, or there are none to find. */
  problem(): DynamoCsvError | null;
  /** US dollars per month that polls may cost; null: no limit. */
  readonly usdPerMonth: number | null;
}

/** A source that is polled, with what that costs. */
export interface PolledSource {
  readonly title: string;
  readonly collector: Collector;
  readonly pace: BudgetPace;
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

/** A service that has locked its data folder. */
type LockedService = Service & { readonly checkVolume: () => Promise<void> };

/** A source and its collector. */
interface Polled {
  readonly source: OpenSource;
  readonly collector: Collector;
  readonly budget: Budget;
  readonly pace: BudgetPace;
}

/** The budgets of a service. */
interface Budgets {
  readonly ledger: Ledger;
  /** Of the sources that the configuration names. */
  readonly named: Budget;
  /** Of the tables that are found. */
  readonly found: Budget;
  /** Whether the named ones have a limit. */
  readonly isNamedLimited: boolean;
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
  const store = archive?.store((path) => sql.describeDay(path)) ?? new LocalStore(config.dataDir, nodeFiles);
  const sql: Sql = new Sql({
    ...config,
    ...service,
    storedDays: store,
    damagedFile: (file) => sealer.setAside(file),
  });
  closing.add(() => sql.close());
  const sealer: Sealer = new Sealer({ store, days, parquet: sql.parquet, clock, logger });
  await sealer.checkTimeZone();
  const budgets = await openBudgets(service);
  const locked = { ...service, checkVolume };
  const sources = await openSources(config, {
    clock,
    logger,
    timeZone: config.timeZone,
    ...(budgets.isNamedLimited ? { capacityShare: CAPACITY_SHARE } : {}),
  });
  closing.add(() => sources.close());
  const polled = await openDatasets(sources, budgets, sealer, locked);
  const about = { ...aboutPolls(polled, budgets.ledger, service), archive: () => archive?.status ?? null };
  const log = await openSource(collectorLog(about), 0, unlimited(budgets.ledger, service), sealer, {
    ...locked,
    logger: warningsOf(logger),
  });
  const polling = new Polling(clock);
  const sealing = new Sealing({ sealer, days, clock });
  for (const one of [...polled, log]) startPolling(one, polling, sealing);
  registerPolled(polled, service);
  const host = discoveryHost({ polled, polling, sealing, sealer, sources, budgets }, locked);
  const discovery = await openDiscovery(host, service);
  await warnAboutUnserved([...polled, log], service);
  const views = await addOtherDatasets(about, log, sql, service);
  const queries = new WindowQueries({ clock, localDays: days, next: sql.queries });
  const http = await createHttp({
    ...service,
    metrics: service.httpMetrics,
    ...pageOptions(config),
    ...queriesOf(polled, budgets.ledger, queries),
    ...(archive === null ? {} : { archive: () => archive.status }),
  });
  const more = [
    sealing,
    watchViews(views, service),
    ...dashboardsOf(queries, service),
    ...(archive === null ? [] : [archive]),
    ...(discovery === null ? [] : [discovery]),
  ];
  for (const loop of more) polling.add(loop);
  closing.add(() => Promise.all([http.close(), polling.stop()]));
  signal.throwIfAborted();
  const url = await listen(http, config);
  polling.start();
  return { url, reading: readingOf(polled, discovery, budgets), close: () => closing.close() };
}

function readingOf(polled: readonly Polled[], discovery: Discovery | null, budgets: Budgets): Reading {
  const { usdPerMonth } = discovery === null ? budgets.named : budgets.found;
  return {
    firstLook: discovery?.first ?? Promise.resolve(),
    sources: () => polled.map(({ source: { title }, collector, pace }) => ({ title, collector, pace })),
    skipped: () => discovery?.skipped ?? new Map(),
    problem: () => discovery?.problem ?? null,
    usdPerMonth: Number.isFinite(usdPerMonth) ? usdPerMonth : null,
  };
}

/** Opens the ledger, and makes the budgets that the configuration describes. */
async function openBudgets({ config, clock, logger, closing }: Service): Promise<Budgets> {
  const path = spendingFile(config.dataDir);
  const ledger = await Ledger.open({ path, files: nodeFiles, clock, logger });
  closing.add(() => ledger.close());
  const limited = (usdPerMonth: number, coversEverything: boolean) =>
    new Budget({ usdPerMonth, coversEverything, ledger, clock, logger });
  const everything = config.budget === null ? null : limited(config.budget, true);
  const own = config.discover?.budget ?? null;
  return {
    ledger,
    named: everything ?? unlimited(ledger, { clock, logger }),
    found: everything ?? limited(own ?? Number.POSITIVE_INFINITY, false),
    isNamedLimited: everything !== null,
  };
}

/** Without a limit: it counts what polls cost. */
function unlimited(ledger: Ledger, { clock, logger }: Pick<Service, 'clock' | 'logger'>): Budget {
  return new Budget({
    usdPerMonth: Number.POSITIVE_INFINITY,
    coversEverything: false,
    ledger,
    clock,
    logger,
  });
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
  const { config, clock, logger, signal, days, closing, recorders, pollMetrics } = service;
  if (config.archive === null) return null;
  // Loaded only where there is an archive: the S3 client is not small.
  const { ArchiveKeeper } = await import('./archive/keeper.js');
  const { S3Objects } = await import('./archive/s3-objects.js');
  const { createArchiveMetrics } = await import('./archive/metrics.js');
  const keeper = new ArchiveKeeper({
    ...config.archive,
    localDates: days,
    objects: new S3Objects(config.archive),
    dataDir: config.dataDir,
    files: nodeFiles,
    holder: { name: `${hostname()}, process ${process.pid}`, token: randomUUID() },
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

/** Opens the recorder of each source of the configuration; nothing is polled yet. */
async function openDatasets(
  sources: OpenSources,
  budgets: Budgets,
  sealer: Sealer,
  service: LockedService,
): Promise<Polled[]> {
  const offsets = stagger(sources.list.map(({ interval }) => interval));
  return Promise.all(
    sources.list.map((source, index) =>
      openSource(source, offsets[index] ?? 0, budgets.named, sealer, service),
    ),
  );
}

async function openSource(
  configured: OpenSource,
  offset: number | (() => number),
  budget: Budget,
  sealer: Sealer,
  service: LockedService,
): Promise<Polled> {
  const { config, clock, logger, closing, checkVolume } = service;
  const { source, title, recording, interval, price, expect, consumesReadUnits } = configured;
  const health = new PollHealth(interval, clock);
  const { dataDir } = config;
  const recorder = await openRecorder({
    ...recording,
    source: title,
    dataDir,
    health,
    logger,
    checkVolume,
    takeover: takeoverOf(configured, dataDir),
    restore: (dataset) => sealer.restore(dataset),
  });
  service.recorders.add(recorder);
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

function startPolling({ collector, source }: Polled, polling: Polling, sealing: Sealing): void {
  sealing.add(collector, source.keeping);
  polling.add(collector);
}

function registerPolled(polled: readonly Polled[], { registry }: Service): void {
  for (const { collector } of polled) {
    for (const dataset of collector.recorder.datasets) registry.add(dataset);
  }
}

/** What sources that come and go are added to. */
interface Running {
  readonly polled: Polled[];
  readonly polling: Polling;
  readonly sealing: Sealing;
  readonly sealer: Sealer;
  readonly sources: OpenSources;
  readonly budgets: Budgets;
}

/** Opens, polls and stops tables that are found while the service runs. */
function discoveryHost(running: Running, service: LockedService): DiscoveryHost {
  const { polled, polling, sealing, sealer, sources, budgets } = running;
  const { registry, clock } = service;
  const offsets = new Map<string, number>();
  const byName = (name: string) => {
    const found = polled.find(({ collector }) => collector.name === name);
    if (found === undefined) throw new TypeError(`no source is called "${name}"`);
    return found;
  };
  return {
    isTaken: (name) => {
      const lower = name.toLowerCase();
      return OWN_NAMES.has(lower) || registry.list().some((dataset) => dataset.name.toLowerCase() === lower);
    },
    async open(configured) {
      const source = await sources.open(configured, { capacityShare: CAPACITY_SHARE });
      const { name } = source.recording;
      const one = await openSource(source, () => offsets.get(name) ?? 0, budgets.found, sealer, service);
      polled.push(one);
      registerPolled([one], service);
    },
    poll(name, expectation, offset) {
      const one = byName(name);
      offsets.set(name, offset);
      one.budget.rejoin(one.pace);
      if (expectation !== null) one.pace.expects(expectation);
      one.collector.health.lastError = null;
      startPolling(one, polling, sealing);
    },
    async stop(name, { code, line }) {
      const one = byName(name);
      await polling.remove(one.collector);
      await sealing.remove(one.collector);
      one.budget.leave(one.pace);
      const { health } = one.collector;
      health.interval = null;
      health.lastError = { code, message: line, at: clock.now() };
    },
    settle: () => budgets.found.settle(true),
  };
}

/** Serves the tables that were found earlier. Null: the configuration has none found. */
async function openDiscovery(host: DiscoveryHost, service: Service): Promise<Discovery | null> {
  const { config, clock, logger, closing } = service;
  const { discover, dataDir } = config;
  if (discover === null) return null;
  const foundPath = discoveredFile(dataDir);
  const list = new TableList({ region: discover.region, capacityShare: CAPACITY_SHARE });
  closing.add(async () => list.close());
  const discovery = new Discovery({
    config: discover,
    named: new Set(config.tables.map(({ table }) => table)),
    list,
    found: await FoundTables.open(foundPath, nodeFiles, logger),
    foundPath,
    host,
    clock,
    logger,
  });
  await discovery.restore();
  return discovery;
}

/** For the service's own polls: only warnings and errors are logged. */
function warningsOf(logger: Logger): Logger {
  return logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}

/** Logs data on the volume that is not published. */
function warnAboutUnserved(polled: readonly Polled[], { config, logger }: Service): Promise<void> {
  const published = polled.map(({ source }) => ({ name: source.recording.name, source: source.title }));
  return warnAboutUnservedData(published, { dataDir: config.dataDir, files: nodeFiles, logger });
}

/** What the dataset `collector` is made of. */
function aboutPolls(
  polled: readonly Polled[],
  ledger: Ledger,
  { clock, responseTimes }: Service,
): CollectorDatasetOptions {
  return {
    sources: {
      *[Symbol.iterator]() {
        for (const { collector, source } of polled) yield { collector, price: source.price };
      },
    },
    spentBy: (name) => ledger.spentBy(name),
    responseTimes: (name) => responseTimes.of(name),
    clock,
  };
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

/** Registers the datasets that are not polled, and the service's own log. Returns the views. */
async function addOtherDatasets(
  about: CollectorDatasetOptions,
  log: Polled,
  sql: Sql,
  { config, clock, logger, registry }: Service,
): Promise<readonly ViewDataset[]> {
  registry.add(createCollectorDataset(about));
  for (const dataset of log.collector.recorder.datasets) registry.add(dataset);
  const dir = config.lookupsDir;
  await openLookups({ dir, shown: displayPath(dir), registry, clock, logger });
  return sql.openViews(config.viewsDir, displayPath(config.viewsDir));
}

function queriesOf(polled: readonly Polled[], ledger: Ledger, queries: Queries) {
  const byName = new Map<string, Polled>();
  const of = (dataset: string) => {
    // Sources are only added.
    for (let index = byName.size; index < polled.length; index++) {
      const one = polled[index];
      if (one !== undefined) byName.set(one.collector.name, one);
    }
    return byName.get(dataset);
  };
  return {
    queries,
    readUnitsToday: (dataset: string) => {
      const one = of(dataset);
      return one?.source.consumesReadUnits === true ? one.collector.statistics.unitsToday : null;
    },
    costOf: (dataset: string) => {
      const one = of(dataset);
      if (one === undefined) return null;
      const { usdPerMonth, problem } = one.pace;
      const { usdPerMonth: budget } = one.budget;
      return {
        usdPerMonth,
        usdThisMonth: ledger.spentBy(dataset),
        budget: Number.isFinite(budget) ? budget : null,
        waiting: problem?.line ?? null,
      };
    },
  };
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
