import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/base/project.js';
import { at, get, testDynamoDb, until } from '../app/world.js';
import { TEST_AWS } from '../support/aws.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const execute = promisify(execFile);

/** What a checkout has that has never been built, with the packages of this one. */
async function checkout(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const { stdout } = await execute('git', ['ls-files', '-co', '--exclude-standard'], { cwd: projectRoot });
  for (const file of stdout
    .trim()
    .split('\n')
    .filter((name) => /^(src|scripts|config)\/|^[^/]+$/.test(name)))
    await cp(join(projectRoot, file), join(folder, file));
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The package that `npm pack` makes, installed into an empty folder. */
async function installed(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const options = { cwd: await checkout(t), maxBuffer: 64e6 };
  await execute('npm', ['pack', '--pack-destination', folder], options);
  const [archive] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${archive}`];
  // A registry that does not answer at once is asked more often than npm does by itself.
  const env = { ...process.env, npm_config_fetch_retries: '5' };
  await execute('npm', install, { cwd: folder, maxBuffer: 64e6, env });
  return folder;
}

/** Starts the installed command with that Node, in `work`, as a user whose home is `home`. */
function serve(t: TestContext, node: string, installedIn: string, env: NodeJS.ProcessEnv, work: string) {
  const service = spawn(join(installedIn, 'node_modules', '.bin', 'dynamo-csv'), ['orders'], {
    cwd: work,
    // The command is a script for the first `node` of the path.
    env: { PATH: `${dirname(node)}:${process.env.PATH}`, PORT: '0', ALLOW_SQL: 'true', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => service.kill('SIGKILL'));
  return service;
}

/** This Node, and another one whose path is in `OTHER_NODE`. */
const NODES = [process.execPath, ...(process.env.OTHER_NODE ? [process.env.OTHER_NODE] : [])];

test('the package is complete: packed and installed into an empty folder, it runs without a writable home', async (t) => {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' }, 'orders');
  await database.put(table, [{ id: { N: '1' }, total: { N: '5' } }]);
  const folder = await installed(t);
  const home = join(folder, 'home');
  await mkdir(home);
  await chmod(home, 0o555);
  for (const node of NODES) {
    const work = await temporaryFolder(t);
    const env = { HOME: home, ...TEST_AWS, ...at(database.endpoint) };
    const service = serve(t, node, folder, env, work);
    const ended = once(service, 'exit');
    const url = await pageOf(createInterface(service.stdout));
    await until(url, '/csv/orders', ({ status }) => status === 200);
    assert.equal((await get(url, '/csv/orders')).text, 'id,total\n1,5\n');
    const sql = encodeURIComponent('SELECT sum(total) AS total FROM orders');
    assert.equal((await get(url, `/csv?sql=${sql}`)).text, 'total\n5\n');
    assert.match((await get(url, '/')).text, /<!doctype html>/i);
    service.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(await readdir(home), []);
    assert.deepEqual(await readdir(work), ['dynamo-csv-data']);
  }

  // What the demo needs is there, too.
  const { stdout } = await execute(join(folder, 'node_modules', '.bin', 'dynamo-csv'), ['demo', '--help']);
  assert.match(stdout, /^ {2}npx dynamo-csv demo --incident <name> /m);
  const packed = join(folder, 'node_modules', 'dynamo-csv');
  for (const name of ['dynalite', '@duckdb/node-api'])
    await readFile(join(folder, 'node_modules', name, 'package.json'));
  assert.deepEqual((await readdir(join(packed, 'dist'))).sort(), ['src', 'web']);
  const maps = (await readdir(packed, { recursive: true })).filter((name) => name.endsWith('.map'));
  assert.deepEqual(maps, []);
  await rm(home, { recursive: true });
});

/** The address of the page, once it is printed. */
async function pageOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /^Page +(http:\/\/[\d.:]+)\/$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the service ended before it printed its address');
}
