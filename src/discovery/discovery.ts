import { setMaxListeners } from 'node:events';
import { type Clock, isoTime } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Semaphore } from '../base/semaphore.js';
import type { DiscoverConfig } from '../sources/dynamodb/discover.js';
import { discoveredTable, isWanted, publishedNameFor } from '../sources/dynamodb/discover.js';
import type { TableList, TableSurvey } from '../sources/dynamodb/table-list.js';
import type { ConfiguredSource, PollExpectation } from '../sources/kind.js';
import { foundNotWritten, tableGone, tableSkipped, tablesNotListedYet, tablesUnknown } from './errors.js';
import type { FoundTables } from './found-tables.js';

/** What discovery needs from the service: sources that come and go. */
export interface DiscoveryHost {
  /** Whether a dataset has that published name, or one that differs only in case. */
  isTaken(name: string): boolean;
  /** Serves a table's data. Nothing is polled yet. */
  open(source: ConfiguredSource): Promise<void>;
  /**
   * Polls an open table, the first time after `offset` milliseconds. `expectation`: what is known about its size; null:
   * nothing yet.
   */
  poll(name: string, expectation: PollExpectation | null, offset: number): void;
  /** Stops polling; the data stays, with the reason. */
  stop(name: string, problem: DynamoCsvError): Promise<void>;
  /** Chooses intervals now, after several tables have come or gone. */
  settle(): void;
}

export interface DiscoveryOptions {
  readonly config: DiscoverConfig;
  /** Tables that the configuration names: they are polled as it says. */
  readonly named: ReadonlySet<string>;
  readonly list: Pick<TableList, 'names' | 'survey'>;
  readonly found: FoundTables;
  /** For messages. */
  readonly foundPath: string;
  readonly host: DiscoveryHost;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds between two looks: a new table is published within ten minutes, even if one look fails. */
const LOOK_EVERY = 4 * 60_000;
/** Milliseconds within which all tables that are found at once are polled the first time, and the largest distance. */
const FIRST_POLLS = 30_000;
const LARGEST_STEP = 250;
/** Tables whose files are opened at the same time. */
const OPENED_AT_A_TIME = 8;
/** More tables than this are logged as a number. */
const NAMED_IN_LOG = 20;

/**
 * Finds tables by their names, and follows them as they come and go. A table that cannot be read is logged once and
 * skipped; it is tried again at each look.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  /** Tables being served, by name. */
  readonly #served = new Map<string, { readonly name: string; isPolled: boolean }>();
  /** Why tables were skipped, by name. */
  readonly #skipped = new Map<string, DynamoCsvError>();
  /** Published names of tables that were found, in lower case. */
  readonly #names = new Set<string>();
  /** Tables that are being asked about. */
  readonly #asked = new Set<string>();
  #hasLooked = false;
  #failed = '';
  #finishFirst: () => void = () => undefined;
  /** Resolves when the tables have been listed and asked about for the first time, successfully or not. */
  readonly first: Promise<void>;
  /** The problem of the last list; null: it succeeded. */
  problem: DynamoCsvError | null = null;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.first = new Promise((resolve) => {
      this.#finishFirst = resolve;
    });
  }

  /** Tables that were skipped, with the reason. */
  get skipped(): ReadonlyMap<string, DynamoCsvError> {
    return this.#skipped;
  }

  /** Why no dataset has that name, if a table could: it is skipped, or not known yet. */
  absence(name: string): DynamoCsvError | undefined {
    const { config } = this.#options;
    for (const [table, problem] of this.#skipped) {
      const { published } = discoveredTable(table, this.#nameOfSkipped(table), config);
      if (table === name || published.some((one) => one.name === name)) return tableSkipped(table, problem);
    }
    if (!isWanted(name, config)) return undefined;
    if (this.problem !== null) return tablesUnknown(name, this.problem);
    return this.#hasLooked && !this.#asked.has(name) ? undefined : tablesNotListedYet(name);
  }

  /** The name that a table will have if it can be read one day and no other one takes it before. */
  #nameOfSkipped(table: string): string {
    return this.#options.found.get(table)?.name ?? publishedNameFor(table, () => false);
  }

  /** Serves the tables that were found before, as far as they are still wanted. */
  async restore(): Promise<void> {
    const { config, found, host, named, logger } = this.#options;
    const wanted = found.list().filter(({ table }) => isWanted(table, config) && !named.has(table));
    for (const [index, { table, name, goneSince }] of wanted.entries()) {
      const source = discoveredTable(table, name, config);
      if (isTaken(source, host)) {
        // The configuration gives the name to something else now.
        logger.warn(
          { table, dataset: name },
          `table ${table} is published under another name: ${name} is taken`,
        );
        continue;
      }
      await host.open(source);
      this.#served.set(table, { name, isPolled: goneSince === null });
      if (goneSince === null) host.poll(name, null, stepOf(wanted.length) * index);
      else await host.stop(name, tableGone(table, goneSince));
    }
  }

  /** Looks for tables until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // As many as there are tables wait for an answer or a file.
    setMaxListeners(0, signal);
    while (!signal.aborted) {
      await this.#look(signal).catch((error: unknown) => {
        if (!signal.aborted) this.#listFailed(error);
      });
      this.#hasLooked = true;
      this.#finishFirst();
      await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
    this.#finishFirst();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { config, list, named, host } = this.#options;
    const names = await list.names(signal);
    this.#listed();
    const wanted = names.filter((table) => isWanted(table, config) && !named.has(table)).sort();
    const isListed = new Set(wanted);
    const gone = [...this.#served].filter(([table, { isPolled }]) => isPolled && !isListed.has(table));
    for (const [table, served] of gone) await this.#goes(table, served);
    const back = wanted.filter((table) => this.#served.get(table)?.isPolled === false);
    for (const table of back) this.#comesBack(table);
    const fresh = wanted.filter((table) => !this.#served.has(table));
    const came = await this.#come(fresh, signal);
    for (const table of this.#skipped.keys()) if (!isListed.has(table)) this.#skipped.delete(table);
    if (gone.length + back.length + came > 0) {
      host.settle();
      await this.#save();
    }
  }

  /** Asks about new tables and serves those that can be read. Resolves to their number. */
  async #come(tables: readonly string[], signal: AbortSignal): Promise<number> {
    const { list, logger } = this.#options;
    const step = stepOf(tables.length);
    const came: string[] = [];
    const denied: string[] = [];
    const surveys = tables.map(async (table) => {
      this.#asked.add(table);
      try {
        const survey = await list.survey(table, signal);
        return { table, survey };
      } catch (error) {
        if (!signal.aborted && this.#skip(table, error)) denied.push(table);
        this.#asked.delete(table);
        return null;
      }
    });
    const opening = new Semaphore(OPENED_AT_A_TIME);
    const opened: Promise<void>[] = [];
    // In the order of their names, so that two that would have the same published name get theirs independently of chance.
    for (const pending of surveys) {
      const surveyed = await pending;
      if (surveyed === null || signal.aborted) continue;
      const { table, survey } = surveyed;
      const name = this.#nameOf(table);
      const offset = came.length * step;
      came.push(table);
      opened.push(opening.run(() => this.#comes(table, name, survey, offset), signal));
    }
    await Promise.all(opened);
    this.#asked.clear();
    if (came.length > 0)
      logger.info({ tables: came.slice(0, NAMED_IN_LOG), count: came.length }, 'found tables');
    if (denied.length > NAMED_IN_LOG)
      logger.warn({ count: denied.length }, 'more tables cannot be read; LOG_LEVEL=debug names them all');
    return came.length;
  }

  /** The name under which a table is published; from now on it is taken. */
  #nameOf(table: string): string {
    const { config, host, found } = this.#options;
    const published = (name: string) => discoveredTable(table, name, config).published;
    const isTaken = (name: string) =>
      published(name).some((one) => host.isTaken(one.name) || this.#names.has(one.name.toLowerCase()));
    const earlier = found.get(table)?.name;
    const name = earlier !== undefined && !isTaken(earlier) ? earlier : publishedNameFor(table, isTaken);
    for (const one of published(name)) this.#names.add(one.name.toLowerCase());
    return name;
  }

  async #comes(table: string, name: string, { expectation }: TableSurvey, offset: number): Promise<void> {
    const { config, host, found, logger } = this.#options;
    if (this.#skipped.delete(table)) logger.info({ table }, `table ${table} can be read now`);
    await host.open(discoveredTable(table, name, config));
    if (name !== table) logger.info({ table, dataset: name }, `table ${table} is published as ${name}`);
    this.#served.set(table, { name, isPolled: true });
    found.set(table, { name, goneSince: null });
    host.poll(name, expectation, offset);
  }

  async #goes(table: string, served: { readonly name: string; isPolled: boolean }): Promise<void> {
    const { host, found, clock, logger } = this.#options;
    const since = isoTime(clock.now());
    const problem = tableGone(table, since);
    served.isPolled = false;
    await host.stop(served.name, problem);
    found.set(table, { name: served.name, goneSince: since });
    logger.warn({ table, dataset: served.name, code: problem.code }, problem.line);
  }

  #comesBack(table: string): void {
    const { host, found, logger } = this.#options;
    const served = this.#served.get(table);
    if (served === undefined) return;
    served.isPolled = true;
    found.set(table, { name: served.name, goneSince: null });
    host.poll(served.name, null, 0);
    logger.info({ table, dataset: served.name }, `table ${table} exists again`);
  }

  /** Remembers why a table is skipped. Returns whether that is new. */
  #skip(table: string, error: unknown): boolean {
    const problem =
      error instanceof DynamoCsvError
        ? error
        : new DynamoCsvError('TABLE_NOT_SURVEYED', describeError(error), { cause: error });
    const isNew = this.#skipped.get(table)?.code !== problem.code;
    this.#skipped.set(table, problem);
    const isNamed = isNew && this.#skipped.size <= NAMED_IN_LOG;
    this.#options.logger[isNamed ? 'warn' : 'debug'](
      { table, code: problem.code },
      `table ${table} is skipped: ${problem.line}`,
    );
    return isNew;
  }

  #listed(): void {
    this.problem = null;
    if (this.#failed !== '') this.#options.logger.info('tables are listed again');
    this.#failed = '';
  }

  #listFailed(error: unknown): void {
    const code = error instanceof DynamoCsvError ? error.code : 'TABLES_NOT_LISTED';
    this.problem = error instanceof DynamoCsvError ? error : new DynamoCsvError(code, describeError(error));
    const facts = error instanceof DynamoCsvError ? { code } : { code, err: error };
    this.#options.logger[this.#failed === code ? 'debug' : 'error'](facts, this.problem.line);
    this.#failed = code;
  }

  async #save(): Promise<void> {
    const { found, foundPath, logger } = this.#options;
    await found.save().catch((cause: unknown) => {
      const problem = foundNotWritten(foundPath, cause);
      logger.error({ code: problem.code, err: cause }, problem.line);
    });
  }
}

/** Milliseconds between the first polls of tables that are found at once. */
function stepOf(tables: number): number {
  return Math.min(LARGEST_STEP, FIRST_POLLS / Math.max(1, tables));
}

/** Whether one of the source's datasets would have the name of another one. */
function isTaken({ published }: ConfiguredSource, host: DiscoveryHost): boolean {
  return published.some(({ name }) => host.isTaken(name));
}
