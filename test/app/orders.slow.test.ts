/** A user with orders: one odd price, maps and lists, from the configuration file to the rows that Grafana gets. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { labelSets } from '../grafana/contract.js';
import { plugins } from '../grafana/plugins.js';
import { type FlavourName, flavourNames, type JsonObject } from '../grafana/provisioning.js';
import type { TestDynamoDb } from '../support/dynalite.js';
import { patientFetch } from '../support/patient-fetch.js';
import { type RunningService, startService } from '../support/service.js';
import { at, get, put, testDynamoDb, until } from './world.js';

const S = (text: string): AttributeValue => ({ S: text });
const N = (number: number): AttributeValue => ({ N: String(number) });

/** Three prices that are numbers, and one that is not. */
const MIXED: Record<string, AttributeValue>[] = [
  { order_id: S('o-1'), price: N(5) },
  { order_id: S('o-2'), price: N(10) },
  { order_id: S('o-3'), price: N(44) },
  { order_id: S('o-4'), price: S('N/A') },
];

async function start(
  t: TestContext,
  database: TestDynamoDb,
  tables: string,
  dataDir?: string,
): Promise<RunningService> {
  return startService(t, {
    config: `tables:\n${tables}`,
    env: { ...at(database.endpoint), ALLOW_SQL: 'true' },
    ...(dataDir === undefined ? {} : { dataDir }),
  });
}

async function sql(url: string, text: string): Promise<string> {
  const headers = { 'content-type': 'text/plain' };
  return (await patientFetch(`${url}/sql`, { method: 'POST', body: text, headers })).text();
}

async function exceptionsOf(url: string, name: string): Promise<unknown> {
  const catalogue = JSON.parse((await get(url, '/datasets')).text) as {
    datasets: { name: string; exceptions: unknown }[];
  };
  return catalogue.datasets.find((dataset) => dataset.name === name)?.exceptions;
}

const isReady = (answer: { status: number }) => answer.status === 200;

/** The rows that a query of either plugin gets: a number table, as an alert has it. */
async function askedBy(
  flavour: FlavourName,
  url: string,
  path: string,
  params: [string, string][],
  label: string,
  number: string,
) {
  const model: JsonObject =
    flavour === 'csv'
      ? {
          path,
          params,
          schema: [
            { name: label, type: 'string' },
            { name: number, type: 'number' },
          ],
          header: true,
          delimiter: ',',
          decimalSeparator: '.',
          ignoreUnknown: true,
        }
      : {
          url: `/csv${path}`,
          url_options: { method: 'GET', params: params.map(([key, value]) => ({ key, value })) },
          parser: 'backend',
          columns: [
            { selector: label, text: label, type: 'string' },
            { selector: number, text: number, type: 'number' },
          ],
        };
  const { request, fields } = plugins[flavour];
  const { address, headers } = request(model, { DYNAMO_CSV_URL: url, DYNAMO_CSV_TOKEN: 'none' });
  const response = await patientFetch(address, { headers });
  const answer = fields(model, response.status, await response.text());
  return labelSets({ fields: answer, rows: answer[0]?.values.length ?? 0, bytes: 0 });
}

describe('a table of orders', () => {
  it('stays a table of numbers with one price that is none, and is right again without a restart, and after one', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ order_id: 'S' });
    await database.put(orders, MIXED);
    const config = `  ${orders}: { interval: 200ms, changes: true, as: orders }\n`;
    const service = await start(t, database, config);
    const url = await service.url;
    const answer = (path: string) => get(url, path).then(({ text }) => text);
    await until(url, '/readyz', isReady);
    assert.equal(await answer('/csv/orders'), 'order_id,price\no-1,5\no-2,10\no-3,44\no-4,N/A\n');
    assert.equal(await answer('/csv/orders?price__gt=9'), 'order_id,price\no-2,10\no-3,44\n');
    assert.equal(await answer('/csv/orders?sort=price'), 'order_id,price\no-1,5\no-2,10\no-3,44\no-4,N/A\n');
    assert.equal(await answer('/csv/orders?agg=sum:price,count:price'), 'price_sum,price_count\n59,3\n');
    assert.equal(await sql(url, 'SELECT sum(price) AS total FROM orders'), 'total\n59\n');
    for (const flavour of flavourNames) {
      assert.deepEqual(
        await askedBy(flavour, url, '/orders', [['sort', '-price']], 'order_id', 'price'),
        new Map([
          ['order_id=o-3', 44],
          ['order_id=o-2', 10],
          ['order_id=o-1', 5],
          ['order_id=o-4', null],
        ]),
      );
    }
    const exception = {
      column: 'price',
      problem: 'not a number',
      count: 1,
      key: { order_id: 'o-4' },
      value: 'N/A',
    };
    assert.deepEqual(await exceptionsOf(url, 'orders'), [exception]);
    const warned = await service.logged(({ msg }) =>
      msg.startsWith('1 of 4 values of price is not a number'),
    );
    assert.deepEqual(warned.key, { order_id: 'o-4' });

    await put(database.endpoint, orders, { order_id: S('o-4'), price: N(8) });
    await until(url, '/csv/orders', ({ text }) => text.endsWith('o-4,8\n'));
    assert.equal(
      await answer('/csv/orders?price__gt=7&sort=price'),
      'order_id,price\no-4,8\no-2,10\no-3,44\n',
    );
    assert.equal(await sql(url, 'SELECT sum(price) AS total FROM orders'), 'total\n67\n');
    assert.deepEqual(await exceptionsOf(url, 'orders'), []);
    await service.logged(({ msg }) => msg === 'all values of price are numbers again');
    assert.equal(
      await sql(url, 'SELECT price, previous_price FROM "orders-changes" WHERE order_id = \'o-4\''),
      'price,previous_price\n,\n8,\n',
    );
    await service.end();
    assert.equal(service.lines.filter(({ msg }) => /values of price (is|are) not/.test(msg)).length, 1);

    await put(database.endpoint, orders, { order_id: S('o-4'), price: S('N/A') });
    const again = await start(t, database, config, service.dataDir);
    const second = await again.url;
    await until(second, '/csv/orders', ({ text }) => text.endsWith('o-4,N/A\n'));
    assert.equal((await get(second, '/csv/orders?price__gte=10')).text, 'order_id,price\no-2,10\no-3,44\n');
  });

  it('has columns of what is inside of maps and lists, declared types and new names, up to Grafana', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ order_id: 'S' });
    const order = (id: string, city: string, zip: string, total: AttributeValue, tags: string[]) => ({
      order_id: S(id),
      address: { M: { city: S(city), 'zip.code': S(zip) } },
      totals: { M: { gross: total } },
      tags: { L: tags.map(S) },
      'odd.name': S('flat'),
    });
    await database.put(orders, [
      order('o-1', 'Seoul', '00123', S('12.50'), ['new', 'gift']),
      order('o-2', 'Busan', '00124', N(7), []),
      order('o-3', 'Seoul', '00125', S('unknown'), ['new']),
    ]);
    const service = await start(
      t,
      database,
      `  ${orders}:
    as: orders
    interval: 200ms
    columns: [address.city, tags[0], 'address."zip.code"', gross, odd.name]
    only: true
    rename: { address.city: city, totals.gross: gross }
    types: { gross: number }
`,
    );
    const url = await service.url;
    await until(url, '/readyz', isReady);
    assert.equal(
      (await get(url, '/csv/orders')).text,
      'order_id,city,tags[0],"address.""zip.code""",gross,odd.name\n' +
        'o-1,Seoul,new,00123,12.50,flat\no-2,Busan,,00124,7,flat\no-3,Seoul,new,00125,unknown,flat\n',
    );
    assert.equal((await get(url, '/csv/orders?gross__gt=7.1&columns=order_id')).text, 'order_id\no-1\n');
    assert.equal((await get(url, '/csv/orders?address."zip.code"=00124&columns=city')).text, 'city\nBusan\n');
    assert.equal(
      await sql(
        url,
        'SELECT city, sum(gross) AS gross, min("tags[0]") AS tag FROM orders GROUP BY city ORDER BY city',
      ),
      'city,gross,tag\nBusan,7,\nSeoul,12.5,new\n',
    );
    for (const flavour of flavourNames) {
      const params: [string, string][] = [
        ['agg', 'sum:gross'],
        ['by', 'city'],
        ['null', 'null'],
      ];
      assert.deepEqual(
        await askedBy(flavour, url, '/orders', params, 'city', 'gross_sum'),
        new Map([
          ['city=Busan', 7],
          ['city=Seoul', 12.5],
        ]),
      );
    }
    assert.deepEqual(await exceptionsOf(url, 'orders'), [
      { column: 'gross', problem: 'not a number', count: 1, key: { order_id: 'o-3' }, value: 'unknown' },
    ]);
    await put(database.endpoint, orders, order('o-2', 'Daegu', '00124', N(8), ['late']));
    await until(url, '/csv/orders', ({ text }) => text.includes('o-2,Daegu,late,00124,8,flat\n'));
  });

  it('is expanded into a column for each value', async (t) => {
    const database = await testDynamoDb(t);
    const orders = await database.createTable({ order_id: 'S' });
    await database.put(orders, [
      {
        order_id: S('o-1'),
        address: { M: { city: S('Seoul'), geo: { M: { lat: { N: '37.5' } } } } },
        tags: { L: [S('a'), S('b')] },
      },
      { order_id: S('o-2'), address: S('unknown'), codes: { SS: ['x', 'y'] } },
    ]);
    const service = await start(t, database, `  ${orders}: { as: orders, interval: 200ms, expand: true }\n`);
    const url = await service.url;
    await until(url, '/readyz', isReady);
    assert.equal(
      (await get(url, '/csv/orders')).text,
      'order_id,address,address.city,address.geo.lat,codes,tags[0],tags[1]\n' +
        'o-1,,Seoul,37.5,,a,b\no-2,unknown,,,"[""x"",""y""]",,\n',
    );
    assert.equal(
      (await get(url, '/csv/orders?address.geo.lat__gt=37&columns=order_id')).text,
      'order_id\no-1\n',
    );
  });
});
