import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createHttpMetrics } from '../../src/http/metrics.js';
import { createHttp, type Http, ResponseTimes } from '../../src/http/server.js';
import { neverOverloaded } from './never-overloaded.js';
import type { SqlWorld } from './sql-world.js';

/** The service's HTTP side over a world's registry and SQL engine; ad-hoc SQL is allowed. Gone after the test. */
export async function httpOver(t: TestContext, world: SqlWorld): Promise<Http> {
  const http = await createHttp({
    registry: world.registry,
    queries: world.sql.queries,
    metrics: createHttpMetrics(new Registry()),
    logger: pino({ level: 'silent' }),
    clock: world.time,
    config: {
      apiToken: null,
      allowedHosts: [],
      corsOrigin: [],
      allowSql: true,
      file: 'test.yaml',
      dataDir: world.dataDir,
      timeZone: 'UTC',
    },
    responseTimes: new ResponseTimes(world.time),
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
  });
  neverOverloaded(http);
  t.after(() => http.close());
  return http;
}
