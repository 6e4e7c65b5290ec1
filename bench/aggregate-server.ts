/**
 * The service's HTTP side over one log of readings, in a separate process. Asked for `cpu`, it answers with the processor
 * time that it has used, in milliseconds.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { isoTime, systemClock } from '../src/base/clock.js';
import { LocalDays } from '../src/base/local-days.js';
import { createLogger } from '../src/base/logger.js';
import { loadConfig } from '../src/config/config.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { createHttpMetrics } from '../src/http/metrics.js';
import { createHttp, ResponseTimes } from '../src/http/server.js';
import { Sql } from '../src/sql/sql.js';
import { WindowQueries } from '../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../test/support/scripted-dataset.js';
import { serveRequests } from './harness.js';

export interface AggregateServerRequest {
  readonly dataDir: string;
  readonly readings: number;
  readonly devices: number;
}

export interface AggregateServerResult {
  readonly url: string;
  /** The same rows as a CSV file. */
  readonly csv: string;
  /** Milliseconds since the epoch of the newest reading. */
  readonly lastAt: number;
}

const HOUR = 3_600_000;

serveRequests<AggregateServerRequest | 'cpu', AggregateServerResult | number>(async (request) => {
  if (request === 'cpu') {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
  return start(request);
});

async function start({ dataDir, readings, devices }: AggregateServerRequest): Promise<AggregateServerResult> {
  const config = join(dataDir, 'nothing.yaml');
  await writeFile(config, 'tables: { unused: {} }\n');
  const options = await loadConfig({ CONFIG: config, DATA_DIR: dataDir }, []);
  const logger = createLogger({ level: 'warn' });
  const registry = new DatasetRegistry();
  const lastAt = systemClock.now();
  const dataset = new ScriptedDataset({
    name: 'readings',
    kind: 'log',
    columns: [column('device'), column('t', 'number'), column('timestamp', 'time')],
    keys: ['device'],
    timeColumn: 'timestamp',
  });
  await dataset.land(cellsOf(readings, devices, lastAt));
  registry.add(dataset);
  const csv = join(dataDir, 'readings.csv');
  await writeFile(csv, (await dataset.content()).bytes);
  const sql = new Sql({ dataDir, timeZone: 'UTC', registry, clock: systemClock, logger });
  const localDays = new LocalDays('UTC');
  const http = await createHttp({
    registry,
    queries: new WindowQueries({ clock: systemClock, localDays, next: sql.queries }),
    metrics: createHttpMetrics(new Registry()),
    logger,
    clock: systemClock,
    config: { ...options, file: config },
    responseTimes: new ResponseTimes(systemClock),
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
  });
  const url = await http.listen({ port: 0, host: '127.0.0.1' });
  return { url, csv, lastAt };
}

/** The readings of an hour, in the order of time, with at most two decimals: DynamoDB keeps no zeros at a number's end. */
function* cellsOf(readings: number, devices: number, lastAt: number): Generator<readonly string[]> {
  for (let reading = 1; reading <= readings; reading += 1) {
    const at = lastAt - HOUR + Math.floor((reading * HOUR) / readings);
    const temperature = 20 + 5 * Math.sin(reading / 5_000) + (reading % 97) / 100;
    yield [`device-${reading % devices}`, String(Number(temperature.toFixed(2))), isoTime(at)];
  }
}
