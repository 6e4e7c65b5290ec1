/**
 * A part of `bundle-service.mjs`, run with the flags of `npm start`: starts the service from the bundle on one table of a
 * DynamoDB that has nothing else, requests what is requested first, and keeps what V8 compiled meanwhile (`load-bundle.mjs`).
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheOf, compile, run } from './load-bundle.mjs';

const DESCRIBED = {
  Table: {
    TableName: 'warm',
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    ItemCount: 2,
    TableSizeBytes: 40,
  },
};
const SCANNED = {
  Items: [
    { id: { S: 'a' }, count: { N: '1' } },
    { id: { S: 'b' }, count: { N: '2' } },
  ],
  Count: 2,
  ScannedCount: 2,
  ConsumedCapacity: { TableName: 'warm', CapacityUnits: 0.5 },
};

/** What is requested of a service once it is ready. */
const FIRST = [
  '/readyz',
  '/healthz',
  '/metrics',
  '/datasets',
  '/csv/warm',
  '/csv/warm?count__gt=1&sort=-count',
  '/csv/warm-changes?last=10m',
  '/csv/warm-changes?last=10m&every=1m&pivot=id:count&null=null&pad=1',
];

// The service would read it as its own.
const [file] = process.argv.splice(2);
const folder = mkdtempSync(join(tmpdir(), 'dynamo-csv-build-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const dynamodb = createServer((request, response) => {
  const isScan = request.headers['x-amz-target'].endsWith('.Scan');
  request.resume().once('end', () => {
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify(isScan ? SCANNED : DESCRIBED));
  });
}).listen(0, '127.0.0.1');
await once(dynamodb, 'listening');

/** What a process needs of its environment. A profile, a proxy or an endpoint that is set where the project is built is not for this. */
const KEPT = /^(path|home|tmpdir|tmp|temp|systemroot|ld_library_path|node_v8_coverage)$/i;
for (const name of Object.keys(process.env)) if (!KEPT.test(name)) delete process.env[name];

const config = join(folder, 'warm.yaml');
writeFileSync(config, 'tables:\n  warm:\n    changes: true\n');
Object.assign(process.env, {
  AWS_ACCESS_KEY_ID: 'build',
  AWS_SECRET_ACCESS_KEY: 'build',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${dynamodb.address().port}`,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  CONFIG: config,
  DATA_DIR: join(folder, 'data'),
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'error',
});

// The service tells its parent process where it listens.
const listening = new Promise((resolve) => {
  process.send = ({ url }) => resolve(url);
});
const script = compile(file);
await run(script, file).server([]);
const url = await listening;
while (!(await fetch(`${url}/readyz`)).ok) await delay(10);
for (const path of FIRST) {
  const response = await fetch(url + path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}
writeFileSync(cacheOf(file), script.createCachedData());
process.exit(0);
