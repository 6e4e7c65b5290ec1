import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApp } from '../../src/app.js';
import { load } from '../config/load.js';
import { useTestAws } from '../support/aws.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { described, page, type ScriptedAnswer, startScriptedDynamoDb } from '../support/scripted-dynamodb.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { at, get, put, testDynamoDb, until } from './world.js';

const GB = 2 ** 30;

/** The catalogue, as soon as it is so. */
async function catalogue(url: string, is: (catalogue: Catalogue) => boolean): Promise<Catalogue> {
  const { text } = await until(url, '/datasets', ({ text }) => is(JSON.parse(text)));
  return JSON.parse(text);
}

interface Catalogue {
  readonly datasets: readonly {
    readonly name: string;
    readonly interval: number | null;
    readonly cost: null | Readonly<Record<'usdPerMonth' | 'usdThisMonth' | 'budget', number>>;
  }[];
}

describe('tables that are found', () => {
  it('a thousand of them are served, whatever one of them does, and /healthz answers all the while', async (t) => {
    const names = Array.from({ length: 1_000 }, (_, index) => `table-${1_000 + index}`);
    const lists = new Set<unknown>();
    const answer = (action: string, body: Readonly<Record<string, unknown>>): ScriptedAnswer => {
      const table = String(body.TableName);
      if (action === 'ListTables') {
        lists.add(body.ExclusiveStartTableName);
        const from = names.indexOf(String(body.ExclusiveStartTableName)) + 1;
        const TableNames = names.slice(from, from + 100);
        const isLast = from + 100 >= names.length;
        return { ok: { TableNames, ...(isLast ? {} : { LastEvaluatedTableName: TableNames.at(-1) }) } };
      }
      if (table === 'table-1500') return { error: 'AccessDeniedException', message: 'not this one' };
      return action === 'DescribeTable' ? described() : page([7]);
    };
    const stub = await startScriptedDynamoDb(({ action, body }) => answer(action, body));
    t.after(() => stub.close());
    const service = await startService(t, {
      config: 'tables: all',
      env: { ...at(stub.endpoint), LOG_LEVEL: 'info' },
    });
    const url = await service.url;
    let healthChecks = 0;
    const isServed = async (name: string) => (await get(url, `/csv/${name}`)).status === 200;
    while (!(await isServed('table-1999'))) {
      assert.equal((await get(url, '/healthz')).status, 200);
      healthChecks += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(healthChecks > 3);
    await until(url, '/readyz', ({ text }) => JSON.parse(text).served.length === 999);
    assert.equal((await get(url, '/csv/table-1999')).text, 'id\n7\n');
    assert.equal(lists.size, 10);
    const denied = await get(url, '/csv/table-1500');
    assert.equal(denied.status, 503);
    assert.match(denied.text, /table-1500.*not this one/);
    const told = service.lines.filter(({ code }) => code === 'TABLE_ACCESS_DENIED');
    assert.deepEqual(
      told.map(({ level, table }) => [level, table]),
      [['warn', 'table-1500']],
    );
    assert.equal((await service.end()).code, 0);
  });

  it('are read as often as the budget allows, and say what that costs', async (t) => {
    const sizes: Record<string, number> = { small: 100 * 1_024, large: 2 * GB, giant: 500 * GB };
    const stub = await startScriptedDynamoDb(({ action, body }) => {
      if (action === 'ListTables') return { ok: { TableNames: Object.keys(sizes) } };
      const bytes = sizes[String(body.TableName)] ?? 0;
      if (action === 'DescribeTable') return described({ bytes, items: 1 });
      const units = body.Limit === 1 ? 0.5 : bytes / 8_192 / Number(body.TotalSegments ?? 1);
      return page([7], { units });
    });
    t.after(() => stub.close());
    const service = await startService(t, { config: 'discover: { budget: 5 }', env: at(stub.endpoint) });
    const url = await service.url;
    await until(url, '/readyz', ({ text }) => JSON.parse(text).served.length === 2);
    await service.logged(({ code }) => code === 'BUDGET_TOO_SMALL');
    const { datasets } = await catalogue(url, ({ datasets }) =>
      ['small', 'large'].every((name) => datasets.find((one) => one.name === name)!.cost!.usdThisMonth > 0),
    );
    const of = (name: string) => datasets.find((dataset) => dataset.name === name)!;
    assert.equal(of('small').interval, 30);
    assert.ok(of('large').interval! >= 3_600, String(of('large').interval));
    assert.equal(of('large').cost!.budget, 5);
    assert.ok(of('large').cost!.usdPerMonth < 5);
    // 262,144 units at the price of a region that is not in the list.
    assert.equal(of('large').cost!.usdThisMonth.toFixed(3), ((262_144 / 1e6) * 0.1875).toFixed(3));
    const giant = await get(url, '/csv/giant');
    assert.equal(giant.status, 503);
    assert.match(
      giant.text,
      /one poll costs about USD 12\.29, and the budget is USD 5\.00 a month; raise budget/,
    );
    const collector = await get(url, '/csv/collector?columns=dataset,interval_seconds,usd_this_month');
    assert.match(collector.text, /^small,30,0\.00000/m);
    const before = stub.requests.filter(({ action, body }) => action === 'Scan' && body.Limit !== 1).length;
    await service.end();

    const again = await startService(t, {
      config: 'discover: { budget: 5 }',
      dataDir: service.dataDir,
      env: at(stub.endpoint),
    });
    const second = await again.url;
    await until(second, '/csv/small', ({ headers }) => Number(headers.get('age')) < 1);
    assert.equal((await get(second, '/csv/large')).status, 200);
    const large = stub.requests.filter(
      ({ action, body }) => action === 'Scan' && body.Limit !== 1 && body.TableName === 'large',
    );
    assert.ok(before >= 2);
    assert.equal(
      new Set(large.map(({ body }) => body.Segment ?? 0)).size,
      large.length,
      'large is read once',
    );
  });

  it('reads within the budget what the configuration names, too', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'N' });
    await put(database.endpoint, table, { id: { N: '1' } });
    const service = await startService(t, {
      config: `{ budget: 0.01, tables: { ${table}: { interval: 1s } } }`,
      env: at(database.endpoint),
    });
    const url = await service.url;
    await until(url, `/csv/${table}`, ({ status }) => status === 200);
    const { datasets } = await catalogue(url, ({ datasets }) => datasets[0]!.cost!.usdThisMonth > 0);
    // Half a unit every second costs 16 cents or more a month.
    const [{ interval, cost } = assert.fail()] = datasets;
    assert.ok(interval! >= 15 && interval! <= 60, String(interval));
    assert.ok(cost!.usdPerMonth <= 0.01);
  });
});

describe('tables that come and go', () => {
  it('are served within ten minutes; what is gone keeps its data, says so, and is there after a restart', async (t) => {
    let names = ['orders', 'sensors'];
    const stub = await startScriptedDynamoDb(({ action }) => {
      if (action === 'ListTables') return { ok: { TableNames: names } };
      return action === 'DescribeTable' ? described() : page([7]);
    });
    t.after(() => stub.close());
    const folder = await temporaryFolder(t);
    useTestAws();
    Object.assign(process.env, at(stub.endpoint));
    const config = await load('tables: all', { DATA_DIR: folder, PORT: '0' });
    const clock = new ManualClock('2026-11-24T09:30:00.000Z');
    const { logger } = logLines();
    const start = () => startApp(config, { clock, logger, signal: new AbortController().signal });
    /** Lets time pass until an answer is so; returns it. */
    const passes = async (url: string, path: string, is: (text: string) => boolean): Promise<string> => {
      for (const end = clock.now() + 600_000; clock.now() < end; clock.advance(1_000)) {
        const { text } = await get(url, path);
        if (is(text)) return text;
        // Requests to DynamoDB take true time.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return assert.fail(`${path} has not become so within ten minutes`);
    };
    const app = await start();
    try {
      await app.reading.firstLook;
      await passes(app.url, '/csv/orders', (text) => text === 'id\n7\n');
      names = ['sensors', 'users'];
      await passes(app.url, '/csv/users', (text) => text === 'id\n7\n');
      const health = JSON.parse(await passes(app.url, '/healthz', (text) => text.includes('TABLE_GONE')));
      const orders = health.datasets.find(({ name }: { name: string }) => name === 'orders');
      assert.match(orders.lastError.message, /^Table orders no longer exists \(noticed at 2026-11-24T/);
      assert.equal(orders.degraded, false);
      assert.equal((await get(app.url, '/csv/orders')).text, 'id\n7\n');
    } finally {
      await app.close();
    }
    const again = await start();
    try {
      assert.equal((await get(again.url, '/csv/orders')).text, 'id\n7\n');
      const { text } = await get(again.url, '/healthz');
      assert.match(text, /"name":"orders",[^}]*"lastError":\{"code":"TABLE_GONE"/);
      const before = stub.requests.length;
      names = ['orders', 'sensors', 'users'];
      await passes(again.url, '/healthz', (text) => !text.includes('TABLE_GONE'));
      assert.ok(stub.requests.length > before);
    } finally {
      await again.close();
    }
  });
});

describe('--check', () => {
  it('has the tables that are found, at the intervals that the budget chooses, and what exceeds it', async (t) => {
    const sizes: Record<string, number> = { small: 100 * 1_024, large: 2 * GB, giant: 500 * GB };
    const stub = await startScriptedDynamoDb(({ action, body }) => {
      if (action === 'ListTables') return { ok: { TableNames: Object.keys(sizes) } };
      if (action === 'DescribeTable')
        return described({ bytes: sizes[String(body.TableName)] ?? 0, items: 1 });
      return page([7]);
    });
    t.after(() => stub.close());
    const check = await startService(t, {
      config: 'tables: all',
      env: at(stub.endpoint),
      args: ['--check'],
    });
    assert.equal((await check.exit).code, 1);
    const row = (name: string) =>
      check
        .output()
        .split('\n')
        .find((line) => line.startsWith(`${name} `));
    assert.match(row('small')!, / 100 KB +30s +12\.5 +1,095,000 +0\.21 +nothing$/);
    assert.match(row('large')!, / 2 GB +8h +262,144 +\d/);
    assert.match(row('giant')!, /table giant is not read: one poll costs about USD 12\.29/);
    assert.match(check.output(), /^budget: USD 5\.00 a month, by which intervals are chosen$/m);
    const sum = Number(/^together .* ([\d.]+)$/m.exec(check.output())![1]);
    assert.ok(sum > 2 && sum <= 5, String(sum));
  });
});
