import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../../src/demo/random.js';
import type { Arena, Attack } from '../attack.js';
import { NEIGHBOUR, neighbourIsPolled, PATIENCE, prepare, Watch, within } from '../ground.js';
import { itemsOfScan } from '../truth.js';

const CONFIG = `tables:
  ${NEIGHBOUR}
  both: { log: true, changes: true, interval: 200ms }
  large: { interval: 1h }
`;
/** Items of the table whose windows are computed by DuckDB; they are one page. */
const LARGE = 30_000;
const CLIENTS = 16;
/** Connections of the attack with many windows: nearly as many as the service accepts. */
const AT_ONCE = 900;
/** One request in so many is raw bytes on a socket of its own. */
const RAW_EVERY = 50;
/** After so long a request must have ended, in milliseconds: a SELECT may take 30 s. */
const LONGEST_ANSWER = 60_000;

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'];
const PATHS = [
  '/csv/both',
  '/csv/both-changes',
  '/csv/calm',
  '/csv/large',
  '/csv/count',
  '/csv/collector',
  '/csv',
  '/sql',
  '/datasets',
  '/healthz',
  '/readyz',
  '/metrics',
  '/openapi.json',
  '/docs',
  '/',
  '/csv/',
  '/csv//both',
  '/csv/..%2f..%2fetc%2fpasswd',
  '/../../etc/passwd',
  '/csv/%00',
  '/csv/%',
  '/csv/%ff%fe',
  '/csv/none',
  '/__proto__',
  '/csv/constructor',
];
const NAMES = [
  'last',
  'from',
  'to',
  'every',
  'pivot',
  'sort',
  'limit',
  'offset',
  'columns',
  'format',
  'null',
  'pad',
  'sql',
  'tz',
  'id',
  'scan',
  'text',
  'scan__gt',
  'id__in',
  'text__like',
  'id__',
  '__proto__',
  'where.limit',
  'toString',
  '',
];
const VALUES = [
  '',
  '0',
  '-1',
  '1',
  '5',
  '1e309',
  'NaN',
  '9'.repeat(400),
  '1m',
  '0m',
  '99999999999d',
  'last',
  '-scan',
  'scan',
  'id:scan',
  'text:scan',
  'id,scan',
  '*',
  'csv',
  'json',
  'parquet',
  '{a,b}',
  '%',
  '%%%',
  "' OR 1=1 --",
  '"',
  '\\',
  '\u0000',
  '\n',
  '😀',
  '../../etc/passwd',
  '2026-11-24T00:00:00Z',
  '2026-13-99',
  '1970-01-01',
  '9999-12-31',
  '$' + '{id}',
  '{{id}}',
  'null',
  'SELECT 1',
  'SELECT * FROM "both"',
  "SELECT * FROM read_csv('/etc/passwd')",
  "COPY both TO '/tmp/x'",
  'SELECT 1; SELECT 2',
  "ATTACH '/tmp/x'",
  "SELECT repeat('x', 1000)",
  '('.repeat(500),
  'WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a',
];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  {},
  { 'if-none-match': '"x"' },
  { 'if-none-match': '*' },
  { accept: 'application/json' },
  { range: 'bytes=5-1' },
  { 'accept-encoding': 'br, gzip;q=0, *;q=9' },
  { authorization: 'Bearer x' },
  { 'content-type': 'application/json' },
  { 'content-type': 'text/plain' },
  { 'x-forwarded-for': 'a'.repeat(2_000) },
  { 'if-modified-since': 'yesterday' },
  { expect: '200-maybe' },
  { origin: 'http://example.com' },
];
const RAW = [
  'GET / HTTP/9.9\r\n\r\n',
  '\r\n\r\n\r\n',
  'GET /csv/both HTTP/1.1\r\n',
  'POST /sql HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nSEL',
  'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET / HTTP/1.1\r\nbad header\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  '\u0016\u0003\u0001\u0002\u0000',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
];

interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function question(random: Random): Question {
  const pick = <T>(list: readonly T[]) => list[random.between(0, list.length - 1)]!;
  const query = Array.from({ length: random.between(0, 4) }, () => {
    const value =
      random.next() < 0.9 ? encodeURIComponent(pick(VALUES)) : pick(VALUES).replaceAll(/[^!-~]/g, '%ZZ');
    return `${encodeURIComponent(pick(NAMES))}=${value}`;
  });
  const method = pick(METHODS);
  const body =
    method === 'POST' || method === 'PUT'
      ? pick([...VALUES, '{"sql": "SELECT 1"}', '{"sql": 5}', '[', '{}'])
      : '';
  return {
    method,
    path: `${pick(PATHS)}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    headers: pick(HEADERS),
    body,
  };
}

/** Statuses by how often they came. */
type Counts = Map<number, number>;

async function ask(url: string, agent: Agent, { method, path, headers, body }: Question): Promise<number> {
  const { port } = new URL(url);
  const signal = AbortSignal.timeout(LONGEST_ANSWER);
  const asked = request({
    host: '127.0.0.1',
    port,
    agent,
    method,
    path,
    headers: { host: 'localhost', ...headers },
    signal,
  });
  asked.end(body);
  const [response] = await once(asked, 'response');
  const answer = await text(response);
  const status: number = response.statusCode;
  const about = `${method} ${path} ${JSON.stringify(headers)} ${JSON.stringify(body)}: ${status} ${answer.slice(0, 200)}`;
  // The view of the attack works: whatever is asked, a 500 is ours.
  assert.ok(status !== 500, about);
  if (status >= 400) assert.match(answer, /^[^\n]*\n?$/, about);
  assert.doesNotMatch(answer, /root:.*:0:0:/, about);
  return status;
}

async function get(url: string, agent: Agent, path: string): Promise<IncomingMessage & { status: number }> {
  const { port } = new URL(url);
  const asked = request({
    host: '127.0.0.1',
    port,
    agent,
    path,
    signal: AbortSignal.timeout(LONGEST_ANSWER),
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  await text(response);
  return Object.assign(response, { status: response.statusCode ?? 0 });
}

/** Sends bytes that are no request, and waits for the end of the connection or a moment of silence. */
async function sendRaw(url: string, bytes: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await Promise.race([once(socket.resume(), 'close'), delay(20)]);
  socket.destroy();
}

async function client(
  url: string,
  agent: Agent,
  random: Random,
  requests: number,
  counts: Counts,
): Promise<void> {
  for (let number = 0; number < requests; number++) {
    if (number % RAW_EVERY === RAW_EVERY - 1) await sendRaw(url, RAW[random.between(0, RAW.length - 1)]!);
    else {
      const status = await ask(url, agent, question(random));
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  }
}

const fuzzed: Attack = {
  name: 'fuzzed requests',
  run: async (arena) => {
    const requests = arena.isShort ? 2_000 : 100_000;
    const { ground, url, pid } = await serve(arena);
    const watch = new Watch(url, pid);
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    arena.after(() => agent.destroy());
    const counts: Counts = new Map();
    await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        client(url, agent, arena.random, Math.ceil(requests / CLIENTS), counts),
      ),
    );
    await neighbourIsPolled(url, ground.neighbour);
    const statuses = [...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
    return { requests, answers: statuses.join(' '), ...(await watch.stop()) };
  },
};

/** More distinct windows at once than can be answered: some are refused, all are answered, the rest of it goes on. */
const windows: Attack = {
  name: 'more windows at once than can be computed',
  run: async (arena) => {
    const count = arena.isShort ? 300 : 2_000;
    const { ground, url, pid } = await serve(arena);
    const watch = new Watch(url, pid);
    const agent = new Agent({ maxSockets: AT_ONCE });
    arena.after(() => agent.destroy());
    const answers = Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const path = `/csv/large?id__gt=${index}&sort=-id&limit=5`;
        const { status, headers } = await get(url, agent, path);
        assert.ok(status === 200 || status === 503, `${path}: ${status}`);
        if (status === 503) assert.ok('retry-after' in headers, `${path}: no Retry-After`);
        return status;
      }),
    );
    // It rejects at once when one answer is wrong; that is thrown below.
    answers.catch(() => undefined);
    await neighbourIsPolled(url, ground.neighbour);
    const refused = (await answers).filter((status) => status === 503).length;
    return { windows: count, refused, ...(await watch.stop()) };
  },
};

/** Connections that say nothing: bounded in time, and nobody else is kept waiting. */
const silent: Attack = {
  name: 'connections that say nothing',
  isLong: true,
  run: async (arena) => {
    const { ground, url, pid } = await serve(arena);
    const watch = new Watch(url, pid);
    let open = 0;
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket
        .on('connect', () => open++)
        .on('close', () => open--)
        .on('error', () => undefined);
      return socket.resume();
    });
    arena.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    await neighbourIsPolled(url, ground.neighbour);
    const took = await within(90_000, 'they are closed', async () => open === 0);
    return {
      connections: sockets.length,
      'closed after': `${Math.round(took / 1_000)} s`,
      ...(await watch.stop()),
    };
  },
};

/** A service with a log, changes, and a view, where SQL is allowed. */
async function serve(arena: Arena) {
  const ground = await prepare(arena);
  ground.database.table('both', itemsOfScan);
  const large = Array.from({ length: LARGE }, (_, id) => ({ id: { N: String(id) } }));
  ground.database.table('large', () => large);
  const views = join(ground.folder, 'views');
  await mkdir(views);
  await writeFile(join(views, 'count.sql'), 'SELECT count(*) AS rows FROM "both"\n');
  const service = await ground.start({
    config: `views: ${views}\n${CONFIG}`,
    env: { ALLOW_SQL: 'true', LOG_LEVEL: 'warn' },
  });
  const url = await service.url;
  for (const name of ['both', 'large'])
    await within(PATIENCE, 'the first poll', async () => (await fetch(`${url}/csv/${name}`)).status === 200);
  return { ground, url, pid: service.process.pid! };
}

export const requestAttacks: readonly Attack[] = [fuzzed, windows, silent];
