import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Registry } from 'prom-client';
import { systemClock } from '../../src/base/clock.js';
import type { DynamoCsvError } from '../../src/base/errors.js';
import { createLogger } from '../../src/base/logger.js';
import { projectRoot } from '../../src/base/project.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { createHttpMetrics } from '../../src/http/metrics.js';
import { createHttp, ResponseTimes } from '../../src/http/server.js';
import { Sql } from '../../src/sql/sql.js';
import { neverOverloaded } from './never-overloaded.js';
import type { ScriptedDataset } from './scripted-dataset.js';
import { temporaryFolder } from './temporary-folder.js';

export interface PageServiceOptions {
  readonly datasets: readonly ScriptedDataset[];
  readonly apiToken?: string;
  readonly allowSql?: boolean;
  /** Why a name that no dataset has has none. */
  readonly absent?: (name: string) => DynamoCsvError | undefined;
  /** Where Grafana is; it has the tables' dashboards. */
  readonly grafanaUrl?: string;
}

/**
 * HTTP, SQL and the page as the service has them, over datasets that a test scripts; gone after the test.
 * Resolves to its address, which ends with `/`.
 */
export async function startPageService(t: TestContext, options: PageServiceOptions): Promise<string> {
  const registry = new DatasetRegistry();
  for (const dataset of options.datasets) registry.add(dataset);
  if (options.absent !== undefined) registry.onAbsent(options.absent);
  const logger = createLogger({ level: 'warn' });
  const clock = systemClock;
  const timeZone = 'America/New_York';
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  const sql = new Sql({ dataDir, timeZone, registry, clock, logger });
  t.after(() => sql.close());
  const http = await createHttp({
    registry,
    queries: sql.queries,
    metrics: createHttpMetrics(new Registry()),
    logger,
    clock,
    config: {
      apiToken: options.apiToken ?? null,
      allowedHosts: [],
      corsOrigin: [],
      allowSql: options.allowSql ?? false,
      file: 'config/taxi-fleet.yaml',
      dataDir,
      timeZone,
    },
    responseTimes: new ResponseTimes(clock),
    readUnitsToday: () => null,
    webDir: join(projectRoot, 'dist', 'web'),
    grafanaUrl: options.grafanaUrl ?? null,
    hasDashboards: options.grafanaUrl !== undefined,
  });
  neverOverloaded(http);
  await http.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => http.close());
  return `http://127.0.0.1:${(http.server.address() as AddressInfo).port}/`;
}
