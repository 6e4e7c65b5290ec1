import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createArchiveMetrics } from './archive/metrics.js';
import { Closing } from './base/closing.js';
import { notListening } from './base/errors.js';
import type { Logger } from './base/logger.js';
import { projectRoot } from './base/project.js';
import { type CollectorDatasetOptions, createCollectorDataset } from './collect/collector-dataset.js';
import { type Loop, Polling } from './collect/polling.js';
import type { Config } from './config/config.js';
import { displayPath } from './config/yaml-file.js';
import { openLookups } from './datasets/lookups.js';
import { openEngineViews } from './engines/open-engine-views.js';
import { createHttp, type Http } from './http/server.js';
import type { Reading } from './service/body.js';
import { CurrentDayFiles } from './service/day-files.js';
import { createRoleMetrics } from './service/metrics.js';
import { Roles } from './service/roles.js';
import { type AppOptions, createService, type Service } from './service/service.js';
import { Sql } from './sql/sql.js';
import { tryViews } from './sql/try-views.js';
import type { ViewDataset } from './sql/view-dataset.js';
import { WindowQueries } from './windows/window-queries.js';

export type { PolledSource, Reading } from './service/body.js';
export type { AppOptions } from './service/service.js';

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

/** Milliseconds after which a view that is waiting for data is tried again. */
const VIEWS_AGAIN = 5_000;

/**
 * Starts the service: first everything on the volume is served, then the sources are polled, or followed where another
 * service polls them (`service/roles.ts`). Rejects with a `DynamoCsvError` if the volume is locked or not writable, if
 * its history has another time zone, or if the port is in use. An error in one source, view, lookup or state file is
 * logged and does not stop the others.
 */
export async function startApp(config: Config, options: AppOptions): Promise<App> {
  const closing = new Closing();
  try {
    return await start(createService(config, options), closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function start(service: Service, closing: Closing): Promise<App> {
  const { config, clock, signal, days, registry } = service;
  closing.add(async () => service.copies?.close());
  const engineViews = openEngineViews(config, service);
  const dayFiles = new CurrentDayFiles();
  const sql = new Sql({
    ...config,
    ...service,
    storedDays: dayFiles,
    damagedFile: (file) => roles.setAside(file),
    engineView: (view) => engineViews.open(view),
    copiesDir: service.copies?.dir ?? null,
  });
  closing.add(() => sql.close());
  const queries = new WindowQueries({ clock, localDays: days, next: sql.queries });
  const about: CollectorDatasetOptions = aboutPolls(service, () => roles);
  const roles: Roles = new Roles({ service, sql, dayFiles, queries, about, engineViews });
  closing.add(() => roles.close());
  await roles.open();
  createMetrics(roles, service);
  registry.add(createCollectorDataset(about));
  roles.showLog();
  const views = await addOtherDatasets(sql, service);
  const http = await createHttp({
    ...service,
    metrics: service.httpMetrics,
    ...pageOptions(config),
    queries,
    readUnitsToday: (dataset) => roles.body.readUnitsToday(dataset),
    costOf: (dataset) => roles.body.costOf(dataset),
    archive: () => roles.body.archive,
    lostDays: () => roles.body.copied.lost,
    role: () => roles.status,
  });
  const background = new Polling(clock);
  background.add(watchViews(views, service));
  closing.add(() => Promise.all([http.close(), background.stop(), roles.stop()]));
  signal.throwIfAborted();
  const url = await listen(http, config);
  background.start();
  roles.start();
  return {
    url,
    get reading() {
      return roles.body.reading;
    },
    close: () => closing.close(),
  };
}

/** What the dataset `collector` is made of, whoever collects. */
function aboutPolls({ clock, responseTimes }: Service, roles: () => Roles): CollectorDatasetOptions {
  return {
    sources: {
      *[Symbol.iterator]() {
        yield* roles().body.sources;
      },
    },
    spentBy: (name) => roles().body.spentBy(name),
    archive: () => roles().body.archive,
    lostDays: () => roles().body.copied.lost,
    responseTimes: (name) => responseTimes.of(name),
    clock,
  };
}

function createMetrics(roles: Roles, { config, clock, pollMetrics: { registry } }: Service): void {
  createRoleMetrics(registry, () => roles.status);
  if (config.archive !== null) createArchiveMetrics(registry, () => roles.body, clock);
}

/** Registers the datasets that are not recorded. Returns the views. */
async function addOtherDatasets(
  sql: Sql,
  { config, clock, logger, registry }: Service,
): Promise<readonly ViewDataset[]> {
  const dir = config.lookupsDir;
  await openLookups({ dir, shown: displayPath(dir), registry, clock, logger });
  return sql.openViews(config.viewsDir, displayPath(config.viewsDir));
}

/** The page built by `npm run build`, if it exists. */
function pageOptions({ grafanaUrl, dashboardsDir }: Config) {
  const webDir = join(projectRoot, 'dist', 'web');
  const hasDashboards = dashboardsDir !== null;
  return { grafanaUrl, hasDashboards, webDir: existsSync(webDir) ? webDir : null };
}

/** Computes views as soon as their data is there, before the first request, and logs the broken ones. */
function watchViews(
  views: readonly ViewDataset[],
  { clock, logger }: { readonly clock: Service['clock']; readonly logger: Logger },
): Loop {
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
