import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import { projectRoot } from '../../src/base/project.js';
import { testDynamoDb } from '../app/world.js';
import { TEST_AWS } from '../support/aws.js';
import { type PageServer, type PageServerOptions, startPageServer } from '../support/page-server.js';
import { described, page, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

const environment = (endpoint: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  ...TEST_AWS,
  AWS_ENDPOINT_URL_DYNAMODB: endpoint,
});

/** Starts `dynamo-csv dump` as a user does. */
function start(t: TestContext, endpoint: string, args: readonly string[], cwd?: string): Running {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/bin.js'), 'dump', ...args], {
    cwd,
    env: environment(endpoint),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, ...texts }));
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { process: child, ended };
}

const dump = (t: TestContext, endpoint: string, args: readonly string[], cwd?: string) =>
  start(t, endpoint, args, cwd).ended;

async function pages(t: TestContext, options: PageServerOptions): Promise<PageServer> {
  const server = await startPageServer(options);
  t.after(() => server.close());
  return server;
}

/** Milliseconds before each page of a table whose dump is interrupted: all of it would take more than a minute. */
const SLOW = 1_000;

/** Resolves as soon as an interrupted dump could be continued: the first rows are committed. Rejects if it ends before. */
async function committed(output: string, { ended }: Running): Promise<void> {
  const progress = `${output}.part.json`;
  const watching = new AbortController();
  const watcher = watch(dirname(output), { signal: watching.signal });
  const early = ended.then(({ stderr }) => Promise.reject(new Error(`it ended before: ${stderr}`)));
  early.catch(() => undefined);
  while (!existsSync(progress)) await Promise.race([once(watcher, 'change'), early]);
  watching.abort();
}

const ORDERS: readonly Record<string, AttributeValue>[] = [
  {
    id: { S: 'a' },
    n: { N: '1' },
    price: { N: '12345678901234567890.5' },
    note: { S: 'x,"y"\nz' },
    open: { BOOL: true },
  },
  { id: { S: 'b' }, n: { N: '-2' }, note: { S: '' }, tags: { L: [{ S: 'q' }] } },
  { id: { S: 'ç' }, n: { N: '30' }, price: { N: '7' }, open: { BOOL: false } },
];

async function orders(t: TestContext) {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'S' });
  await database.put(table, ORDERS);
  return { endpoint: database.endpoint, table, folder: await temporaryFolder(t) };
}

const records = (text: string) =>
  (parse(text, { columns: true }) as Record<string, string>[]).sort((a, b) => (a.id! < b.id! ? -1 : 1));

test('a table is written to standard output, complete, with every digit', async (t) => {
  const { endpoint, table } = await orders(t);
  const { code, stdout, stderr } = await dump(t, endpoint, [table]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^id,n,note,open,price,tags\n/);
  assert.deepEqual(records(stdout), [
    { id: 'a', n: '1', note: 'x,"y"\nz', open: 'true', price: '12345678901234567890.5', tags: '' },
    { id: 'b', n: '-2', note: '', open: '', price: '', tags: '["q"]' },
    { id: 'ç', n: '30', note: '', open: 'false', price: '7', tags: '' },
  ]);
  // After a line every five seconds.
  assert.match(stderr, /^.+: 3 items, 1\d\d B, [\d.]+ read units? in [\d.]+ s\n$/m);
});

test('the same rows are a CSV, a JSON and a Parquet file, by the name of the file', async (t) => {
  const { endpoint, table, folder } = await orders(t);
  for (const name of ['o.csv', 'o.json', 'o.parquet', 'o.txt']) {
    const { code, stdout, stderr } = await dump(t, endpoint, [table, '-o', name, '--quiet'], folder);
    assert.deepEqual([code, stdout, stderr], [0, '', ''], name);
  }
  assert.deepEqual((await readdir(folder)).sort(), ['o.csv', 'o.json', 'o.parquet', 'o.txt']);
  const csv = await readFile(join(folder, 'o.csv'), 'utf8');
  assert.equal(await readFile(join(folder, 'o.txt'), 'utf8'), csv);
  const json = JSON.parse(await readFile(join(folder, 'o.json'), 'utf8')) as Record<string, unknown>[];
  assert.deepEqual(json.map(({ id, n, note, open }) => [id, n, note, open]).sort(), [
    ['a', 1, 'x,"y"\nz', true],
    ['b', -2, '', null],
    ['ç', 30, null, false],
  ]);
  const connection = await (await DuckDBInstance.create()).connect();
  const path = join(folder, 'o.parquet');
  const answer = await connection.runAndReadAll(`SELECT id, n, price, open FROM '${path}' ORDER BY n`);
  assert.deepEqual(answer.getRowsJson(), [
    ['b', '-2', null, null],
    ['a', '1', '12345678901234567890.5', true],
    ['ç', '30', '7', false],
  ]);
  connection.closeSync();
});

test('only rows that pass every filter, and only the columns asked for', async (t) => {
  const { endpoint, table } = await orders(t);
  const rows = async (...args: string[]) => (await dump(t, endpoint, [table, '-q', ...args])).stdout;
  assert.equal(await rows('--where', 'n__gt=0', '--where', 'open=true', '--columns', 'n,id'), 'n,id\n1,a\n');
  assert.equal(await rows('--where', 'note__isnull=false', '--columns', 'id', '--where', 'n=-2'), 'id\nb\n');
  assert.equal(await rows('--where', 'n=7', '--format', 'json'), '[]\n');
});

const PLACES: readonly Record<string, AttributeValue>[] = [
  {
    id: { S: 'a' },
    address: { M: { city: { S: 'Bern' }, 'zip.code': { S: '3000' }, geo: { M: { lat: { N: '46.9' } } } } },
    tags: { L: [{ S: 'x' }, { S: 'y' }] },
    price: { N: '10' },
    'a,b': { N: '1' },
  },
  {
    id: { S: 'b' },
    address: { M: { city: { S: 'Basel' }, geo: { M: { lat: { N: '47.5' } } } } },
    price: { N: '9.5' },
  },
  { id: { S: 'c' }, address: { S: 'unknown' }, 'own.name': { S: 'Bern' }, price: { S: 'N/A' } },
  { id: { S: 'd' }, price: { N: '-2' } },
];

async function places(t: TestContext) {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'S' });
  await database.put(table, PLACES);
  /** Header and rows, in the order of their first column: a Scan has none. */
  const rows = async (...args: string[]) => {
    const { stdout, stderr } = await dump(t, database.endpoint, [table, '-q', ...args]);
    const [header = '', ...lines] = stdout.trimEnd().split('\n');
    return `${[header, ...lines.sort()].join('\n')}\n${stderr}`;
  };
  return { database, table, rows };
}

test('paths into maps and lists are columns and filters, as in the configuration file', async (t) => {
  const { rows } = await places(t);
  assert.equal(
    await rows('--columns', 'id,address.city,tags[1],address."zip.code"', '--where', 'tags[1]=y'),
    'id,address.city,tags[1],"address.""zip.code"""\na,Bern,y,3000\n',
  );
  const whole = await rows('--where', 'address.city=Basel');
  assert.match(
    whole,
    /^id,"a,b",address,own\.name,price,tags\nb,/,
    'a path that is filtered by is no column',
  );
  assert.equal(whole.trimEnd().split('\n').length, 2);
  assert.equal(await rows('--where', 'address.geo.lat__gt=47', '--columns', 'id'), 'id\nb\n');
  assert.equal(
    await rows('--where', 'where.address.city__in=Bern,Basel', '--columns', 'price'),
    'price\n10\n9.5\n',
  );
  assert.equal(
    await rows('--where', '"own.name"=Bern', '--columns', '"own.name",id'),
    'own.name,id\nBern,c\n',
  );
  assert.equal(await rows('--columns', '"a,b"', '--where', 'id=a'), '"a,b"\n1\n');
  assert.match(await rows('--columns', 'address.town'), /No item of .* has "address\.town"/);
});

test('a name that the first items lack is said at once; a later item may have it', async (t) => {
  let goOn: () => void = () => undefined;
  const isSaid = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  // While a page becomes rows, the next one is on its way.
  const pagesOf = (last: unknown) =>
    last === undefined ? 1 : Number((last as { id: { N: string } }).id.N) + 1;
  const database = await startScriptedDynamoDb(async ({ action, body }) => {
    if (action === 'DescribeTable') return described();
    const next = pagesOf(body.ExclusiveStartKey);
    if (next < 3) return page([next], { more: true });
    // The rest is read only after the user could see it.
    await isSaid;
    return page([{ id: { N: '3' }, rare: { S: 'x' } }]);
  });
  t.after(() => database.close());
  const args = ['orders', '-q', '--columns', 'id,rare', '--max-capacity', '1000000'];
  const running = start(t, database.endpoint, args);
  const [text] = (await once(running.process.stderr!, 'data')) as [string];
  const sentence = (names: string) =>
    `No item of the first 2 has ${names}. Reading goes on, since a later one may; Ctrl-C ends it.\n`;
  assert.equal(text, sentence('"rare"'));
  goOn();
  const { code, stdout } = await running.ended;
  assert.deepEqual([code, stdout], [0, 'id,rare\n1,\n2,\n3,x\n']);

  const wrong = ['orders', '-q', '--columns', 'ids,rare', '--where', 'state__in=a,b', '--max-capacity'];
  const { code: failed, stderr } = await dump(t, database.endpoint, [...wrong, '1000000']);
  assert.equal(failed, 1);
  assert.ok(stderr.startsWith(sentence('"ids" (did you mean "id"?), "rare", "state"')), stderr);
  assert.match(stderr, /No item of orders has "ids"; correct --columns\n/);
});

test('a path and an attribute of that name are told apart, or refused', async (t) => {
  const { database, table, rows } = await places(t);
  await database.put(table, [{ id: { S: 'e' }, 'address.city': { S: 'Thun' } }]);
  assert.match(
    await rows('--where', 'address.city=Bern', '--max-capacity', '1'),
    /The (attribute|path) "address\.city" and the (attribute|path) "address\.city" of table .*; write the attribute in double quotes/,
  );
  assert.equal(await rows('--where', '"address.city"=Thun', '--columns', 'id'), 'id\ne\n');
});

test('one odd value does not make a column of numbers text', async (t) => {
  const { database, table, rows } = await places(t);
  assert.equal(await rows('--where', 'price__gt=5', '--columns', 'id,price'), 'id,price\na,10\nb,9.5\n');
  const { stdout } = await dump(t, database.endpoint, [
    table,
    '-q',
    '--format',
    'json',
    '--columns',
    'price',
  ]);
  const json = JSON.parse(stdout) as { price: unknown }[];
  assert.deepEqual(json.map(({ price }) => price).sort(), [-2, 10, 9.5, 'N/A']);
});

test('more columns than DynamoDB takes in an expression are read', async (t) => {
  const names = Array.from({ length: 1_000 }, (_, i) => `c${i}`);
  const item = Object.fromEntries([['id', { N: '1' }], ...names.map((name) => [name, { N: '7' }])]);
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
  const database = await startScriptedDynamoDb(({ action, body }) => {
    if (action === 'DescribeTable') return described();
    return String(body.ProjectionExpression ?? '').length > 4_096
      ? { error: 'ValidationException', message: 'Expression size has exceeded the maximum allowed size' }
      : page([item]);
  });
  t.after(() => database.close());
  const args = ['orders', '-q', '--columns', names.join(',')];
  const { stdout, stderr } = await dump(t, database.endpoint, args);
  assert.equal(stderr, '');
  assert.equal(stdout, `${names.join(',')}\n${names.map(() => '7').join(',')}\n`);
});

test('a table without items is its key', async (t) => {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ device: 'S', at: 'N' });
  const folder = await temporaryFolder(t);
  assert.equal((await dump(t, database.endpoint, [table])).stdout, 'device,at\n');
  await dump(t, database.endpoint, [table, '-o', 'o.csv'], folder);
  assert.equal(await readFile(join(folder, 'o.csv'), 'utf8'), 'device,at\n');
  await dump(t, database.endpoint, [table, '-o', 'o.parquet'], folder);
  const connection = await (await DuckDBInstance.create()).connect();
  const answer = await connection.runAndReadAll(`SELECT count(*)::INT FROM '${join(folder, 'o.parquet')}'`);
  assert.deepEqual(answer.getRowsJson(), [[0]]);
  connection.closeSync();
});

test('a table that is large enough for several threads is the same table', async (t) => {
  const options = { items: 20_000, pageBytes: 20_000 };
  const small = await pages(t, options);
  const large = await pages(t, { ...options, tableBytes: 1e9 });
  const folder = await temporaryFolder(t);
  const args = [large.table, '-o', 'o.csv', '-q', '--segments', '40'];
  const { code, stderr } = await dump(t, large.endpoint, args, folder);
  assert.deepEqual([code, stderr], [0, '']);
  const { stdout } = await dump(t, small.endpoint, [small.table, '-q', '--segments', '1']);
  const sorted = (text: string) => text.split('\n').sort();
  assert.deepEqual(sorted(await readFile(join(folder, 'o.csv'), 'utf8')), sorted(stdout));
});

test('columns that appear late are in the header, and every cell is below its own', async (t) => {
  const server = await pages(t, { items: 80, attributes: 'own', pageBytes: 10_000 });
  // Limited, each page is a chunk of its own.
  const { stdout, code } = await dump(t, server.endpoint, [server.table, '-q', '--max-capacity', '1000000']);
  assert.equal(code, 0);
  const rows = parse(stdout, { columns: true }) as Record<string, string>[];
  assert.equal(rows.length, 80);
  for (const { taxi_id, ...cells } of rows) {
    const own = Object.entries(cells).filter(([, cell]) => cell !== '');
    assert.deepEqual(
      own,
      Array.from({ length: 50 }, (_, i) => [
        `u-${String(Number(taxi_id) * 50 + i).padStart(5, '0')}`,
        String(i),
      ]),
    );
  }
});

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`a dump that ${signal} ends is continued by the same command, and is the table`, async (t) => {
    const server = await pages(t, { items: 20_000, pageBytes: 20_000, latency: SLOW });
    const folder = await temporaryFolder(t);
    const args = [server.table, '-o', 'o.csv', '--max-capacity', '1000000', '--segments', '3'];
    const first = start(t, server.endpoint, args, folder);
    await committed(join(folder, 'o.csv'), first);
    first.process.kill(signal);
    const { code, stderr } = await first.ended;
    assert.equal(code, signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT')
      assert.match(
        stderr,
        /Interrupted after [\d,]+ items, .* kept in .*o\.csv\.part\. The same command continues from there\.\n$/,
      );
    assert.deepEqual((await readdir(folder)).filter((name) => !name.startsWith('.')).sort(), [
      'o.csv.part',
      'o.csv.part.json',
    ]);
    await server.setLatency(0);
    const second = await dump(t, server.endpoint, args, folder);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /^Continuing: [\d,]+ items, .* are there already\n/);
    assert.deepEqual(await readdir(folder), ['o.csv']);
    const whole = await dump(t, server.endpoint, [server.table, '-q', '--segments', '64']);
    const sorted = (text: string) => text.split('\n').sort();
    assert.deepEqual(sorted(await readFile(join(folder, 'o.csv'), 'utf8')), sorted(whole.stdout));
    assert.equal(sorted(whole.stdout).length, 20_002);
  });
}

test('an interrupted dump to standard output says that it cannot be continued', async (t) => {
  const server = await pages(t, { items: 20_000, pageBytes: 20_000, latency: SLOW });
  const running = start(t, server.endpoint, [server.table, '--segments', '1']);
  await once(running.process.stderr!, 'data');
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  assert.deepEqual([code, stdout], [130, '']);
  assert.match(stderr, /cannot be continued; name a file with -o for that\.\n$/);
});

test('other options do not continue a dump; --restart begins again', async (t) => {
  const server = await pages(t, { items: 20_000, pageBytes: 20_000, latency: SLOW });
  const folder = await temporaryFolder(t);
  const args = [server.table, '-o', 'o.csv', '--max-capacity', '1000000', '--segments', '2'];
  const first = start(t, server.endpoint, args, folder);
  await committed(join(folder, 'o.csv'), first);
  first.process.kill('SIGINT');
  await first.ended;
  await server.setLatency(0);
  const other = await dump(t, server.endpoint, [...args, '--columns', 'taxi_id'], folder);
  assert.equal(other.code, 1);
  assert.match(
    other.stderr,
    /was begun with other columns in --columns, .*; run it with the options .* --restart to begin again\n/,
  );
  const again = await dump(t, server.endpoint, [...args, '--columns', 'taxi_id', '--restart', '-q'], folder);
  assert.deepEqual([again.code, again.stderr], [0, '']);
  assert.match(await readFile(join(folder, 'o.csv'), 'utf8'), /^taxi_id\n/);
});

test('what an interrupted dump left, damaged, is an error with a way out', async (t) => {
  const { endpoint, table, folder } = await orders(t);
  await writeFile(join(folder, 'o.csv.part.json'), '{"version"');
  await writeFile(join(folder, 'o.csv.part'), '');
  const { code, stderr } = await dump(t, endpoint, [table, '-o', 'o.csv'], folder);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot continue from .*o\.csv\.part\.json: .*; add --restart to begin again\n/);
  assert.equal((await dump(t, endpoint, [table, '-o', 'o.csv', '--restart'], folder)).code, 0);
});

test('a wrong filter or column is found after reading, which is not lost', async (t) => {
  const { endpoint, table, folder } = await orders(t);
  const wrong = await dump(t, endpoint, [table, '-o', 'o.csv', '--where', 'prise__gt=1'], folder);
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stderr,
    /prise__gt: there is no such column or parameter in .*; did you mean price__gt\?\n/,
  );
  const right = await dump(t, endpoint, [table, '-o', 'o.csv', '--where', 'price__gt=10'], folder);
  assert.match(right.stderr, /^Continuing: 3 items/);
  assert.deepEqual(
    records(await readFile(join(folder, 'o.csv'), 'utf8')).map(({ id }) => id),
    ['a'],
  );
});

test('a missing table and a file that cannot be written are errors in one sentence, and leave nothing', async (t) => {
  const { endpoint, table, folder } = await orders(t);
  const missing = await dump(t, endpoint, ['no-such-table', '-o', 'o.csv'], folder);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^dynamo-csv: .*no-such-table.*\n$/);
  const nowhere = await dump(t, endpoint, [table, '-o', join(folder, 'none', 'o.csv')]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /^dynamo-csv: Cannot write .*o\.csv: ENOENT.*; create its folder, .*\n$/);
  const itself = await dump(t, endpoint, [table, '-o', folder]);
  assert.equal(itself.code, 1);
  assert.match(itself.stderr, /^dynamo-csv: Cannot write .*: it is a folder; name a file in it\n$/);
  assert.deepEqual(await readdir(folder), []);
});

test('it ends without a word when its reader does', async (t) => {
  const server = await pages(t, { items: 20_000 });
  const running = start(t, server.endpoint, [server.table, '-q']);
  running.process.stdout!.once('data', () => running.process.stdout!.destroy());
  const closed = await running.ended;
  assert.deepEqual([closed.code, closed.stderr], [141, '']);
});

test('a dump that a full disk ends is continued when there is room, and is the table', async (t) => {
  const server = await pages(t, { items: 20_000, pageBytes: 20_000 });
  const folder = await temporaryFolder(t);
  // The limit of a file's size stands for a disk that is full.
  const program = [process.execPath, join(projectRoot, 'dist/src/bin.js'), 'dump', server.table];
  const script = `ulimit -f 1000; exec ${program.join(' ')} -o o.csv`;
  const full = spawnSync('sh', ['-c', script], { cwd: folder, env: environment(server.endpoint) });
  const stderr = String(full.stderr);
  assert.equal(full.status, 1, stderr);
  assert.match(stderr, /^dynamo-csv: Cannot write .*o\.csv\.part: EFBIG/);
  assert.match(stderr, /Not complete after [\d,]+ items, .*The same command continues from there\.\n$/);
  const second = await dump(t, server.endpoint, [server.table, '-o', 'o.csv'], folder);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, /^Continuing: /);
  const whole = await dump(t, server.endpoint, [server.table, '-q']);
  const sorted = (text: string) => text.split('\n').sort();
  assert.deepEqual(sorted(await readFile(join(folder, 'o.csv'), 'utf8')), sorted(whole.stdout));
});

test('mistakes on the command line are told together, before anything is read', async (t) => {
  const args = ['a', 'b', '--fromat', 'csv', '--format', 'xls', '--where', 'x', '--segments', 'many'];
  const { code, stderr } = await dump(t, 'http://127.0.0.1:9', args);
  assert.equal(code, 78);
  assert.deepEqual(stderr.trim().split('\n').sort(), [
    'dump: --format: there is no format "xls"; write one of csv, json, parquet',
    'dump: --fromat is not known; did you mean --format?',
    'dump: --segments: "many" is not a whole number from 1 to 1000000',
    'dump: --where: "x" is not a filter; write status=open or price__gt=5',
    'dump: name one table; each dump has one',
  ]);
  const lacking = await dump(t, 'http://127.0.0.1:9', ['a', '--region', '-o', 'o.csv', '--colums', 'b']);
  assert.deepEqual(lacking.stderr.trim().split('\n').sort(), [
    'dump: --colums is not known; did you mean --columns?',
    'dump: --region needs a value',
  ]);
  const help = await dump(t, 'http://127.0.0.1:9', ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Writes one DynamoDB table to a file/);
});
