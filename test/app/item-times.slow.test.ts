import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { labelSets } from '../grafana/contract.js';
import { plugins } from '../grafana/plugins.js';
import { type FlavourName, flavourNames, type JsonObject } from '../grafana/provisioning.js';
import type { TestDynamoDb } from '../support/dynalite.js';
import { patientFetch } from '../support/patient-fetch.js';
import { type RunningService, startService } from '../support/service.js';
import { at, get, testDynamoDb, until } from './world.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

const S = (text: string): AttributeValue => ({ S: text });
const N = (number: number | string): AttributeValue => ({ N: String(number) });
const iso = (instant: number) => new Date(instant).toISOString();

/** A second ago, so that what is written now is in the past on every clock of this machine. */
const now = () => Math.floor(Date.now() / 1000) * 1000 - 1000;

async function start(t: TestContext, database: TestDynamoDb, tables: string): Promise<RunningService> {
  return startService(t, {
    config: `timeZone: America/New_York\ntables:\n${tables}`,
    env: { ...at(database.endpoint), ALLOW_SQL: 'true' },
  });
}

async function sql(url: string, text: string): Promise<string> {
  const response = await patientFetch(`${url}/sql`, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'text/plain' },
  });
  return response.text();
}

const isReady = (answer: { status: number }) => answer.status === 200;

/** The query of an alert or of a panel, as either plugin has it. */
function query(
  flavour: FlavourName,
  path: string,
  params: [string, string][],
  types: Record<string, string>,
): JsonObject {
  const columns = Object.entries(types);
  if (flavour === 'csv') {
    const schema = columns.map(([name, type]) => ({ name, type }));
    return { path, params, schema, header: true, delimiter: ',', decimalSeparator: '.', ignoreUnknown: true };
  }
  return {
    url: `/csv${path}`,
    url_options: { method: 'GET', params: params.map(([key, value]) => ({ key, value })) },
    parser: 'backend',
    columns: columns.map(([name, type]) => ({
      selector: name,
      text: name,
      type: type === 'time' ? 'timestamp' : type,
    })),
  };
}

/** What Grafana gets: the columns of the answer. */
async function asked(
  flavour: FlavourName,
  url: string,
  ...parts: [string, [string, string][], Record<string, string>]
) {
  const model = query(flavour, ...parts);
  const { request, fields } = plugins[flavour];
  const { address, headers } = request(model, { DYNAMO_CSV_URL: url, DYNAMO_CSV_TOKEN: 'none' });
  const response = await patientFetch(address, { headers });
  const answer = fields(model, response.status, await response.text());
  return { fields: answer, rows: answer[0]?.values.length ?? 0, bytes: 0 };
}

describe('tables with a time of their own', () => {
  it('a user with orders and sessions gets the last ones, without a line of SQL', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ order_id: 'S' });
    const sessions = await database.createTable({ user: 'S', session: 'S' });
    const end = now();
    await database.put(orders, [
      { order_id: S('a'), total: N(10), created_at: S(iso(end - MINUTE)) },
      {
        order_id: S('b'),
        total: N(20),
        created_at: S(`${iso(end - 2 * MINUTE - 5 * 60 * MINUTE).slice(0, -1)}123-05:00`),
      },
      { order_id: S('c'), total: N(40), created_at: S(iso(end - 3 * DAY)) },
      { order_id: S('d'), total: N(80), created_at: S('yesterday') },
      { order_id: S('e'), total: N(160) },
    ]);
    await database.put(sessions, [
      { user: S('u'), session: S('1'), started: N((end - MINUTE) / 1000) },
      { user: S('u'), session: S('2'), started: N(end - 2 * MINUTE) },
      { user: S('v'), session: S('3'), started: N(`${end - 3 * DAY}000`) },
    ]);
    const service = await start(
      t,
      database,
      `  ${orders}: { interval: 200ms, time: created_at }\n  ${sessions}: { interval: 200ms, time: started }\n`,
    );
    const url = await service.url;
    await until(url, '/readyz', isReady);

    const { text } = await get(url, `/csv/${orders}?last=10m`);
    assert.equal(
      text,
      `order_id,created_at,total\na,${iso(end - MINUTE)},10\nb,${iso(end - 2 * MINUTE)},20\n`,
    );
    assert.equal(
      (await get(url, `/csv/${orders}`)).text,
      `order_id,created_at,total\na,${iso(end - MINUTE)},10\nb,${iso(end - 2 * MINUTE)},20\nc,${iso(end - 3 * DAY)},40\nd,,80\ne,,160\n`,
    );
    assert.equal(
      (await get(url, `/csv/${orders}?last=10m&format=json&columns=created_at&limit=1`)).text,
      `[\n{"created_at":"${iso(end - MINUTE)}"}\n]\n`,
    );
    const aggregated = (await get(url, `/csv/${orders}?last=4d&every=1d&agg=sum:total`)).text;
    // Midnight in New York may come between the last two.
    const [first, ...sums] = aggregated
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.split(',')[1]));
    assert.deepEqual([first, sums.reduce((sum, one) => sum + one, 0)], [40, 30]);
    assert.match(
      (await get(url, `/csv/${sessions}?last=10m`)).text,
      new RegExp(`^user,session,started\nu,1,${iso(end - MINUTE)}\nu,2,${iso(end - 2 * MINUTE)}\n$`),
    );
    assert.equal(
      await sql(
        url,
        `SELECT typeof(started) AS type, count(*) AS n FROM "${sessions}" WHERE started > now() - INTERVAL 10 MINUTE GROUP BY ALL`,
      ),
      'type,n\nTIMESTAMP WITH TIME ZONE,2\n',
    );

    const catalogue = JSON.parse((await get(url, '/datasets')).text);
    const described = catalogue.datasets.find(({ name }: { name: string }) => name === orders);
    assert.equal(described.timeColumn, 'created_at');
    assert.deepEqual(described.columns[1], { name: 'created_at', type: 'time' });
    assert.deepEqual(described.exceptions, [
      { column: 'created_at', problem: 'not a time', count: 1, key: { order_id: 'd' }, value: 'yesterday' },
    ]);
    const told = await service.logged(({ column }) => column === 'created_at');
    assert.deepEqual(told.key, { order_id: 'd' });

    for (const flavour of flavourNames) {
      const types = { order_id: 'string', created_at: 'time', total: 'number' };
      const { fields } = await asked(flavour, url, `/${orders}`, [['last', '10m']], types);
      const values = Object.fromEntries(fields.map((field) => [field.name, field.values]));
      assert.deepEqual(values, {
        order_id: ['a', 'b'],
        created_at: [end - MINUTE, end - 2 * MINUTE],
        total: [10, 20],
      });
    }
    await service.end();
  });

  it('a user with sensors has each reading once, and an alert on the last minutes in both flavours', async (t) => {
    const database = await testDynamoDb(t);
    const readings = await database.createTable({ device: 'S', ts: 'N' });
    const end = now();
    const reading = (device: string, minutes: number, temperature: number) => ({
      device: S(device),
      ts: N(end - minutes * MINUTE),
      temperature: N(temperature),
    });
    await database.put(readings, [
      reading('a', 1, 21),
      reading('a', 2, 25.5),
      reading('b', 3, 90),
      reading('b', 60, 200),
    ]);
    const config = `  ${readings}: { interval: 200ms, time: { attribute: ts, unit: ms }, log: append }\n`;
    const first = await start(t, database, config);
    let url = await first.url;
    await until(url, '/readyz', isReady);
    for (const flavour of flavourNames) {
      const params: [string, string][] = [
        ['last', '5m'],
        ['agg', 'max:temperature'],
        ['by', 'device'],
      ];
      const types = { device: 'string', temperature_max: 'number' };
      const sets = labelSets(await asked(flavour, url, `/${readings}`, params, types));
      assert.deepEqual(
        [...sets],
        [
          ['device=a', 25.5],
          ['device=b', 90],
        ],
      );
    }
    await first.end('SIGKILL');

    await database.put(readings, [reading('a', 0, 22), reading('late', 2 * 24 * 60, 1), reading('a', 1, 99)]);
    const second = await startService(t, {
      config: `timeZone: America/New_York\ntables:\n${config}`,
      dataDir: first.dataDir,
      env: { ...at(database.endpoint), ALLOW_SQL: 'true' },
    });
    url = await second.url;
    const rows = await until(url, `/csv/${readings}?columns=device,ts,temperature&sort=ts`, ({ text }) =>
      /\nlate,/.test(text),
    );
    assert.deepEqual(rows.text.trimEnd().split('\n').slice(1), [
      `late,${iso(end - 2 * DAY)},1`,
      `b,${iso(end - 60 * MINUTE)},200`,
      `b,${iso(end - 3 * MINUTE)},90`,
      `a,${iso(end - 2 * MINUTE)},25.5`,
      `a,${iso(end - MINUTE)},21`,
      `a,${iso(end)},22`,
    ]);
    const perMinute = await get(
      url,
      `/csv/${readings}?last=5m&every=1m&agg=max:temperature&pivot=device:temperature_max`,
    );
    assert.match(perMinute.text, /^ts,a,b\n/);
    await second.end();
  });

  it('a user who asks for the last minutes of a table without a time is told what to write', async (t) => {
    const database = await testDynamoDb(t);
    const table = await database.createTable({ id: 'S' });
    const plain = await database.createTable({ id: 'S' });
    await database.put(table, [
      {
        id: S('1'),
        phone: N('1764000000'),
        updatedAt: S('2026-11-24'),
        createdAt: N('1764000000123'),
        ttl: N('1764000000'),
      },
    ]);
    await database.put(plain, [{ id: S('1'), phone: N('1764000000') }]);
    const service = await start(
      t,
      database,
      `  ${table}: { interval: 200ms }\n  ${plain}: { interval: 200ms }\n`,
    );
    const url = await service.url;
    await until(url, '/readyz', isReady);
    for (const parameter of ['last=5m', 'from=0', 'every=1m']) {
      const { status, text } = await get(url, `/csv/${table}?${parameter}`);
      const [name] = parameter.split('=');
      assert.equal(status, 400);
      assert.equal(
        text,
        `${name}: ${table} has no time column, but createdAt looks like one; add time: createdAt to the options of tables.${table}, or leave ${name} out\n`,
      );
    }
    assert.equal(
      (await get(url, `/csv/${plain}?last=5m`)).text,
      `last: ${plain} has no time column; name the attribute that is the time of an item with the option time of tables.${plain}, or leave last out\n`,
    );
    await service.end();
  });
});
