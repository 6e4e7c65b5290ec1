/**
 * A part of `bundle-service.mjs`: reads a table of a DynamoDB that has nothing else as a first poll does, in this thread but
 * with the code of the threads, and keeps what V8 compiled of it meanwhile (`load-bundle.mjs`).
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { MessageChannel } from 'node:worker_threads';
import { createDynamoDbSource } from '../dist/src/sources/dynamodb/source.js';
import { cacheOf, compile, run } from './load-bundle.mjs';

/** Large enough to be read in threads, in four segments; each thread gets enough rows to sort them as it sorts many. */
const DESCRIBED = {
  Table: {
    TableName: 'warm',
    TableStatus: 'ACTIVE',
    KeySchema: [
      { AttributeName: 'id', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    ItemCount: 30_000,
    TableSizeBytes: 4 << 20,
  },
};
const PAGES = 3;
const ITEMS_PER_PAGE = 1_000;

function answer({ Segment: segment, ExclusiveStartKey: after }) {
  const start = after === undefined ? 0 : Number(after.at.N) + 1;
  const end = start + ITEMS_PER_PAGE;
  const items = Array.from({ length: ITEMS_PER_PAGE }, (_, index) => itemOf(segment, start + index));
  return {
    Items: items,
    Count: items.length,
    ScannedCount: items.length,
    ConsumedCapacity: { TableName: 'warm', CapacityUnits: 16 },
    ...(end < PAGES * ITEMS_PER_PAGE
      ? { LastEvaluatedKey: { id: items.at(-1).id, at: items.at(-1).at } }
      : {}),
  };
}

/** An item with values of the usual types. */
function itemOf(segment, number) {
  return {
    id: { S: `${segment}-${(number * 7919) % 1_000}` },
    at: { N: String(number) },
    name: { S: number % 9 === 0 ? 'with "quotes", and a comma' : 'Müller' },
    speed: { N: `${number}.25` },
    free: { BOOL: number % 2 === 0 },
    ...(number % 5 === 0 ? { place: { M: { lat: { N: '52.5' } } }, tags: { SS: ['a', 'b'] } } : {}),
    ...(number % 7 === 0 ? { driver: { NULL: true } } : {}),
  };
}

const dynamodb = createServer(async (request, response) => {
  const chunks = await request.toArray();
  const asked = JSON.parse(Buffer.concat(chunks).toString());
  const isScan = request.headers['x-amz-target'].endsWith('.Scan');
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify(isScan ? answer(asked) : DESCRIBED));
}).listen(0, '127.0.0.1');
await once(dynamodb, 'listening');

/** What a process needs of its environment. A profile, a proxy or an endpoint that is set where the project is built is not for this. */
const KEPT = /^(path|home|tmpdir|tmp|temp|systemroot|ld_library_path|node_v8_coverage)$/i;
for (const name of Object.keys(process.env)) if (!KEPT.test(name)) delete process.env[name];
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'build',
  AWS_SECRET_ACCESS_KEY: 'build',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
});

const [file] = process.argv.splice(2);
const script = compile(file);
const tasks = run(script, file);

/** What a task returns for another thread is within what Piscina moves. */
const MOVED = Symbol.for('Piscina.valueOf');

/** In the place of `ScanThreads`. */
const threads = {
  size: 2,
  running: 2,
  read: async (task, client) => {
    const { port1, port2 } = new MessageChannel();
    const result = await tasks.read({ ...task, client, cancel: port2 });
    port1.close();
    if (result.error !== undefined) throw new Error(result.error.message);
    return result[MOVED].read;
  },
  merge: async (runs, columns) => tasks.merge({ runs, columns })[MOVED],
};

const source = createDynamoDbSource({
  table: 'warm',
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${dynamodb.address().port}`,
  columns: [],
  only: null,
  rename: {},
  consistent: false,
  segments: 'auto',
  maxReadCapacity: null,
  maxPollMegabytes: null,
  threads,
});
const { rows } = await source.read({ known: [], signal: new AbortController().signal });
const expected = 4 * PAGES * ITEMS_PER_PAGE;
if (rows.ends.length !== expected) throw new Error(`${rows.ends.length} rows instead of ${expected}`);
writeFileSync(cacheOf(file), script.createCachedData());
process.exit(0);
