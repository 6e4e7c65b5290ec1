/**
 * `npm run test:dynamodb-local`: the tests of the DynamoDB source against the official DynamoDB Local instead of
 * dynalite. Fetches it from Maven Central into node_modules/.cache (some 50 MB, once), starts it in memory on a free
 * port, runs the tests, stops it.
 *
 * Without Java or Maven it says so and succeeds; with `--require` or in CI (CI=true) that is a failure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The last release line that runs on Java 17. */
const VERSION = '2.6.1';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const MAIN = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
const TESTS = ['dist/test/sources/dynamodb/source.test.js'];
/** A JVM on a busy machine takes a while. */
const START_TIMEOUT = 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', `dynamodb-local-${VERSION}`);
const required = process.env.CI === 'true' || process.argv.includes('--require');

const missing = [['java', '-version'], ...(existsSync(cache) ? [] : [['mvn', '--version']])].filter(
  ([command, argument]) => spawnSync(command, [argument]).status !== 0,
);
if (missing.length > 0) {
  const commands = missing.map(([command]) => command).join(' and ');
  console.log(
    `${required ? 'FAILED' : 'SKIPPED'}: DynamoDB Local needs ${commands}, not found on this machine.`,
  );
  process.exit(required ? 1 : 0);
}

if (!existsSync(cache)) fetchJars();
const server = await start();
try {
  const tests = spawn(process.execPath, ['--test', ...TESTS], {
    cwd: root,
    env: { ...process.env, DYNAMODB_LOCAL_ENDPOINT: server.endpoint },
    stdio: 'inherit',
  });
  const [code] = await once(tests, 'exit');
  process.exitCode = code ?? 1;
} finally {
  await server.stop();
}

/** Complete or not there at all: an interrupted download is begun again. */
function fetchJars() {
  const folder = `${cache}.part`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dependency = `<groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version>`;
  writeFileSync(
    join(folder, 'pom.xml'),
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
      '<groupId>dynamo-csv</groupId><artifactId>dynamodb-local</artifactId><version>1</version>' +
      `<dependencies><dependency>${dependency}</dependency></dependencies></project>\n`,
  );
  console.log(`Fetching DynamoDB Local ${VERSION} from Maven Central …`);
  const maven = spawnSync('mvn', ['--quiet', '--batch-mode', COPY, '-DoutputDirectory=lib'], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (maven.status !== 0) {
    console.log('FAILED: Maven could not fetch DynamoDB Local, see above.');
    process.exit(1);
  }
  renameSync(folder, cache);
}

async function start() {
  const port = await freePort();
  const lib = join(cache, 'lib');
  const java = spawn(
    'java',
    [
      `-Djava.library.path=${lib}`,
      '-cp',
      join(lib, '*'),
      MAIN,
      '-inMemory',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [java.stdout, java.stderr]) stream.on('data', (text) => (output += text));
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT;
  while (!(await answers(endpoint))) {
    if (java.exitCode !== null || Date.now() > deadline) {
      java.kill('SIGKILL');
      console.log(`FAILED: DynamoDB Local did not start.\n${output}`);
      process.exit(1);
    }
    await delay(100);
  }
  console.log(`DynamoDB Local ${VERSION} at ${endpoint}`);
  return {
    endpoint,
    stop: async () => {
      const gone = once(java, 'exit');
      java.kill();
      await gone;
    },
  };
}

/** It answers anything, an error to a request without a signature. */
async function answers(endpoint) {
  try {
    await (await fetch(endpoint)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
