import type { CopiedDays } from '../archive/keeper.js';
import { Closing } from '../base/closing.js';
import { type DynamoCsvError, describeError, errorCode } from '../base/errors.js';
import { COLLECTOR_LOG } from '../collect/collector-log.js';
import { Polling } from '../collect/polling.js';
import { PollHealth } from '../datasets/freshness.js';
import type { SealedDay } from '../datasets/relation.js';
import { FoundTables } from '../discovery/found-tables.js';
import type { EngineViews } from '../engines/engine-views.js';
import { LocalStore } from '../history/local-store.js';
import type { DamagedFile } from '../history/parquet-files.js';
import { Sealer } from '../history/sealer.js';
import type { HistoryStore, StoredDay } from '../history/store.js';
import type { FollowedRows } from '../recorder/appended-follower.js';
import { PollReportReader, type ReportedTables } from '../recorder/poll-report.js';
import { TableFollower } from '../recorder/table-follower.js';
import { discoveredTable, isWanted } from '../sources/dynamodb/discover.js';
import { configuredSources } from '../sources/index.js';
import type { ConfiguredSource } from '../sources/kind.js';
import type { Sql } from '../sql/sql.js';
import { type FileState, nodeFiles } from '../volume/files.js';
import { discoveredFile, historyOf } from '../volume/layout.js';
import type { ArchiveSupply } from './archive-supply.js';
import type { Body, Reading } from './body.js';
import type { CurrentDayFiles } from './day-files.js';
import { DayMarks } from './day-marks.js';
import type { Service } from './service.js';

/** Milliseconds between two looks at the files: what is committed is shown within a second. */
const LOOK_EVERY = 400;
/** Tables whose files are looked at at the same time. */
const AT_A_TIME = 16;

export interface FollowOptions {
  readonly sql: Sql;
  readonly dayFiles: CurrentDayFiles;
  readonly engineViews: EngineViews;
  /** What brings the folder up to date, if no other process writes there; null: one does. */
  readonly supply?: ArchiveSupply | null;
}

type Followed = Pick<ConfiguredSource, 'title' | 'interval' | 'recording'>;

/** Serves what another service collects into the data folder. Writes nothing there, and takes no lock. */
export class Following implements Body {
  readonly role = 'follow';
  readonly archive = null;
  /** It has nothing to lose. */
  readonly lost = new Promise<DynamoCsvError>(() => undefined);
  readonly #service: Service;
  /** What brings the folder up to date; null: another process writes there. */
  readonly supply: ArchiveSupply | null;
  readonly #store: HistoryStore;
  readonly #dayFiles: CurrentDayFiles;
  readonly #sealer: Sealer;
  readonly #dayMarks: DayMarks;
  readonly #report: PollReportReader;
  readonly #polling: Polling;
  readonly #closing = new Closing();
  readonly #tables = new Map<string, TableFollower>();
  readonly #log: TableFollower;
  #found: FileState | null = null;
  /** Why the last look failed; empty: it did not. */
  #failed = '';
  /** When the last look began that found everything, in milliseconds since the epoch; null: none yet. */
  #wholeAt: number | null = null;

  private constructor(
    service: Service,
    store: HistoryStore,
    { sql, dayFiles, engineViews, supply = null }: FollowOptions,
  ) {
    const { config, clock, logger, days } = service;
    this.#service = service;
    this.supply = supply;
    this.#store = store;
    this.#dayFiles = dayFiles;
    this.#sealer = new Sealer({ store, days, parquet: sql.parquet, clock, logger });
    this.#dayMarks = new DayMarks(nodeFiles, (path) => sql.parquet.rewritten(path));
    this.#report = new PollReportReader(config.dataDir, nodeFiles);
    this.#polling = new Polling(clock);
    this.#log = this.#follow(COLLECTOR_LOG);
    for (const source of configuredSources(config)) this.#add(source);
    if (supply !== null) {
      this.#polling.add(supply);
      this.#closing.add(() => supply.close());
    } else this.#closing.add(async () => service.copies?.drop(store));
    this.#polling.add({ run: (signal) => this.#run(signal) });
    this.#polling.add({ run: (signal) => engineViews.follow(signal) });
  }

  /** Shows what the data folder has. Rejects if the history has another time zone. */
  static async open(service: Service, options: FollowOptions): Promise<Following> {
    const body = new Following(service, await openStore(service, options), options);
    try {
      await body.#sealer.checkTimeZone();
      await body.#look();
      body.show();
      return body;
    } catch (error) {
      await body.close().catch(() => undefined);
      throw error;
    }
  }

  get reading(): Reading {
    return {
      firstLook: Promise.resolve(),
      sources: () => [],
      skipped: () => new Map(),
      problem: () => null,
      usdPerMonth: null,
    };
  }

  get sources(): Body['sources'] {
    return [...this.#tables.values()].map(({ datasets, health: { interval } }) => ({ datasets, interval }));
  }

  get behind(): number | null {
    const now = this.#service.clock.now();
    const looked = this.#wholeAt === null ? null : Math.max(0, now - this.#wholeAt);
    if (this.supply === null || looked === null) return looked;
    const { behind } = this.supply;
    return behind === null ? null : Math.max(looked, behind);
  }

  get copied(): CopiedDays {
    const { cached = 0, fetched = 0, lost = [] } = this.supply?.keeper.status ?? this.#service.copies ?? {};
    return { cached, fetched, lost };
  }

  spentBy(): number {
    return 0;
  }

  readUnitsToday(): null {
    return null;
  }

  costOf(): null {
    return null;
  }

  /** The day is shown as missing; the service that collects moves the file aside when it finds it. */
  async setAside({ dataset, date, path, reason }: DamagedFile): Promise<void> {
    if (await this.#store.discard(path)) {
      const what = `the copy of an archived day was damaged and is fetched again (${reason})`;
      return this.#service.logger.warn({ dataset, day: date, file: path }, what);
    }
    const tables = [...this.#tables.values(), this.#log];
    await this.#atRest(async () => {
      for (const table of tables) await table.lookAtDays(dataset);
    });
    // It has left the folder since the query began, or was removed: then the query begins anew without it.
    if (!tables.some((table) => table.reads(path))) return;
    this.#service.logger.error({ dataset, day: date, file: path }, `a sealed day cannot be read: ${reason}`);
    for (const table of tables) table.missesDay(dataset, date, reason);
  }

  /** Readers have its datasets from now on, with their days where its store has them: both at once. */
  show(): void {
    this.#dayFiles.use(this.#store);
    for (const table of this.#tables.values()) this.#service.published.show(table.datasets);
  }

  showLog(): void {
    this.#service.published.show(this.#log.datasets);
  }

  start(): void {
    this.#polling.start();
  }

  stop(): Promise<void> {
    return this.#polling.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    for (const table of [...this.#tables.values(), this.#log]) await table.close();
    await this.#closing.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#service;
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
      if (!signal.aborted)
        await this.#look().then(
          () => this.#looked(null),
          (error: unknown) => this.#looked(error),
        );
    }
  }

  /** A folder that cannot be looked at now may be there again at the next look. Each failure is logged once. */
  #looked(error: unknown): void {
    const line = error === null ? '' : describeError(error);
    if (line === this.#failed) return;
    const { logger } = this.#service;
    if (line === '') logger.info('the data folder is followed again');
    else logger.warn({ code: errorCode(error) }, `the data folder cannot be looked at: ${line}`);
    this.#failed = line;
  }

  async #look(): Promise<void> {
    const { clock } = this.#service;
    const look = async () => {
      const begun = clock.now();
      // Before the files: they have at least what it says.
      const reported = await this.#report.read();
      await this.#lookForTables();
      if (await this.#refresh(reported)) this.#wholeAt = begun;
    };
    await this.#atRest(look);
  }

  /** Runs work while the folder has one state: not between two points of the archive. */
  #atRest(work: () => Promise<void>): Promise<void> {
    return this.supply === null ? work() : this.supply.atRest(work);
  }

  /** Resolves to whether everything that was committed is shown. */
  async #refresh(reported: ReportedTables): Promise<boolean> {
    const waiting = [...this.#tables.values(), this.#log].values();
    let isWhole = true;
    const work = async () => {
      for (const table of waiting) isWhole = (await table.refresh(reported[table.name])) && isWhole;
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return isWhole;
  }

  /** Follows the tables that the other service has found by name. */
  async #lookForTables(): Promise<void> {
    const { config, registry, published, logger } = this.#service;
    const { discover, dataDir } = config;
    if (discover === null) return;
    const path = discoveredFile(dataDir);
    const there = await nodeFiles.stat(path);
    if (there === null || (there.id === this.#found?.id && there.modifiedAt === this.#found.modifiedAt))
      return;
    this.#found = there;
    const named = new Set(config.tables.map(({ table }) => table));
    const others = registry.list().filter((dataset) => !published.has(dataset));
    const found = (await FoundTables.open(path, nodeFiles, logger)).list();
    for (const { table, name } of found.filter(
      ({ table }) => isWanted(table, discover) && !named.has(table),
    )) {
      const source = discoveredTable(table, name, discover);
      const isTaken = source.published.some((one) => others.some((other) => other.name === one.name));
      if (isTaken || this.#tables.has(name)) continue;
      const added = this.#add(source);
      if (this.#wholeAt !== null) published.show(added.datasets);
    }
  }

  /** What the archive has is known from its points. */
  async #daysFor(rows: FollowedRows): Promise<readonly SealedDay[]> {
    const days = await this.#sealer.follow(rows);
    return this.supply === null ? this.#dayMarks.look(days, (path) => this.#store.mayChange(path)) : days;
  }

  #add(source: Followed): TableFollower {
    const table = this.#follow(source);
    this.#tables.set(table.name, table);
    return table;
  }

  #follow({ title, interval, recording }: Followed): TableFollower {
    const { config, clock, logger } = this.#service;
    const shortestInterval = this.supply === null ? 0 : (config.archive?.every ?? 0);
    return new TableFollower({
      ...recording,
      source: title,
      dataDir: config.dataDir,
      files: nodeFiles,
      health: new PollHealth(Math.max(interval, shortestInterval), clock),
      shortestInterval,
      logger,
      now: () => clock.now(),
      daysFor: (rows) => this.#daysFor(rows),
      historyOf: (dataset) => historyOf(config.dataDir, dataset),
    });
  }
}

/** The sealed days: with an archive those of its last point, which come when they are needed. */
async function openStore(service: Service, { sql, supply = null }: FollowOptions): Promise<HistoryStore> {
  const { config, copies } = service;
  if (supply === null) return (await copies?.store()) ?? new ReadOnlyStore(config.dataDir, nodeFiles);
  try {
    await supply.begin(service.signal);
    return await supply.keeper.store((path) => sql.describeDay(path));
  } catch (error) {
    await supply.close().catch(() => undefined);
    throw error;
  }
}

/** Sealed days that belong to another process. Its copies of archived days come and go, unannounced. */
class ReadOnlyStore extends LocalStore {
  override unreachableDays(dataset: string): Promise<readonly StoredDay[]> {
    return this.archivedDays(dataset);
  }

  override mayChange(): boolean {
    return true;
  }

  override async setAside(): Promise<null> {
    return null;
  }
}
