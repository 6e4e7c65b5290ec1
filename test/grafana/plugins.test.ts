import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plugins } from './plugins.js';

/** The rules of docs/grafana.md, as the contract test applies them: each of these was seen in a real Grafana. */

const csv = (schema: readonly [name: string, type: string][], answer: string, more = {}) =>
  plugins.csv.fields(
    {
      decimalSeparator: '.',
      ignoreUnknown: true,
      schema: schema.map(([name, type]) => ({ name, type })),
      ...more,
    },
    200,
    answer,
  );

const infinity = (columns: readonly [name: string, type: string][], answer: string, status = 200) =>
  plugins.infinity.fields(
    { parser: 'backend', columns: columns.map(([name, type]) => ({ selector: name, text: name, type })) },
    status,
    answer,
  );

test('CSV plugin: an empty number is 0, and null is nothing', () => {
  assert.deepEqual(csv([['n', 'number']], 'n,s\n,a\nnull,b\n1.5,c\n')[0]!.values, [0, null, 1.5]);
});

test('CSV plugin: an exponent without a point is no number, nor is anything without a decimal separator', () => {
  assert.deepEqual(csv([['n', 'number']], 'n\n1e5\n1.5e-05\n')[0]!.values, [null, 0.000015]);
  assert.deepEqual(csv([['n', 'number']], 'n\n12\n', { decimalSeparator: undefined })[0]!.values, [null]);
});

test('CSV plugin: the layout of times is taken from the first row', () => {
  const time = '2026-11-24T05:00:00Z';
  assert.deepEqual(csv([['t', 'time']], `t\n${time}\nnull\n`)[0]!.values, [Date.parse(time), null]);
  assert.deepEqual(csv([['t', 'time']], `t\nnull\n${time}\n`)[0]!.values, [null, null]);
  assert.deepEqual(csv([['t', 'time']], 't\n1790000000000\n')[0]!.values, [null]);
});

test('CSV plugin: a header alone is an error, and an error of two lines is data', () => {
  assert.throws(() => csv([['n', 'number']], 'n\n'), /no data rows/);
  assert.throws(() => csv([['n', 'number']], 'there is no such dataset\n'), /no data rows/);
  assert.deepEqual(csv([], 'Not found\nsorry\n', { ignoreUnknown: false })[0]!.values, ['sorry']);
});

test('CSV plugin: a ragged row is an error, and a byte order mark hides the first column', () => {
  assert.throws(() => csv([['n', 'number']], 'n,s\n1\n'));
  assert.deepEqual(csv([['n', 'number']], '\u{feff}n\n1\n'), []);
});

test("CSV plugin: the data source's parameters win over the query's, and a query string in the path is dropped", () => {
  const { address } = plugins.csv.request(
    {
      path: '/zones?limit=1',
      params: [
        ['null', ''],
        ['sort', 'zone'],
      ],
    },
    { DYNAMO_CSV_URL: 'http://x' },
  );
  assert.equal(address.pathname, '/csv/zones');
  assert.deepEqual(Object.fromEntries(address.searchParams), { null: 'null', pad: '1', sort: 'zone' });
});

test('both show the token to the service, as the data sources have it', () => {
  const environment = { DYNAMO_CSV_URL: 'http://x', DYNAMO_CSV_TOKEN: 'a$b' };
  const asked = plugins.csv.request({ path: '/zones', params: [] }, environment);
  assert.deepEqual(asked.headers, { Authorization: 'Bearer a$b' });
  const query = { url: '/csv/zones', url_options: { params: [] } };
  assert.deepEqual(plugins.infinity.request(query, environment).headers, asked.headers);
});

test('Infinity: an empty number is nothing, a header alone is no data, columns come in alphabetical order', () => {
  const fields = infinity(
    [
      ['s', 'string'],
      ['n', 'number'],
    ],
    's,n\na,\nb,2\n',
  );
  assert.deepEqual(
    fields.map(({ name, values }) => [name, values]),
    [
      ['n', [null, 2]],
      ['s', ['a', 'b']],
    ],
  );
  assert.deepEqual(infinity([['n', 'number']], 'n\n')[0]!.values, []);
});

test('Infinity: a column that does not exist is empty, and an error is an error', () => {
  assert.deepEqual(infinity([['m', 'number']], 'n\n1\n')[0]!.values, [null]);
  assert.throws(() => infinity([['n', 'number']], 'there is no such dataset\n', 404), /404/);
});
