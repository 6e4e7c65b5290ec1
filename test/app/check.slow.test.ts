import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { startAwsStandIn } from '../../src/demo/aws-stand-in.js';
import { described, page, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { at, testDynamoDb, until } from './world.js';

/** A table, an instance, a view and a lookup, all of them right. */
async function checkWorld(t: TestContext) {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' });
  await database.put(table, [{ id: { N: '1' }, zone: { N: '4' } }]);
  const instance = {
    id: 'i-12345678',
    tags: {},
    state: 'running',
    monitoring: 'enabled',
    checks: null,
  } as const;
  const standIn = await startAwsStandIn({
    world: { instances: () => [instance], datapoints: () => [] },
    clock: systemClock,
  });
  t.after(() => standIn.close());
  const folder = await temporaryFolder(t);
  for (const name of ['views', 'lookups']) await mkdir(join(folder, name));
  await writeFile(
    join(folder, 'views', 'named.sql'),
    `SELECT id, name FROM "${table}" JOIN zones ON zones.zone = "${table}".zone\n`,
  );
  await writeFile(join(folder, 'lookups', 'zones.csv'), 'zone,name\n4,Alphabet City\n');
  const config = [
    `tables: { ${table}: { log: true, changes: true } }`,
    `instances: { ids: [i-12345678] }`,
    `views: ${folder}/views`,
    `lookups: ${folder}/lookups`,
  ].join('\n');
  const env = {
    ...at(database.endpoint),
    AWS_ENDPOINT_URL_EC2: standIn.endpoint,
    AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
    // Not of the user's environment: the service itself leaves the SDK's warning out.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: null,
  };
  const check = async (more: { config?: string; dataDir?: string; env?: Record<string, string> } = {}) => {
    const service = await startService(t, { config, env, args: ['--check'], ...more });
    const { code } = await service.exit;
    assert.equal(service.errors(), '');
    const row = (name: string) =>
      service
        .output()
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(/ {2,}/);
    return { code, row };
  };
  return { table, folder, config, env, check };
}

/** Every file below a folder with its content. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async (file) => [file, await readFile(file, 'utf8')] as const)),
  );
}

describe('npm start -- --check', () => {
  it('on a first start says what polling costs, and which views wait for it', async (t) => {
    const { table, check } = await checkWorld(t);
    const { code, row } = await check();
    assert.equal(code, 0);
    const [, source, keys, , , every, units, perMonth, price, wrong] = row(table)!;
    assert.deepEqual([source, keys, every, units], [`table ${table}`, 'id N', '30s', '0.5']);
    assert.deepEqual([perMonth, price, wrong], ['43,800', '< 0.01', 'nothing']);
    assert.deepEqual(row('api-server')?.slice(1), [
      'instances',
      'instance_id',
      '1',
      '-',
      '1m',
      '0',
      '0',
      '1.31',
      'nothing',
    ]);
    assert.equal(row('named')?.at(-1), 'not run yet: what it reads was never polled');
  });

  it('runs the views beside a running service, without a trace on its volume', async (t) => {
    const { table, folder, config, env, check } = await checkWorld(t);
    const service = await startService(t, {
      config: config.replace('log: true', 'log: true, interval: 1h'),
      env,
    });
    // A poll counts when all of it is written.
    const polled = (dataset: string) => `dynamo_csv_polls_total{dataset="${dataset}",outcome="success"} 1`;
    await until(await service.url, '/metrics', ({ text }) =>
      [table, 'api-server', 'collector-log'].every((dataset) => text.includes(polled(dataset))),
    );
    await until(await service.url, '/csv/named', ({ text }) => text === 'id,name\n1,Alphabet City\n');
    const { dataDir } = service;
    // It stands still and keeps the lock, so that what is written from now on is the check's.
    service.process.kill('SIGSTOP');
    const before = await contentOf(dataDir);
    const right = await check({ dataDir });
    assert.deepEqual([right.code, right.row('named')?.at(-1)], [0, 'nothing']);

    await writeFile(join(folder, 'views', 'wrong.sql'), `SELECT id,\n  zoneid\nFROM "${table}"\n`);
    await writeFile(join(folder, 'lookups', 'torn.csv'), 'a,b\n1\n');
    const wrong = await check({ dataDir });
    assert.equal(wrong.code, 1);
    assert.equal(wrong.row('named')?.at(-1), 'nothing');
    assert.match(wrong.row('wrong')!.at(-1)!, /views\/wrong\.sql, line 2: .*zoneid/);
    assert.match(wrong.row('torn')!.at(-1)!, /skipped this lookup: Line 2 of .*torn\.csv/);
    assert.deepEqual(await contentOf(dataDir), before);
  });

  it('says what is out of reach, and ends with 1', async (t) => {
    const { config, check } = await checkWorld(t);
    const { code, row } = await check({
      config: `${config.replace('tables: {', 'tables: { missing-table: {}, ')}`.replace(
        '[i-12345678]',
        '[i-12345678, i-00000000]',
      ),
    });
    assert.equal(code, 1);
    assert.match(row('missing-table')!.at(-1)!, /^There is no table missing-table \(region eu-test-1, http/);
    assert.equal(row('api-server')!.at(-1), 'there is no i-00000000; see ids and regions under instances:');
  });

  it('finds a Scan that is denied, a table that is not ACTIVE, and a name that no item has', async (t) => {
    const { check } = await checkWorld(t);
    const server = await startScriptedDynamoDb(({ action, body: { TableName, Limit } }) => {
      const status = TableName === 'archived' ? 'ARCHIVED' : 'ACTIVE';
      if (action === 'DescribeTable') return described({ status });
      if (TableName === 'denied') return { error: 'AccessDeniedException', message: 'no Scan for you' };
      assert.equal(Limit, 1);
      return page([{ id: { N: '1' }, address: { M: { city: { S: 'Seoul' } } } }]);
    });
    t.after(() => server.close());
    const config =
      'tables: { denied: {}, archived: {}, orders: { only: [address.city, address.ctiy, rare] } }';
    const { code, row } = await check({ config, env: at(server.endpoint) });
    assert.equal(code, 1);
    assert.match(
      row('denied')!.at(-1)!,
      /^These credentials may not read table denied .*: no Scan for you; /,
    );
    assert.match(row('archived')!.at(-1)!, /^The table archived .* was archived/);
    assert.equal(
      row('orders')!.at(-1),
      'only: no item has a value at the path "address.ctiy"; did you mean address.city?',
    );
  });

  it('makes each call for instances, also when none of them runs', async (t) => {
    const { check } = await checkWorld(t);
    for (const denied of ['ec2:DescribeInstanceStatus', 'cloudwatch:GetMetricData']) {
      const stopped = {
        id: 'i-12345678',
        tags: {},
        state: 'stopped',
        monitoring: 'enabled',
        checks: null,
      } as const;
      const standIn = await startAwsStandIn({
        world: { instances: () => [stopped], datapoints: () => [] },
        clock: systemClock,
        failure: (action) =>
          action === denied ? { status: 403, code: 'AccessDenied', message: 'not this one' } : null,
      });
      t.after(() => standIn.close());
      const env = {
        AWS_ENDPOINT_URL_EC2: standIn.endpoint,
        AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
      };
      const { code, row } = await check({ config: 'instances: { ids: [i-12345678] }', env });
      assert.equal(code, 1);
      assert.equal(
        row('api-server')!.at(-1),
        `${denied} failed: AWS does not allow it: not this one; add ${denied} to the policy (docs/iam.md)`,
      );
    }
  });
});
