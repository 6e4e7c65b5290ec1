import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import { createLogger } from '../../src/base/logger.js';
import { createMetrics } from '../../src/base/metrics.js';
import { projectRoot } from '../../src/base/project.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { createHttp, ResponseTimes } from '../../src/http/server.js';
import type { ScriptedDataset } from './scripted-dataset.js';
import { scriptedQueries } from './scripted-queries.js';

export interface PageServiceOptions {
  readonly datasets: readonly ScriptedDataset[];
  readonly apiToken?: string;
  readonly allowSql?: boolean;
  readonly port?: number;
}

export interface PageService {
  /** Ends with `/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** The service's HTTP side with its page, over datasets that a test scripts. */
export async function startPageService(options: PageServiceOptions): Promise<PageService> {
  const registry = new DatasetRegistry();
  for (const dataset of options.datasets) registry.add(dataset);
  const http = await createHttp({
    registry,
    queries: scriptedQueries,
    metrics: createMetrics(),
    logger: createLogger({ level: 'warn' }),
    clock: systemClock,
    config: {
      apiToken: options.apiToken ?? null,
      corsOrigin: [],
      allowSql: options.allowSql ?? false,
      file: 'config/taxi-fleet.yaml',
      dataDir: '/data',
      timeZone: 'America/New_York',
    },
    responseTimes: new ResponseTimes(systemClock),
    readUnitsToday: (name) => (name.endsWith('dynamodb') ? 1234.5 : null),
    webDir: join(projectRoot, 'dist', 'web'),
    grafanaUrl: 'http://127.0.0.1:3000',
  });
  await http.listen({ port: options.port ?? 0, host: '127.0.0.1' });
  const { port } = http.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => http.close() };
}
