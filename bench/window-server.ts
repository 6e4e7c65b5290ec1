/** The service's HTTP side over a year's log, in a separate process. `direct`: as it is served; `duckdb`: all windows by DuckDB. */
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { systemClock } from '../src/base/clock.js';
import { LocalDays } from '../src/base/local-days.js';
import { createLogger } from '../src/base/logger.js';
import { loadConfig } from '../src/config/config.js';
import { PollHealth } from '../src/datasets/freshness.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { LocalStore } from '../src/history/local-store.js';
import { Sealer } from '../src/history/sealer.js';
import { createHttpMetrics } from '../src/http/metrics.js';
import { createHttp, ResponseTimes } from '../src/http/server.js';
import { configuredSources } from '../src/sources/index.js';
import { Sql } from '../src/sql/sql.js';
import { openRecorder } from '../src/takeover/open-recorder.js';
import { nodeFiles } from '../src/volume/files.js';
import { WindowQueries } from '../src/windows/window-queries.js';
import { serveRequests } from './harness.js';
import { TABLE } from './year.js';

export interface WindowServerRequest {
  readonly dataDir: string;
  /** The configuration file that the volume was made with. */
  readonly config: string;
}

export interface WindowServerResult {
  readonly port: number;
  /** Milliseconds since the epoch of the log's newest row. */
  readonly lastAt: number;
}

async function serve({ dataDir, config: file }: WindowServerRequest): Promise<WindowServerResult> {
  const config = await loadConfig({ ...process.env, CONFIG: file, DATA_DIR: dataDir }, []);
  const logger = createLogger({ level: 'warn' });
  const registry = new DatasetRegistry();
  const localDays = new LocalDays(config.timeZone);
  const options = { dataDir, timeZone: config.timeZone, clock: systemClock, logger };
  const sql = new Sql({ ...options, registry });
  const health = new PollHealth(30_000, systemClock);
  health.readAt = Date.now();
  const { title, recording } = configuredSources(config).find(({ recording }) => recording.name === TABLE)!;
  const recorder = await openRecorder({
    ...recording,
    source: title,
    dataDir,
    health,
    logger,
    takeover: null,
  });
  const sealer = new Sealer({
    ...options,
    store: new LocalStore(dataDir, nodeFiles),
    days: localDays,
    parquet: sql.parquet,
  });
  await sealer.restore(recorder.log!);
  for (const dataset of recorder.datasets) registry.add(dataset);
  const next = sql.queries;
  const http = await createHttp({
    registry,
    queries: process.argv[2] === 'direct' ? new WindowQueries({ clock: systemClock, localDays, next }) : next,
    metrics: createHttpMetrics(new Registry()),
    logger,
    clock: systemClock,
    config: { ...config, file },
    responseTimes: new ResponseTimes(systemClock),
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
  });
  await http.listen({ port: 0, host: '127.0.0.1' });
  return { port: (http.server.address() as AddressInfo).port, lastAt: recorder.log!.lastAt };
}

serveRequests<WindowServerRequest, WindowServerResult>(serve);
