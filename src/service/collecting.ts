import type { ArchiveKeeper, ArchiveStatus, CopiedDays } from '../archive/keeper.js';
import { Closing } from '../base/closing.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { CAPACITY_SHARE } from '../budget/budget.js';
import { type Loop, Polling } from '../collect/polling.js';
import { PublishedFolder } from '../dashboards/published-folder.js';
import type { Queries } from '../datasets/queries.js';
import type { Discovery } from '../discovery/discovery.js';
import type { EngineViews } from '../engines/engine-views.js';
import { LocalStore } from '../history/local-store.js';
import { OneSchema } from '../history/one-schema.js';
import type { DamagedFile } from '../history/parquet-files.js';
import { Sealer } from '../history/sealer.js';
import { Sealing } from '../history/sealing.js';
import type { DatasetCost } from '../http/options.js';
import { warnAboutUnservedData } from '../recorder/unserved-data.js';
import { openSources } from '../sources/index.js';
import type { Sql } from '../sql/sql.js';
import { fencedFiles } from '../volume/fenced-files.js';
import { nodeFiles } from '../volume/files.js';
import type { Volume } from '../volume/volume.js';
import { createKeeper } from './archiving.js';
import type { Body, Reading } from './body.js';
import { type Budgets, openBudgets, unlimited } from './budgets.js';
import type { CurrentDayFiles } from './day-files.js';
import { discoveryHost, openDiscovery } from './finding.js';
import { Holding } from './holding.js';
import { type Collected, collectorLog, openAll, openSource, type Polled, startPolling } from './polled.js';
import type { Service } from './service.js';
import { volumeCheck } from './volume.js';

/** What collecting needs besides the service. */
export interface CollectOptions {
  readonly volume: Volume;
  /** What followed the archive so far and has its lease now; null: a new one is made. */
  readonly keeper: ArchiveKeeper | null;
  readonly sql: Sql;
  readonly dayFiles: CurrentDayFiles;
  readonly queries: Queries;
  /** Makes the folder and its archive one history first, and waits for the archive's lease; otherwise in the background. */
  readonly archiveFirst: boolean;
  readonly engineViews: EngineViews;
  /** What the dataset `collector` shows, whoever collects. */
  readonly about: Parameters<typeof collectorLog>[0];
}

/** Polls the sources into the data folder, which this service has locked. */
export class Collecting implements Body {
  readonly role = 'collect';
  readonly behind = 0;
  readonly #closing = new Closing();
  readonly #polling: Polling;
  readonly #polled: Polled[] = [];
  readonly #byName = new Map<string, Polled>();
  readonly #service: Service;
  readonly lost: Promise<DynamoCsvError>;
  #lost: (error: DynamoCsvError) => void = () => undefined;
  #isLost = false;
  #log: Polled | null = null;
  #keeper: ArchiveKeeper | null = null;
  #sealer!: Sealer;
  #budgets!: Budgets;
  #discovery: Discovery | null = null;

  private constructor(service: Service) {
    this.#service = service;
    this.#polling = new Polling(service.clock);
    this.lost = new Promise((resolve) => {
      this.#lost = resolve;
    });
  }

  /**
   * Opens everything on the volume; nothing is polled yet. An error in one source or state file is logged and does not stop
   * the others. Rejects if the history has another time zone, or as `ArchiveKeeper.prepare`.
   */
  static async open(service: Service, options: CollectOptions): Promise<Collecting> {
    const body = new Collecting(service);
    body.#closing.add(() => options.volume.release());
    try {
      await body.#open(service, options);
      return body;
    } catch (error) {
      await body.#closing.close().catch(() => undefined);
      throw error;
    }
  }

  get reading(): Reading {
    const { usdPerMonth } = this.#discovery === null ? this.#budgets.named : this.#budgets.found;
    return {
      firstLook: this.#discovery?.first ?? Promise.resolve(),
      sources: () =>
        this.#polled.map(({ source: { title }, collector, pace }) => ({ title, collector, pace })),
      skipped: () => this.#discovery?.skipped ?? new Map(),
      problem: () => this.#discovery?.problem ?? null,
      usdPerMonth: Number.isFinite(usdPerMonth) ? usdPerMonth : null,
    };
  }

  get sources(): Body['sources'] {
    return this.#polled.map(({ collector, source: { price } }) => ({ collector, price }));
  }

  get archive(): ArchiveStatus | null {
    return this.#keeper?.status ?? null;
  }

  get copied(): CopiedDays {
    const { cached = 0, fetched = 0, lost = [] } = this.archive ?? {};
    return { cached, fetched, lost };
  }

  spentBy(dataset: string): number {
    return this.#budgets.ledger.spentBy(dataset);
  }

  readUnitsToday(dataset: string): number | null {
    const one = this.#of(dataset);
    return one?.source.consumesReadUnits === true ? one.collector.statistics.unitsToday : null;
  }

  costOf(dataset: string): DatasetCost | null {
    const one = this.#of(dataset);
    if (one === undefined) return null;
    const { usdPerMonth, problem } = one.pace;
    const { usdPerMonth: budget } = one.budget;
    return {
      usdPerMonth,
      usdThisMonth: this.spentBy(dataset),
      budget: Number.isFinite(budget) ? budget : null,
      waiting: problem?.line ?? null,
    };
  }

  setAside(file: DamagedFile): Promise<void> {
    return this.#sealer.setAside(file);
  }

  start(): void {
    this.#polling.start();
  }

  showLog(): void {
    this.#service.published.show(this.#log!.collector.recorder.datasets);
  }

  stop(): Promise<void> {
    return this.#polling.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#closing.close();
  }

  /** Another service has the folder or the archive: what this one would still write does not count. */
  #lose(error: DynamoCsvError): void {
    this.#isLost = true;
    this.#lost(error);
  }

  async #open(service: Service, options: CollectOptions): Promise<void> {
    const { volume, sql, queries, archiveFirst, about, engineViews } = options;
    const { config, clock, logger, days, published, signal } = service;
    const closing = this.#closing;
    const checkVolume = volumeCheck(volume, service);
    const files = fencedFiles(nodeFiles, checkVolume);
    this.#keeper = options.keeper ?? (await createKeeper(service, files));
    closing.add(async () => service.recorders.clear());
    // After the last poll is recorded, and before the folder is unlocked.
    closing.add(async () => (this.#isLost ? this.#keeper?.abandon() : this.#keeper?.close()));
    if (archiveFirst) await this.#keeper?.prepare(signal);
    const store =
      (await this.#keeper?.store((path) => sql.describeDay(path))) ?? new LocalStore(config.dataDir, files);
    this.#sealer = new Sealer({ store, days, parquet: sql.parquet, clock, logger });
    await this.#sealer.checkTimeZone();
    const budgets = await openBudgets(service, files, closing);
    this.#budgets = budgets;
    const sources = await openSources(config, {
      clock,
      logger,
      timeZone: config.timeZone,
      ...(budgets.isNamedLimited ? { capacityShare: CAPACITY_SHARE } : {}),
    });
    closing.add(() => sources.close());
    const collected: Collected = {
      service,
      files,
      checkVolume,
      sealer: this.#sealer,
      closing,
    };
    this.#polled.push(...(await openAll(sources, budgets.named, collected)));
    const log = await openSource(collectorLog(about), 0, unlimited(budgets.ledger, service), {
      ...collected,
      service: { ...service, logger: warningsOf(logger) },
    });
    const polling = this.#polling;
    const oneSchema = new OneSchema({
      store,
      parquet: sql.parquet,
      clock,
      logger,
      setAside: (file) => this.setAside(file),
    });
    const sealing = new Sealing({ sealer: this.#sealer, oneSchema, days, clock });
    for (const one of [...this.#polled, log]) startPolling(one, polling, sealing);
    // Readers have its datasets from now on, with their days where its store has them: both at once.
    options.dayFiles.use(store);
    for (const { collector } of this.#polled) published.show(collector.recorder.datasets);
    this.#log = log;
    const host = discoveryHost({ polled: this.#polled, polling, sealing, sources, budgets }, collected);
    this.#discovery = await openDiscovery(host, service, files, closing);
    if (this.#discovery !== null) this.#explainAbsence(this.#discovery, service);
    await warnAboutUnserved([...this.#polled, log], service);
    const holding = new Holding({
      volume,
      checkVolume,
      files,
      polled: this.#polled,
      archive: () => this.archive,
      service,
      onLost: (error) => this.#lose(error),
    });
    const loops: readonly (Loop | null)[] = [
      sealing,
      holding,
      { run: (signal) => engineViews.run(signal, files) },
      ...dashboardsOf(queries, service),
      this.#keeper,
      this.#discovery,
    ];
    for (const loop of loops) if (loop !== null) polling.add(loop);
  }

  /** Who asks for a table that is not served is told why. */
  #explainAbsence(discovery: Discovery, { registry }: Service): void {
    const end = registry.onAbsent((name) => discovery.absence(name));
    this.#closing.add(async () => end());
  }

  #of(dataset: string): Polled | undefined {
    // Sources are only added.
    for (const one of this.#polled.slice(this.#byName.size)) this.#byName.set(one.collector.name, one);
    return this.#byName.get(dataset);
  }
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

/** Keeps the dashboards of tables in the folder that Grafana reads, if there is one. */
function dashboardsOf(queries: Queries, service: Service): readonly Loop[] {
  const { dashboardsDir: dir, grafanaDatasource: datasource, timeZone } = service.config;
  if (dir === null) return [];
  return [new PublishedFolder({ ...service, dir, datasource, timeZone, queries, files: nodeFiles })];
}
