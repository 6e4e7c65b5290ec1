/** One contender of the HTTP benchmark, in its own process: `ours`, or `bare`: `node:http` with the same bytes and headers. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { systemClock } from '../src/base/clock.js';
import { createLogger } from '../src/base/logger.js';
import { encodeFile, encodeRows } from '../src/csv/encode.js';
import type { Column } from '../src/csv/rows.js';
import { PollHealth } from '../src/datasets/freshness.js';
import type { Queries } from '../src/datasets/queries.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { createHttpMetrics } from '../src/http/metrics.js';
import { createHttp, ResponseTimes } from '../src/http/server.js';
import { SnapshotDataset } from '../src/recorder/snapshot-dataset.js';
import { serveRequests } from './harness.js';

/** The bare server's responses for a path, with and without `If-None-Match`. */
export interface BareAnswer {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpRequest =
  | { readonly what: 'listen'; readonly rows: Readonly<Record<string, number>> }
  | { readonly what: 'answer'; readonly answers: readonly BareAnswer[] }
  | { readonly what: 'cpu' };

export interface HttpResult {
  readonly port: number;
  /** Milliseconds of processor time so far. */
  readonly cpu: number;
}

/** The service's HTTP side with datasets of so many rows. */
async function ours(rows: Readonly<Record<string, number>>): Promise<number> {
  const registry = new DatasetRegistry();
  for (const [name, count] of Object.entries(rows)) registry.add(await dataset(name, count));
  const http = await createHttp({
    registry,
    queries: {} as Queries,
    metrics: createHttpMetrics(new Registry()),
    logger: createLogger({ level: 'info' }),
    clock: systemClock,
    config: {
      apiToken: null,
      allowedHosts: [],
      corsOrigin: [],
      allowSql: false,
      file: 'bench.yaml',
      dataDir: '/data',
      timeZone: 'UTC',
    },
    responseTimes: new ResponseTimes(systemClock),
    readUnitsToday: () => null,
    webDir: null,
    grafanaUrl: null,
  });
  await http.listen({ port: 0, host: '127.0.0.1' });
  return (http.server.address() as AddressInfo).port;
}

async function dataset(name: string, count: number): Promise<SnapshotDataset> {
  const columns: Column[] = ['zone_id', 'count', 'latitude', 'longitude'].map((column) => ({
    name: column,
    type: 'number',
    seen: true,
  }));
  const rows = encodeRows(
    columns,
    Array.from({ length: count }, (_, row) => [`${row}`, `${(row * 31) % 977}`, '40.7484', '-73.9857']),
  );
  const health = new PollHealth(30_000, systemClock);
  const snapshot = new SnapshotDataset({ name, source: 'bench', description: 'Rows.', health });
  await snapshot.show(encodeFile(rows), rows, ['zone_id'], Date.now());
  health.readAt = Date.now();
  return snapshot;
}

/** The fastest way in Node: one writeHead, one end. */
async function bare(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const name = process.argv[2];
const answers = new Map<string, { headers: Record<string, string>; body: Buffer }>();
let port = 0;

serveRequests<HttpRequest, HttpResult>(async (request) => {
  if (request.what === 'listen') {
    port = await (name === 'ours'
      ? ours(request.rows)
      : bare((asked, response) => {
          const { headers, body } = answers.get(asked.url!)!;
          if (asked.headers['if-none-match'] === headers.etag) {
            const { 'content-length': _length, 'content-type': _type, ...others } = headers;
            response.writeHead(304, others).end();
          } else response.writeHead(200, headers).end(body);
        }));
  }
  if (request.what === 'answer') {
    for (const { path, headers, body } of request.answers)
      answers.set(path, { headers: { ...headers }, body: Buffer.from(body) });
  }
  const { user, system } = process.cpuUsage();
  return { port, cpu: (user + system) / 1_000 };
});
