import { setMaxListeners } from 'node:events';
import { basename, extname } from 'node:path';
import { systemClock } from './base/clock.js';
import { formatDuration } from './base/durations.js';
import { DynamoCsvError, describeError } from './base/errors.js';
import { LocalDays } from './base/local-days.js';
import { createLogger } from './base/logger.js';
import { Semaphore } from './base/semaphore.js';
import { allocate, spending } from './budget/allocate.js';
import { CAPACITY_SHARE } from './budget/budget.js';
import { neverAffordable } from './budget/errors.js';
import { LONGEST_MONTH } from './budget/month.js';
import { createCollectorDataset } from './collect/collector-dataset.js';
import { type CheckRow, formatCheckReport } from './config/check-report.js';
import type { Config } from './config/config.js';
import { formatWays } from './config/ways-report.js';
import { displayPath } from './config/yaml-file.js';
import { openLookups } from './datasets/lookups.js';
import { DatasetRegistry } from './datasets/registry.js';
import type { EngineView } from './engines/engine-view.js';
import { openEngineViews } from './engines/open-engine-views.js';
import { knownRelations } from './recorder/known-relations.js';
import { pollsPerMonth } from './sources/billing.js';
import { discoveredTable, isWanted, publishedNameFor } from './sources/dynamodb/discover.js';
import { TableList } from './sources/dynamodb/table-list.js';
import { configuredSources } from './sources/index.js';
import type { ConfiguredSource, Recording } from './sources/kind.js';
import { Sql } from './sql/sql.js';
import type { ViewDataset } from './sql/view-dataset.js';
import type { EngineViewText } from './sql/view-file.js';

export interface Check {
  /** A table in plain text: what is polled and computed, what it costs, what is wrong. */
  readonly report: string;
  /** Whether every source can be read and every view works. */
  readonly isRight: boolean;
}

/** How long AWS may take to answer, in milliseconds; a person is waiting. */
const PATIENCE = 20_000;
/** Sources that are checked at the same time. */
const AT_A_TIME = 32;

/**
 * `--check`: checks every source at the same time, and runs every view. It neither locks the volume nor writes to it, so a
 * service may be running on it.
 */
export async function check(config: Config): Promise<Check> {
  const signal = AbortSignal.timeout(PATIENCE);
  setMaxListeners(0, signal);
  const [archives, views, named, found] = await Promise.all([
    checkArchives(config),
    checkComputed(config),
    checkSources(configuredSources(config), config, config.budget !== null, signal),
    checkFound(config, signal),
  ]);
  const { discover, budget } = config;
  const polled =
    budget === null
      ? [...named, ...withinBudget(found, discover?.budget ?? null)]
      : withinBudget([...named, ...found], budget);
  const rows = [...polled, ...views, ...archives];
  return {
    report: `${formatCheckReport(rows, budget ?? discover?.budget ?? null)}${formatWays(rows)}`,
    isRight: rows.every(({ problem }) => problem === null),
  };
}

/** The row of the archive, if there is one. */
async function checkArchives({ archive, timeZone }: Config): Promise<CheckRow[]> {
  if (archive === null) return [];
  const { S3Objects } = await import('./archive/s3-objects.js');
  const { checkArchive } = await import('./archive/check.js');
  const objects = new S3Objects(archive);
  const row = { ...nothingKnown('-', `archive ${objects.location}`), interval: archive.every };
  try {
    const { files, ...found } = await checkArchive(
      objects,
      archive,
      new LocalDays(timeZone).dateOf(systemClock.now()),
    );
    return [{ ...row, ...found, items: files }];
  } catch (error) {
    return [{ ...row, problem: describeError(error) }];
  } finally {
    objects.close();
  }
}

/** The tables that are found by their names. */
async function checkFound(config: Config, signal: AbortSignal): Promise<CheckRow[]> {
  const { discover, tables } = config;
  if (discover === null) return [];
  const list = new TableList({ region: discover.region, capacityShare: CAPACITY_SHARE });
  const taken = new Set(configuredSources(config).flatMap(({ published }) => published.map(lowerName)));
  try {
    const listed = await list.names(signal);
    const named = new Set(tables.map(({ table }) => table));
    const found = listed.filter((table) => isWanted(table, discover) && !named.has(table)).sort();
    const sources = found.map((table) => {
      const isTaken = (name: string) =>
        discoveredTable(table, name, discover).published.some((one) => taken.has(lowerName(one)));
      const source = discoveredTable(table, publishedNameFor(table, isTaken), discover);
      for (const one of source.published) taken.add(lowerName(one));
      return source;
    });
    return await checkSources(sources, config, true, signal);
  } catch (error) {
    const problem = signal.aborted ? 'AWS did not answer in time' : describeError(error);
    return [{ ...nothingKnown('-', 'tables that are found'), problem }];
  } finally {
    list.close();
  }
}

function lowerName({ name }: { readonly name: string }): string {
  return name.toLowerCase();
}

function checkSources(
  sources: readonly ConfiguredSource[],
  config: Config,
  isOnBudget: boolean,
  signal: AbortSignal,
): Promise<CheckRow[]> {
  const slots = new Semaphore(AT_A_TIME);
  return Promise.all(
    sources.map((source) =>
      slots
        .run(() => checkSource(source, config, isOnBudget, signal), signal)
        .catch(() => ({ ...nothingKnown(source.recording.name, source.label), problem: noAnswer(source) })),
    ),
  );
}

/** The rows with the intervals that a budget of so many US dollars a month chooses; null: there is no limit. */
function withinBudget(rows: readonly CheckRow[], budget: number | null): readonly CheckRow[] {
  if (budget === null) return rows;
  const costs = rows.map(({ interval, pricePerMonth, shortestInterval }) => ({
    usdPerPoll: (pricePerMonth ?? 0) / pollsPerMonth(interval ?? 1),
    shortest: Math.max(interval ?? 1, shortestInterval ?? 0),
    isFixed: shortestInterval === undefined,
  }));
  const fixed = costs.filter(({ isFixed }) => isFixed);
  const flexible = costs.filter(({ isFixed, usdPerPoll }) => !isFixed && usdPerPoll <= budget);
  const rate =
    budget / LONGEST_MONTH -
    spending(
      fixed,
      fixed.map(({ shortest }) => shortest),
    );
  const chosen = new Map(allocate(flexible, rate).map((interval, index) => [flexible[index], interval]));
  return rows.map((row, index) => {
    const cost = costs[index];
    if (cost === undefined || cost.isFixed) return row;
    const interval = chosen.get(cost);
    const { usdPerPoll } = cost;
    if (interval !== undefined)
      return { ...row, interval, pricePerMonth: usdPerPoll * pollsPerMonth(interval) };
    const title = row.source;
    const excess = { title, usdPerPoll, budget, spent: 0, reserved: 0, until: 0 };
    return { ...row, interval: null, pricePerMonth: 0, problem: row.problem ?? neverAffordable(excess).line };
  });
}

async function checkSource(
  source: ConfiguredSource,
  { dataDir, timeZone }: Config,
  isOnBudget: boolean,
  signal: AbortSignal,
): Promise<CheckRow> {
  const { label, interval, recording } = source;
  const row = { ...nothingKnown(recording.name, label), interval };
  try {
    const seen = await seenColumns(dataDir, recording);
    const share = isOnBudget ? { capacityShare: CAPACITY_SHARE } : {};
    return { ...row, ...(await source.check({ clock: systemClock, timeZone, seen, ...share, signal })) };
  } catch (error) {
    return { ...row, problem: signal.aborted ? noAnswer(source) : describeError(error) };
  }
}

/** The columns that earlier polls have seen values of. */
async function seenColumns(dataDir: string, recording: Recording): Promise<readonly string[]> {
  const [relation] = await knownRelations(dataDir, recording);
  return (relation?.columns ?? []).filter(({ seen }) => seen).map(({ name }) => name);
}

/**
 * Reads the lookups and runs every view on empty tables with the columns in the state files. Copying files that a running
 * service is writing would be slow and unsafe, and empty tables are enough to check the SQL against every table, column
 * and type. A view of a table that was never polled cannot be run yet, which is not a mistake.
 */
async function checkComputed(config: Config): Promise<CheckRow[]> {
  const left: CheckRow[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (line) => left.push(leftOut(line)) } });
  const registry = new DatasetRegistry();
  const quiet = createLogger({ level: 'error', destination: { write: () => undefined } });
  const engineViews = openEngineViews(config, { clock: systemClock, logger: quiet });
  const others: EngineView[] = [];
  const engineView = async (text: EngineViewText) => {
    const view = await engineViews.open(text);
    others.push(view);
    return view;
  };
  const sql = new Sql({ ...config, registry, engineView, clock: systemClock, logger });
  try {
    for (const { recording } of configuredSources(config)) {
      for (const relation of await knownRelations(config.dataDir, recording)) registry.add(relation);
    }
    registry.add(createCollectorDataset({ sources: [], responseTimes: () => null, clock: systemClock }));
    const dir = config.lookupsDir;
    await openLookups({ dir, shown: displayPath(dir), registry, clock: systemClock, logger });
    const views = await sql.openViews(config.viewsDir, displayPath(config.viewsDir));
    const rows: CheckRow[] = [];
    for (const view of views) rows.push(await checkView(view));
    return [...rows, ...others.map(checkEngineView), ...left];
  } finally {
    await sql.close();
  }
}

const NOT_RUN = 'not run yet: what it reads was never polled';

async function checkView(view: ViewDataset): Promise<CheckRow> {
  const row = nothingKnown(view.name, view.source);
  try {
    await view.sync();
    return row;
  } catch (error) {
    const isWaiting = error instanceof DynamoCsvError && error.code === 'DATASET_NOT_READ_YET';
    return isWaiting ? { ...row, notice: NOT_RUN } : { ...row, problem: describeError(error) };
  }
}

/** The engine would be asked, and paid, to find out more. */
function checkEngineView(view: EngineView): CheckRow {
  const { interval, lastError } = view.status();
  const row = { ...nothingKnown(view.name, view.source), interval };
  return lastError === null ? { ...row, notice: 'runs in Athena' } : { ...row, problem: lastError.message };
}

/** The row of a file that the service skips, with the line that it logs. */
function leftOut(line: string): CheckRow {
  const { lookup, view, msg } = JSON.parse(line) as { lookup?: string; view?: string; msg: string };
  const file = lookup ?? view ?? '';
  return { ...nothingKnown(basename(file, extname(file)), file), problem: msg };
}

function noAnswer({ label }: ConfiguredSource): string {
  return `AWS did not answer for ${label} within ${formatDuration(PATIENCE)}; check the region and the network`;
}

function nothingKnown(dataset: string, source: string): CheckRow {
  return {
    dataset,
    source,
    keys: null,
    items: null,
    bytes: null,
    interval: null,
    unitsPerPoll: null,
    pricePerMonth: null,
    problem: null,
    notice: null,
  };
}
