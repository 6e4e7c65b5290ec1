import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { projectRoot, version } from '../../src/base/project.js';
import { configurationFrom } from '../../src/config/config.js';
import { at, get, testDynamoDb, until } from '../app/world.js';
import { TEST_AWS } from '../support/aws.js';
import { described, page, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = join(projectRoot, 'dist', 'src', 'bin.js');

interface Run {
  readonly folder: string;
  readonly output: () => string;
  readonly errors: () => string;
  readonly exit: Promise<number | null>;
  /** What it has printed, once that is in it. */
  printed(what: RegExp): Promise<string>;
  end(): Promise<number | null>;
}

/** Runs `dynamo-csv` in an empty folder, or in that one. */
async function run(
  t: TestContext,
  args: readonly string[],
  { folder, env = {} }: { folder?: string; env?: Record<string, string> } = {},
): Promise<Run> {
  const running: { end: () => Promise<unknown> } = { end: async () => undefined };
  // Before its folder is removed.
  t.after(() => running.end());
  const cwd = folder ?? (await temporaryFolder(t));
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...TEST_AWS, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  running.end = () => {
    child.kill('SIGKILL');
    return exit;
  };
  let output = '';
  let errors = '';
  let wake: () => void = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    wake();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = exit.then(() => wake());
  return {
    folder: cwd,
    output: () => output,
    errors: () => errors,
    exit,
    async printed(what) {
      while (!what.test(output)) {
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          ended.then(() => assert.match(output, what, errors)),
        ]);
      }
      return output;
    },
    async end() {
      child.kill('SIGTERM');
      return exit;
    },
  };
}

describe('dynamo-csv', () => {
  it('reads nothing unless it is told what: it says what it can do, and ends', async (t) => {
    const { exit, output, errors, folder } = await run(t, []);
    assert.equal(await exit, 78);
    assert.match(output(), /^ {2}dynamo-csv orders sensors +publishes these tables$/m);
    assert.match(errors(), /^Nothing to read: name tables, use --all/);
    assert.deepEqual(await readdir(folder), []);
  });

  it('prints its version and its usage', async (t) => {
    const asked = await run(t, ['--version']);
    assert.equal(await asked.exit, 0);
    assert.equal(asked.output(), `${version}\n`);
    const help = await run(t, ['orders', '--help']);
    assert.equal(await help.exit, 0);
    assert.match(help.output(), /^ {6}--budget USD +/m);
    assert.equal(help.errors(), '');
  });

  const MISTAKES: readonly (readonly [args: readonly string[], line: string])[] = [
    [['--al'], 'command line: "--al" is not known; did you mean --all?'],
    [['orders', '-x'], 'command line: "-x" is not known; see dynamo-csv --help'],
    [['--all', '--budget'], 'command line: --budget needs a value; write --budget USD'],
    [['--all', '--port', '--check'], 'command line: --port needs a value; write --port PORT'],
    [['--all=yes'], 'command line: --all takes no value; write --all alone'],
    [['orders', '-p', '1', '--port', '2'], 'command line: --port is there twice; keep one'],
    [
      ['--budget', '10'],
      'command line: --budget needs --all or names of tables; add them, or set the option in the file',
    ],
    [
      ['orders', '--exclude', 'a*'],
      'command line: --exclude needs --all or a pattern; without them only the tables that you name are read',
    ],
    [
      ['orders', '--config', 'a.yaml'],
      'command line: --config and tables were given; write the tables into the file, or leave one out',
    ],
    [
      ['my table'],
      'command line: tables["my table"]: "my table" is not a DynamoDB table\'s name; write 3 to 255 letters, digits, "_", "-" or ".", or an ARN such as arn:aws:dynamodb:us-east-1:123456789012:table/orders',
    ],
    [
      ['--all', '--budget', '$10'],
      'command line: budget: "$10" is not an amount of US dollars; write it as 10',
    ],
    [
      ['--all', '--budget', '0'],
      'command line: budget: 0 is not an amount of US dollars; write a number from 0.01, such as 10 (US dollars per month)',
    ],
    [
      ['orders', '--region', 'us-east-1a'],
      'command line: tables.orders.region: "us-east-1a" is not an AWS region; write it as us-east-1',
    ],
    [
      ['orders', '--port', '80a'],
      'PORT: "80a" is not a port; write a whole number from 0 (any free port) to 65535',
    ],
    [['--init'], 'command line: --init needs --all or names of tables; add them'],
    [
      ['init'],
      'command line: "init" is an option; write --init (a table of that name goes behind --, as in: dynamo-csv -- init)',
    ],
    [
      ['orders', 'dump'],
      'command line: "dump" is a command and comes first (a table of that name goes behind --, as in: dynamo-csv -- dump)',
    ],
  ];
  for (const [args, line] of MISTAKES) {
    it(`refuses ${args.join(' ')}`, async (t) => {
      const { exit, errors, folder } = await run(t, args);
      assert.equal(await exit, 78);
      assert.equal(errors(), `${line}\n`);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  it('publishes every table, prints each with its cost, and answers what Grafana asks', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ id: 'N' }, 'orders');
    await database.createTable({ id: 'N' }, 'orders-backup');
    await database.createTable({ id: 'S' }, 'demo');
    await database.put(orders, [
      { id: { N: '1' }, total: { N: '5' } },
      { id: { N: '2' }, total: { N: '7' } },
    ]);
    const service = await run(t, ['--all', '--exclude', '*-backup'], { env: at(database.endpoint) });
    const text = await service.printed(/^Page +http/m);
    assert.match(text, /^table +items +size +every +USD\/month +CSV$/m);
    const url = /^Page +(http:\/\/[\d.:]+)\/$/m.exec(text)![1]!;
    assert.match(text, new RegExp(`^orders +\\d+ +\\d+ B +30s +< 0\\.01 +${url}/csv/orders$`, 'm'));
    assert.match(text, /^demo +0 /m);
    assert.doesNotMatch(text, /backup/);
    assert.match(text, /^Reading costs less than USD 0\.01 a month on demand; the budget is USD 5\.00\.$/m);
    await until(url, '/csv/orders', ({ status }) => status === 200);
    const { text: json } = await get(url, '/csv/orders?total__gt=5&format=json');
    assert.deepEqual(JSON.parse(json), [{ id: 2, total: 7 }]);
    assert.equal(await service.end(), 0);
    assert.deepEqual(await readdir(service.folder), ['dynamo-csv-data']);
  });

  it('names what it may not read, and ends if it may read nothing at all', async (t) => {
    const nothing = await run(t, ['--all'], { env: { AWS_REGION: '' } });
    assert.equal(await nothing.exit, 1);
    assert.match(nothing.output(), /The tables cannot be listed: no AWS region is set; set AWS_REGION/);
    const database = await testDynamoDb(t);
    await database.createTable({ id: 'N' }, 'orders');
    const service = await run(t, ['orders', 'ordrs'], { env: at(database.endpoint) });
    const text = await service.printed(/^Page +http/m);
    assert.match(text, /^ordrs +- +- +- +- +There is no table ordrs .*check the name/m);
    assert.match(text, /^orders +0 /m);
    assert.match(text, /^Reading costs /m);
    const misspelled = await run(t, ['ordrs'], { env: at(database.endpoint) });
    assert.match(
      await misspelled.printed(/^Page +http/m),
      /^None of these tables can be read now\. The service goes on trying; Ctrl-C ends it\.$/m,
    );
  });

  it('says of a table that it never reads what one poll would cost, and adds nothing for it', async (t) => {
    const database = await startScriptedDynamoDb(({ action }) =>
      action === 'ListTables'
        ? { ok: { TableNames: ['huge'] } }
        : action === 'Scan'
          ? page([1])
          : described({ items: 1e9, bytes: 1e13 }),
    );
    t.after(() => database.close());
    const service = await run(t, ['--all'], { env: at(database.endpoint) });
    const text = await service.printed(/^Page +http/m);
    assert.match(
      text,
      /^huge +1,000,000,000 +9\.1 TB +- +0\.00 +DynamoDB table huge is not read: one poll costs/m,
    );
    assert.match(text, /^Reading costs less than USD 0\.01 a month on demand; the budget is USD 5\.00\.$/m);
  });

  it('takes -- before a table with the name of a command', async (t) => {
    const database = await testDynamoDb(t);
    await database.createTable({ id: 'N' }, 'demo');
    const service = await run(t, ['--', 'demo'], { env: at(database.endpoint) });
    assert.match(await service.printed(/^Page +http/m), /^demo +0 .*\/csv\/demo$/m);
  });

  it('runs what a file of its own in the working directory says', async (t) => {
    const database = await testDynamoDb(t);
    await database.createTable({ id: 'N' }, 'orders');
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'dynamo-csv.yaml'), 'tables: { orders: { as: sales } }\n');
    const check = await run(t, ['--check'], { folder, env: at(database.endpoint) });
    assert.equal(await check.exit, 0);
    assert.match(check.output(), /^sales +table orders/m);
  });
});

describe('dynamo-csv --init', () => {
  it('writes a file that the service takes, with what fits each table as comments', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ id: 'N' }, 'orders');
    await database.put(orders, [
      {
        id: { N: '1' },
        created_at: { S: '2026-11-24T09:30:00Z' },
        updated: { N: '1795512600' },
        started: { N: '1795512600000' },
        expires: { N: '1795599000' },
        duration: { N: '1795512600' },
        price: { S: '12.50' },
        address: { M: { city: { S: 'Seoul' } } },
        'a: b #- c': { S: '1' },
        'two\nlines': { S: '1' },
      },
    ]);
    for (const name of ['null', '123', '1e3', 'true', '-a-', '.hidden.csv', 'Orders'])
      await database.createTable({ id: 'N' }, name);
    const env = at(database.endpoint);
    const { exit, output, errors, folder } = await run(t, ['--all', '--budget', '7', '--init'], { env });
    assert.equal(await exit, 0, errors());
    assert.equal(
      output(),
      'Wrote dynamo-csv.yaml with 8 tables. Start with: npx dynamo-csv --config dynamo-csv.yaml\n',
    );
    const file = join(folder, 'dynamo-csv.yaml');
    const config = await configurationFrom({ env: {}, file, check: false });
    assert.deepEqual(config.tables.map(({ table }) => table).sort(), [
      '-a-',
      '.hidden.csv',
      '123',
      '1e3',
      'Orders',
      'null',
      'orders',
      'true',
    ]);
    assert.equal(config.budget, 7);
    assert.equal(config.dataDir, join(folder, 'dynamo-csv-data'));
    const text = await readFile(file, 'utf8');
    assert.match(text, /^ {2}orders:\n {4}as: orders-[0-9a-f]{8}\n( {4}# .+\n)+/m);
    assert.match(text, /^ {4}# time: created_at # .+\n {4}# time: started # .+\n {4}# time: updated # /m);
    assert.doesNotMatch(text, /time: (expires|duration)/, 'an end or a number of anything is not suggested');
    assert.match(text, /^ {4}# types: \{ price: number, .* \}$/m);
    assert.match(text, /^ {4}# expand: true/m);

    // Every suggestion is an option that the service knows.
    const block = /^ {2}orders:\n(?: {4}.+\n)+/m.exec(text)![0];
    const options = block.split('\n').filter((line) => /^ {4}# (changes|time|types|expand):/.test(line));
    assert.equal(options.length, 6);
    for (const option of options) {
      const used = text.replace(option, option.replace('# ', ''));
      await writeFile(file, used);
      await configurationFrom({ env: {}, file, check: false });
    }
    await writeFile(file, text.replaceAll(/^ {4}# changes: /gm, '    changes: '));
    const { tables } = await configurationFrom({ env: {}, file, check: false });
    assert.ok(tables.every(({ changes }) => changes === true));

    const again = await run(t, ['--all', '--init'], { folder, env });
    assert.equal(await again.exit, 1);
    assert.equal(
      again.errors(),
      'dynamo-csv.yaml exists already; remove it, or name another file by --config\n',
    );
  });

  it('says which tables cannot be read, and writes nothing if none can', async (t) => {
    const database = await testDynamoDb(t);
    await database.createTable({ id: 'N' }, 'orders');
    const env = at(database.endpoint);
    const some = await run(t, ['orders', 'ordrs', '--init'], { env });
    assert.equal(await some.exit, 0, some.errors());
    assert.match(some.output(), /^Wrote dynamo-csv\.yaml with 1 table; 1 table cannot be read, see there\./);
    const text = await readFile(join(some.folder, 'dynamo-csv.yaml'), 'utf8');
    assert.match(text, /^ {2}# ordrs cannot be read: There is no table ordrs .+\n {2}# ordrs:\n/m);
    const none = await run(t, ['ordrs', '--init'], { env });
    assert.equal(await none.exit, 1);
    assert.match(
      none.errors(),
      /^None of the tables can be read, so nothing was written\. There is no table/,
    );
    assert.deepEqual(await readdir(none.folder), []);
  });
});
