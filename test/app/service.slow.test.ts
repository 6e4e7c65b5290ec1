import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { described, page, type ScriptedAnswer, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { at, get, put, testDynamoDb, until } from './world.js';

/** An endpoint at which nobody answers. */
const NOWHERE = { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' };

const isListening = ({ msg }: { msg: string }) => msg === 'listening';

describe('the service', () => {
  it('prints what the command line knows, whatever the configuration is, and starts nothing', async (t) => {
    for (const argument of ['--help', '-h']) {
      const service = await startService(t, { config: 'tables: [', args: [argument] });
      assert.equal((await service.exit).code, 0);
      assert.match(service.output(), /npm start -- --check .*\n.*--help/);
      assert.equal(service.errors(), '');
      await assert.rejects(readdir(service.dataDir));
    }
  });

  it('serves what a table has, and says where it listens and where its data is', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'N' });
    await database.put(table, [{ id: { N: '10' }, name: { S: 'a' } }, { id: { N: '9' } }]);
    const service = await startService(t, {
      config: `tables: { ${table}: { interval: 200ms } }`,
      env: at(database.endpoint),
    });
    const url = await service.url;
    const { url: logged, dataDir } = await service.logged(isListening);
    assert.deepEqual([logged, dataDir], [url, service.dataDir]);
    await until(url, '/readyz', ({ status }) => status === 200);
    const { text, headers } = await get(url, `/csv/${table}`);
    assert.equal(text, 'id,name\n9,\n10,a\n');
    assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
    await put(database.endpoint, table, { id: { N: '11' } });
    await until(url, `/csv/${table}`, ({ text }) => text.endsWith('11,\n'));
    // On a busy machine a poll may well take three such intervals: it is fresh again after the next.
    const row = new RegExp(`^${table},snapshot,fresh,3,`, 'm');
    await until(url, '/csv/collector', ({ text }) => row.test(text));
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    // Items are shown before they are on the volume; the end waits for that.
    assert.equal(await readFile(join(service.dataDir, `${table}.csv`), 'utf8'), 'id,name\n9,\n10,a\n11,\n');
  });

  it('serves what the volume has before any poll, with its age, after kill -9 too', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'N' });
    await database.put(table, [{ id: { N: '1' }, count: { N: '5' } }]);
    const config = `tables: { ${table}: { log: true, changes: true, interval: 200ms } }`;
    const first = await startService(t, { config, env: at(database.endpoint) });
    const { dataDir } = first;
    await until(await first.url, `/csv/${table}`, ({ text }) => text.split('\n').length > 3);
    await first.end('SIGKILL');
    const second = await startService(t, { config, dataDir, env: NOWHERE });
    const url = await second.url;
    const { text, status, headers } = await get(url, `/csv/${table}`);
    assert.equal(status, 200);
    assert.match(text, /^id,count,timestamp\n(1,5,\d{4}-\d\d-\d\dT[\d:.]+Z\n){2,}$/);
    assert.ok(Number(headers.get('age')) >= 0);
    assert.match((await get(url, `/csv/${table}-changes`)).text, /\ninsert,1,5,,,/);
    await second.logged(({ level, code }) => level === 'warn' && code === 'DYNAMODB_UNREACHABLE');
    assert.equal((await get(url, '/readyz')).status, 200);
    assert.equal((await get(url, `/csv/${table}`)).text, text);
    assert.equal((await second.end()).code, 0);
  });

  it('keeps a log aside that the configuration makes a snapshot, and says where', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'N' });
    await database.put(table, [{ id: { N: '1' }, count: { N: '5' } }]);
    const env = at(database.endpoint);
    const first = await startService(t, { config: `tables: { ${table}: { log: true, interval: 1h } }`, env });
    const { dataDir } = first;
    await first.logged(({ msg }) => msg === 'first poll');
    assert.equal((await first.end()).code, 0);
    const log = await readFile(join(dataDir, `${table}.csv`), 'utf8');
    assert.match(log, /^id,count,timestamp\n1,5,.*Z\n$/);
    const second = await startService(t, { config: `tables: { ${table}: { interval: 1h } }`, dataDir, env });
    const { keptAt } = await second.logged(({ level, dataset }) => level === 'warn' && dataset === table);
    await until(await second.url, `/csv/${table}`, ({ text }) => text === 'id,count\n1,5\n');
    assert.equal(keptAt, join(dataDir, 'taken-over', `${table}.csv`));
    assert.equal(await readFile(String(keptAt), 'utf8'), log);
    assert.equal((await second.end()).code, 0);
  });

  it('takes over a folder of the Python script, and goes on with it', async (t) => {
    const database = await testDynamoDb(t);
    await database.createTable({ counter_type: 'S' }, 'flag-dynamodb');
    await database.put('flag-dynamodb', [{ counter_type: { S: 'pickup' }, count: { N: '7' } }]);
    const dataDir = await temporaryFolder(t);
    const script =
      'counter_type,count,timestamp\npickup,5,2025-02-14 09:30:00\npickup,6,2025-02-14 09:30:30\n';
    await writeFile(join(dataDir, 'flag-dynamodb.csv'), script);
    const config = 'tables: { flag-dynamodb: { as: flags, log: true, changes: true, interval: 1h } }';
    const service = await startService(t, { config, dataDir, env: at(database.endpoint) });
    const url = await service.url;
    await service.logged(({ msg, rows }) => msg === "took over the Python script's file" && rows === 2);
    await service.logged(({ msg }) => msg === 'first poll');
    assert.equal(await readFile(join(dataDir, 'taken-over', 'flag-dynamodb.csv'), 'utf8'), script);
    const last = await get(url, '/csv/flags?from=2025-01-01&columns=counter_type,count,timestamp');
    const lines = last.text.trim().split('\n');
    assert.deepEqual(lines.slice(0, 3), [
      'counter_type,count,timestamp',
      'pickup,5,2025-02-14T09:30:00.000Z',
      'pickup,6,2025-02-14T09:30:30.000Z',
    ]);
    assert.match(lines[3]!, /^pickup,7,20/);
    const changes = await get(url, '/csv/flags-changes?from=2025-01-01&columns=change,count,previous_count');
    assert.equal(changes.text, 'change,count,previous_count\ninsert,5,\nupdate,6,5\nupdate,7,6\n');
    await service.end();
    assert.ok(!(await readdir(dataDir)).includes('flag-dynamodb.csv'));
  });

  it('ends with 0 in time while a poll waits for DynamoDB, and frees the volume', async (t) => {
    let scans = 0;
    const never = await startScriptedDynamoDb(({ action }) => {
      if (action === 'DescribeTable') return described();
      scans += 1;
      return new Promise(() => undefined);
    });
    t.after(() => never.close());
    const service = await startService(t, { config: 'tables: { slow: {} }', env: at(never.endpoint) });
    await service.url;
    while (scans === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    assert.equal(service.lines.at(-1)?.msg, 'stopped');
    assert.equal(await readFile(join(service.dataDir, '.dynamo-csv', 'lock'), 'utf8'), '');
  });

  it('never writes the token into its log', async (t) => {
    const env = { ...NOWHERE, API_TOKEN: 'c2VjcmV0LXRva2Vu', LOG_LEVEL: 'trace' };
    const service = await startService(t, { config: 'tables: { abc: {} }', env });
    const url = await service.url;
    assert.equal((await get(url, '/datasets')).status, 401);
    const authorization = 'Bearer c2VjcmV0LXRva2Vu';
    assert.equal((await get(url, '/datasets', { authorization })).status, 200);
    assert.equal((await get(url, '/csv/abc', { authorization })).status, 503);
    await service.end();
    assert.ok(!(service.output() + service.errors()).includes('c2VjcmV0LXRva2Vu'));
  });
});

describe('a start that fails', () => {
  const oneLine = (service: { readonly output: () => string }) => {
    const lines = service.output().trim().split('\n');
    assert.equal(lines.length, 1, service.output());
    return JSON.parse(lines[0]!) as { level: string; code: string; msg: string };
  };

  it('on a volume that is in use says by whom, in one line', async (t) => {
    const config = 'tables: { abc: {} }';
    const first = await startService(t, { config, env: NOWHERE });
    await first.url;
    const second = await startService(t, { config, dataDir: first.dataDir, env: NOWHERE });
    assert.deepEqual(await second.exit, { code: 1, signal: null });
    const { level, code, msg } = oneLine(second);
    assert.deepEqual([level, code], ['fatal', 'VOLUME_HELD']);
    assert.ok(msg.includes(`in use by process ${first.process.pid} on host ${hostname()}, since 20`), msg);
    assert.equal((await get(await first.url, '/healthz')).status, 200);
  });

  it('on a port that is taken says so, in one line', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const env = { ...NOWHERE, PORT: String(port) };
    const service = await startService(t, { config: 'tables: { abc: {} }', env });
    assert.equal((await service.exit).code, 1);
    assert.equal(
      oneLine(service).msg,
      `Another program listens on 127.0.0.1 port ${port}; stop it, or set PORT to another port`,
    );
  });

  it('on a history of another time zone says which, with the exit code of a configuration', async (t) => {
    const dataDir = await temporaryFolder(t);
    await mkdir(join(dataDir, 'history'));
    await writeFile(join(dataDir, 'history', 'time-zone'), 'America/New_York\n');
    const service = await startService(t, { config: 'tables: { abc: {} }', dataDir, env: NOWHERE });
    assert.equal((await service.exit).code, 78);
    assert.match(oneLine(service).msg, /days of the time zone America\/New_York, but timeZone is UTC; set/);
  });

  it('on a folder that cannot be one says so, in one line', async (t) => {
    const dataDir = join(await temporaryFolder(t), 'file');
    await writeFile(dataDir, '');
    const service = await startService(t, { config: 'tables: { abc: {} }', dataDir, env: NOWHERE });
    assert.equal((await service.exit).code, 1);
    assert.equal(oneLine(service).code, 'VOLUME_NOT_A_FOLDER');
  });

  it('on a wrong configuration names all mistakes and touches nothing', async (t) => {
    const dataDir = join(await temporaryFolder(t), 'data');
    const config = 'tables: { abc: { interval: 30 sec, colums: [a] } }';
    const service = await startService(t, { config, dataDir, env: { ...NOWHERE, PORT: '80a' } });
    assert.equal((await service.exit).code, 78);
    assert.deepEqual(
      service
        .errors()
        .trim()
        .split('\n')
        .map((line) => line.replace(/^.*config\.yaml/, 'FILE')),
      [
        'FILE: tables.abc.interval: "30 sec" is not a duration; write it as 30s (line 1)',
        'FILE: tables.abc.colums: there is no such option; did you mean columns? (line 1)',
        'PORT: "80a" is not a port; write a whole number from 0 (any free port) to 65535',
      ],
    );
    assert.equal(service.output(), '');
    await assert.rejects(readdir(dataDir));
  });
});

describe('what goes wrong', () => {
  it('with one table reaches no other: missing, throttled, silent', async (t) => {
    const answers: Record<string, () => ScriptedAnswer | Promise<ScriptedAnswer>> = {
      good: () => page([1]),
      missing: () => ({ error: 'ResourceNotFoundException', message: 'Requested resource not found' }),
      throttled: () => ({ error: 'ThrottlingException', message: 'Rate exceeded' }),
      silent: () => new Promise(() => undefined),
    };
    const dynamoDb = await startScriptedDynamoDb(({ action, body }) =>
      action === 'DescribeTable' ? described() : answers[String(body.TableName)]!(),
    );
    t.after(() => dynamoDb.close());
    const tables = Object.keys(answers).map((name) => `  ${name}: { interval: 200ms }`);
    const config = `tables:\n${tables.join('\n')}\n`;
    const env = { ...at(dynamoDb.endpoint), AWS_MAX_ATTEMPTS: '1' };
    const service = await startService(t, { config, env });
    const url = await service.url;
    const polls = () => service.lines.filter(({ dataset, msg }) => dataset === 'good' && msg === 'polled');
    await service.logged(() => polls().length >= 10);
    assert.equal((await get(url, '/csv/good')).text, 'id\n1\n');
    // On a machine that stands still for a while the silent one is given up meanwhile.
    const warnings = service.lines.filter(({ level, dataset }) => level === 'warn' && dataset !== 'silent');
    assert.deepEqual(warnings.map(({ dataset, code }) => [dataset, code]).sort(), [
      ['missing', 'TABLE_NOT_FOUND'],
      ['throttled', 'TABLE_THROTTLED'],
    ]);
    const place = `(region eu-test-1, ${dynamoDb.endpoint})`;
    const missing = `There is no table missing ${place}; check the name of the table, its region and the account of the credentials`;
    assert.equal(warnings.find(({ dataset }) => dataset === 'missing')!.msg, missing);
    const { status, text } = await get(url, '/csv/missing');
    assert.equal(status, 503);
    assert.match(
      text,
      /^[^\n]*dataset "missing" has not been read yet: its polls fail: There is no table[^\n]*\n?$/,
    );
    // Not before the silent one has said something, too.
    const { status: readiness } = await get(url, '/readyz');
    if (!service.lines.some(({ dataset }) => dataset === 'silent')) assert.equal(readiness, 503);
    assert.equal((await get(url, '/csv/silent')).status, 503);
  });

  for (const [what, variables, sentence] of [
    [
      'credentials',
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
      /^No AWS credentials were found to read table/,
    ],
    [
      'a region',
      { AWS_REGION: null },
      /^No AWS region is set, so table \w+ was not looked for; set AWS_REGION/,
    ],
    [
      'a region, but an empty variable,',
      { AWS_REGION: '' },
      /^No AWS region is set, so table \w+ was not looked for; set AWS_REGION/,
    ],
  ] as const) {
    it(`without ${what} is one clear sentence for each table, and the service is up all the same`, async (t) => {
      const config = 'tables: { first: {}, second: {} }';
      const service = await startService(t, { config, env: { ...NOWHERE, ...variables } });
      const url = await service.url;
      await until(url, '/readyz', ({ status }) => status === 200);
      const warnings = service.lines.filter(({ level }) => level === 'warn');
      assert.deepEqual(
        warnings.map(({ dataset }) => dataset),
        ['first', 'second'],
      );
      for (const { msg } of warnings) assert.match(msg, sentence);
      assert.equal((await get(url, '/healthz')).status, 200);
    });
  }

  it('with the history of one table stops no other', async (t) => {
    const database = await testDynamoDb(t);
    const [damaged, intact] = [
      await database.createTable({ id: 'N' }),
      await database.createTable({ id: 'N' }),
    ];
    for (const table of [damaged, intact]) await database.put(table, [{ id: { N: '1' } }]);
    const dataDir = join(await temporaryFolder(t), 'data');
    await mkdir(join(dataDir, 'history'), { recursive: true });
    // Neither a folder nor missing: listing its days fails.
    await writeFile(join(dataDir, 'history', damaged), 'not a folder');
    const service = await startService(t, {
      config: `tables: { ${damaged}: { log: true, interval: 200ms }, ${intact}: { log: true, interval: 200ms } }`,
      env: at(database.endpoint),
      dataDir,
    });
    const url = await service.url;
    await until(url, `/csv/${intact}`, ({ status }) => status === 200);
    const { status, text } = await until(url, `/csv/${damaged}`, ({ text }) => text.includes('ENOTDIR'));
    assert.equal(status, 503);
    assert.match(text, new RegExp(`"${damaged}" is broken: `));
  });

  it('with a view, a lookup or our notes stops nothing, and is said', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'N' });
    await database.put(table, [{ id: { N: '1' } }]);
    const folder = await temporaryFolder(t);
    for (const name of ['views', 'lookups', 'data/.dynamo-csv'])
      await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'views', 'broken.sql'), `-- Broken.\nSELECT idd\nFROM "${table}"\n`);
    await writeFile(join(folder, 'views', 'right.sql'), `-- Right.\nSELECT id + 1 AS next FROM "${table}"\n`);
    await writeFile(join(folder, 'lookups', 'torn.csv'), 'a,b\n1\n');
    await writeFile(join(folder, 'data', '.dynamo-csv', `${table}.json`), '{');
    const config = `tables: { ${table}: {} }\nviews: ${folder}/views\nlookups: ${folder}/lookups\n`;
    const service = await startService(t, {
      config,
      dataDir: join(folder, 'data'),
      env: at(database.endpoint),
    });
    const url = await service.url;
    await until(url, '/readyz', ({ status }) => status === 200);
    assert.equal((await until(url, '/csv/right', ({ status }) => status === 200)).text, 'next\n2\n');
    const broken = await service.logged(({ dataset, level }) => level === 'error' && dataset === 'broken');
    assert.match(broken.msg, /views\/broken\.sql, line 2: .*idd/);
    assert.match((await get(url, '/csv/broken')).text, /views\/broken\.sql, line 2: .*idd/);
    await service.logged(({ level, lookup }) => level === 'error' && /torn\.csv$/.test(String(lookup)));
    await service.logged(
      ({ level, msg }) => level === 'warn' && /is not a state file of this service/.test(msg),
    );
  });
});
