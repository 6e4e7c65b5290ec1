import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { LocalDays } from '../../src/base/local-days.js';
import type { Cell } from '../../src/csv/rows.js';
import type { DatasetRegistry } from '../../src/datasets/registry.js';
import type { Http } from '../../src/http/server.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { createWorld } from './world.js';

const BOM = '\uFEFF';
const COLUMNS = [column('id'), column('note'), column('balance', 'number')];

async function serving(t: TestContext, rows: Iterable<readonly Cell[]>, columns = COLUMNS): Promise<Http> {
  const nobody = {
    window: () => Promise.reject(new Error('no SQL')),
    sql: () => Promise.reject(new Error('no SQL')),
  };
  const clock = { now: () => Date.now(), sleep: async () => undefined };
  const queries = new WindowQueries({ clock, localDays: new LocalDays('UTC'), next: nobody });
  const world = await createWorld(t, { queries });
  const dataset = new ScriptedDataset({ name: 'orders', columns, keys: ['id'] });
  await dataset.land(rows);
  (world.registry as DatasetRegistry).add(dataset);
  return world.http;
}

const ROWS = [
  ['a', '=1+1', '-5'],
  ['b', '-2', '7.50'],
  ['-c', 'x,y', null],
  ['@d', '', '0'],
  ['e', '\tz', '1'],
];

test('bom begins the CSV with a byte order mark, and changes nothing else', async (t) => {
  const http = await serving(t, ROWS);
  const plain = (await http.inject('/csv/orders')).body;
  const response = await http.inject('/csv/orders?bom=1');
  assert.equal(response.body, BOM + plain);
  assert.equal(response.headers['content-type'], 'text/csv; charset=utf-8');
});

test('quote=all quotes every cell, those without a value too', async (t) => {
  const http = await serving(t, ROWS.slice(0, 3));
  assert.equal(
    (await http.inject('/csv/orders.csv?quote=all')).body,
    '"id","note","balance"\n"a","=1+1","-5"\n"b","-2","7.50"\n"-c","x,y",""\n',
  );
});

test('safe puts an apostrophe before what a spreadsheet would run, and leaves numbers alone', async (t) => {
  const http = await serving(t, ROWS);
  assert.equal(
    (await http.inject('/csv/orders?safe=1')).body,
    "id,note,balance\na,'=1+1,-5\nb,'-2,7.50\n'-c,\"x,y\",\n'@d,\"\",0\ne,'\tz,1\n",
  );
});

test('a name of a column is escaped like a cell, also above numbers', async (t) => {
  const http = await serving(t, [['-5', '-5']], [column('=text'), column('=number', 'number')]);
  assert.equal((await http.inject('/csv/orders?safe=1')).body, "'=text,'=number\n'-5,-5\n");
  assert.equal((await http.inject('/csv/orders?safe=1&header=false')).body, "'-5,-5\n");
});

test('windows are written for spreadsheets, too, with the parameters of the shape', async (t) => {
  const http = await serving(t, ROWS);
  const response = await http.inject(
    '/csv/orders?bom=1&safe=1&columns=note,balance&sort=-balance&limit=2&delimiter=;&null=null',
  );
  assert.equal(response.body, `${BOM}note;balance\n'-2;7.50\n'\tz;1\n`);
  const empty = await http.inject('/csv/orders?bom=1&id=nobody&pad=1&null=null');
  assert.equal(empty.body, `${BOM}id,note,balance\n,,null\n`);
  const none = await http.inject('/csv/orders?quote=all&id=nobody');
  assert.equal(none.body, '"id","note","balance"\n');
});

test('JSON has none of it', async (t) => {
  const http = await serving(t, ROWS);
  const json = (await http.inject('/csv/orders?format=json')).body;
  assert.equal((await http.inject('/csv/orders?format=json&bom=1&quote=all&safe=1')).body, json);
});

test('each variant has its own entity tag, by which it is not sent again', async (t) => {
  const http = await serving(t, ROWS);
  const urls = [
    '/csv/orders',
    '/csv/orders?bom=1',
    '/csv/orders?quote=all',
    '/csv/orders?safe=1',
    '/csv/orders?bom=1&safe=1',
  ];
  const tags = await Promise.all(urls.map(async (url) => String((await http.inject(url)).headers.etag)));
  assert.equal(new Set(tags).size, urls.length);
  for (const [i, url] of urls.entries()) {
    for (const [j, tag] of tags.entries()) {
      const { statusCode } = await http.inject({ url, headers: { 'if-none-match': tag } });
      assert.equal(statusCode, i === j ? 304 : 200, `${url} ${tag}`);
    }
  }
  const head = await http.inject({ method: 'HEAD', url: urls[1]! });
  const got = await http.inject(urls[1]!);
  assert.equal(head.body, '');
  for (const name of ['etag', 'content-length', 'vary', 'age', 'last-modified'])
    assert.equal(head.headers[name], got.headers[name], name);
});

test('a large dataset is streamed whole', async (t) => {
  const http = await serving(
    t,
    Array.from({ length: 60_000 }, (_, i) => [`id ${i}`, '=cmd', String(i)]),
  );
  const response = await http.inject('/csv/orders?bom=1&safe=1');
  assert.equal(response.headers.etag, undefined);
  const lines = response.body.split('\n');
  assert.equal(lines.length, 60_002);
  assert.equal(lines[60_000], "id 59999,'=cmd,59999");
  const head = await http.inject({ method: 'HEAD', url: '/csv/orders?bom=1&safe=1' });
  assert.equal(head.statusCode, 200);
  assert.equal(head.body, '');
});

test('0 and minimal are the plain CSV; anything else is an error with a fix', async (t) => {
  const http = await serving(t, ROWS);
  const plain = (await http.inject('/csv/orders')).body;
  assert.equal((await http.inject('/csv/orders?bom=0&quote=minimal&safe=false')).body, plain);
  for (const [query, error] of [
    ['bom=yes', 'bom: "yes" is neither on nor off; write bom=1 or bom=0\n'],
    ['quote=some', 'quote: "some" is not a way to quote; write quote=all, or leave quote out\n'],
    ['saf=1', 'saf: there is no such column or parameter in orders; did you mean safe?\n'],
  ]) {
    const response = await http.inject(`/csv/orders?${query}`);
    assert.deepEqual([response.statusCode, response.body], [400, error]);
  }
});

test('a column that is called like one of the parameters is filtered by where', async (t) => {
  const http = await serving(
    t,
    [
      ['a', '1', '1'],
      ['b', '2', '2'],
    ],
    [column('id'), column('safe', 'number'), column('quote')],
  );
  assert.equal((await http.inject('/csv/orders?where.safe=2&bom=1')).body, `${BOM}id,safe,quote\nb,2,2\n`);
});

test('with every option the cells are the same to whoever reads CSV, but for the apostrophes', async (t) => {
  const cell = fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constantFrom('=a', '-1', '@x', '+', '\t', '\r', '"', ',', '\n'),
  );
  const columns = [column('one'), column('two'), column('three')];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { maxLength: 20 }), async (rows) => {
      const http = await serving(t, rows, columns);
      const read = async (url: string) =>
        parse((await http.inject(url)).body.replace(/^\uFEFF/, '')) as string[][];
      const plain = await read('/csv/orders');
      assert.deepEqual(await read('/csv/orders?bom=1'), plain);
      assert.deepEqual(await read('/csv/orders?quote=all&bom=1'), plain);
      const safe = await read('/csv/orders?safe=1');
      const expected = plain.map((row) =>
        row.map((text) => (/^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text)),
      );
      assert.deepEqual(safe, expected);
    }),
    { numRuns: 30 },
  );
});
