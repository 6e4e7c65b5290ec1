import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { identifier } from '../../src/windows/compile/sql-text.js';
import { column, NOW, TestDuckDb, type TestTable } from './duckdb-table.js';
import { anyTable } from './tables.js';

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

const log: TestTable = {
  dataset: {
    name: 'flag-dynamodb',
    columns: [column('counter_type'), column('count', 'number'), column('timestamp', 'time')],
    keys: ['counter_type'],
    timeColumn: 'timestamp',
  },
  types: ['VARCHAR', 'BIGINT', 'TIMESTAMPTZ'],
  rows: [-12, -7, -2].flatMap((minutes, i) => [
    ['dispatch', String(10 + i), at(minutes)],
    ['pickup', String(i), at(minutes)],
  ]),
};

test('a pivot into a wide series', async () => {
  await db.load(log);
  assert.equal(
    await db.ask('last=10m&pivot=counter_type:count'),
    `timestamp,dispatch,pickup\n${at(-7)},11,1\n${at(-2)},12,2\n`,
  );
  assert.equal(
    await db.ask('pivot=counter_type:count&sort=-dispatch&limit=1'),
    `timestamp,dispatch,pickup\n${at(-2)},12,2\n`,
  );
});

test('the columns that a pivot names are there whether or not a row has them', async () => {
  await db.load(log);
  assert.equal(
    await db.ask('last=3m&pivot=counter_type:count&columns=timestamp,pickup,refusal&null=null'),
    `timestamp,pickup,refusal\n${at(-2)},2,null\n`,
  );
  assert.equal(
    await db.ask('last=1m&pivot=counter_type:count&columns=timestamp,pickup'),
    'timestamp,pickup\n',
  );
  assert.equal(await db.ask('last=1m&pivot=counter_type:count&pad=1&null=null'), 'timestamp\nnull\n');
});

test('a pivot without a time column is one row', async () => {
  await db.load({
    dataset: {
      name: 'counters',
      columns: [column('counter_type'), column('count', 'number')],
      keys: ['counter_type'],
      timeColumn: null,
    },
    types: ['VARCHAR', 'BIGINT'],
    rows: [
      ['pickup', '3'],
      ['dispatch', '5'],
      [null, '7'],
    ],
  });
  assert.equal(await db.ask('pivot=counter_type:count'), 'dispatch,pickup\n5,3\n');
  assert.equal(await db.ask('pivot=counter_type:count&columns=pickup'), 'pickup\n3\n');
  assert.equal(await db.ask('pivot=counter_type:count&counter_type=x'), 'count\n');
  assert.equal(
    await db.ask('pivot=counter_type:count&counter_type=x&columns=pickup&null=null'),
    'pickup\nnull\n',
  );
});

test('a row that is not the last of its step adds no column', async () => {
  await db.load({ ...log, dataset: { ...log.dataset, keys: [] } });
  assert.equal(
    await db.ask('every=5m&last=10m&pivot=counter_type:count'),
    `timestamp,pickup\n${at(-7)},1\n${at(-2)},2\n`,
  );
});

test('one value is a number here and a text there', async () => {
  await db.load({
    dataset: {
      name: 'things',
      columns: [column('x', 'number'), column('s'), column('n', 'number')],
      keys: [],
      timeColumn: null,
    },
    types: ['DOUBLE', 'VARCHAR', 'BIGINT'],
    rows: [
      ['5', '5', '5'],
      ['6', '5', '5'],
    ],
  });
  assert.equal(await db.ask('x=5&s=5&n=5&limit=5&null=5'), 'x,s,n\n5,5,5\n');
});

test('a pivot into very many columns is refused', async () => {
  const dataset = {
    name: 'taxis',
    columns: [column('taxi', 'number'), column('n', 'number')],
    keys: [],
    timeColumn: null,
  };
  await db.connection.run('CREATE OR REPLACE TABLE taxis AS SELECT i AS taxi, 1 AS n FROM range(501) t(i)');
  db.show(dataset, 'taxis', ['BIGINT', 'INTEGER']);
  await assert.rejects(db.ask('pivot=taxi:n'), {
    message: 'pivot: taxi has more than 500 values',
    remedy: 'keep fewer by a filter, or name those that are wanted in columns',
    status: 400,
  });
  assert.equal((await db.ask('pivot=taxi:n&taxi__lt=500')).split('\n')[0]?.split(',').at(-1), '499');
  assert.equal(await db.ask('pivot=taxi:n&columns=500,1'), '500,1\n1,1\n');
});

test('times without a zone are UTC, dates midnight UTC, computed fractions of a millisecond belong to it', async () => {
  const dataset = {
    name: 'view',
    columns: [column('a', 'time'), column('b', 'time'), column('c', 'time'), column('n', 'number')],
    keys: [],
    timeColumn: 'a',
  };
  await db.connection.run(`CREATE OR REPLACE TABLE times AS SELECT
    TIMESTAMP '2026-11-24 09:30:00' AS a, DATE '2026-11-24' AS b, TIMESTAMPTZ '2026-11-24 09:30:00.123456Z' AS c, 1 AS n`);
  db.show(dataset, 'times', ['TIMESTAMP', 'DATE', 'TIMESTAMP WITH TIME ZONE', 'INTEGER']);
  const found = [
    'a=2026-11-24T09:30',
    'from=2026-11-24T09:30&to=2026-11-24T09:31',
    'b=2026-11-24',
    'c=2026-11-24T09:30:00.123Z',
    'c__lte=2026-11-24T09:30:00.123Z',
  ];
  for (const query of found) assert.equal(await db.ask(`${query}&columns=n`), 'n\n1\n', query);
  const notFound = [
    'from=2026-11-24T09:31',
    'b__ne=2026-11-24',
    'c__gt=2026-11-24T09:30:00.123Z',
    'c__ne=2026-11-24T09:30:00.123Z',
  ];
  for (const query of notFound) assert.equal(await db.ask(`${query}&columns=n`), 'n\n', query);
});

test('computed numbers of every type compare with all digits', async () => {
  const types = ['TINYINT', 'UBIGINT', 'HUGEINT', 'DECIMAL(18,3)', 'FLOAT', 'DOUBLE', 'UHUGEINT'];
  const dataset = {
    name: 'view',
    columns: types.map((type) => column(type, 'number')),
    keys: [],
    timeColumn: null,
  };
  const values = [
    '-128',
    '18446744073709551615',
    '170141183460469231731687303715884105727',
    '-1.500',
    '0.1',
    '0.1',
    '7',
  ];
  const list = types.map((type, i) => `CAST('${values[i]}' AS ${type}) AS ${identifier(type)}`);
  await db.connection.run(`CREATE OR REPLACE TABLE numbers AS SELECT ${list.join(', ')}`);
  db.show(dataset, 'numbers', types);
  const isFound = async (name: string, operator: string, value: string) =>
    (await db.ask([
      [`${name}${operator}`, value],
      ['columns', '"TINYINT"'],
    ])) === 'TINYINT\n-128\n';
  for (const [i, type] of types.entries()) {
    const value = values[i]!;
    assert.equal(await isFound(type, '', value), true, type);
    assert.equal(await isFound(type, '__ne', value), false, type);
    // A little more, in absolute terms: closer than the next DOUBLE is.
    const more = `${value.includes('.') ? value : `${value}.`}${'0'.repeat(30)}1`;
    const isNegative = value.startsWith('-');
    assert.equal(await isFound(type, '__lt', more), !isNegative, type);
    assert.equal(await isFound(type, '__gte', more), isNegative, type);
    assert.equal(await isFound(type, '', more), false, type);
    assert.equal(await isFound(type, '__ne', more), true, type);
    for (const far of ['9'.repeat(60), `-${'9'.repeat(400 - 1)}`]) {
      assert.equal(await isFound(type, '__gt', far), far.startsWith('-'), type);
      assert.equal(await isFound(type, '__lte', far), !far.startsWith('-'), type);
    }
  }
});

test('NaN and infinities are absent values', async () => {
  const dataset = {
    name: 'view',
    columns: [column('x', 'number'), column('n', 'number')],
    keys: [],
    timeColumn: null,
  };
  await db.connection.run(`CREATE OR REPLACE TABLE odd AS
    SELECT * FROM (VALUES (CAST('NaN' AS DOUBLE), 1), ('Infinity', 2), ('-Infinity', 3), (NULL, 4), (0.5, 5)) t(x, n)`);
  db.show(dataset, 'odd', ['DOUBLE', 'INTEGER']);
  const numbers = async (query: string) =>
    (await db.ask(`${query}&columns=n&header=false`)).trim().split('\n').join(' ');
  assert.equal(await numbers('x__isnull=true'), '1 2 3 4');
  assert.equal(await numbers('x__isnull=false'), '5');
  assert.equal(await numbers('x__gt=0'), '5');
  assert.equal(await numbers('x__lt=1'), '5');
  assert.equal(await numbers('x__ne=0.5'), '1 2 3 4');
  assert.equal(await numbers('sort=-x'), '5 1 2 3 4');
});

test('answers for Parquet have typed columns under names that differ', async () => {
  await db.load({
    dataset: {
      name: 'case',
      columns: ['Zone', 'zone', 'ZONE', 'zone_2', ''].map((name) => column(name)),
      keys: [],
      timeColumn: null,
    },
    types: ['VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'VARCHAR'],
    rows: [['a', 'b', 'c', 'd', 'e']],
  });
  const result = await db.connection.run((await db.select([])).sql);
  assert.deepEqual(result.columnNames(), ['Zone', 'zone_2', 'ZONE_3', 'zone_2_2', 'column']);
  assert.equal(await db.ask('zone=b&ZONE=c&columns=ZONE,zone'), 'ZONE,zone\nc,b\n');
});

const attacks = [
  `' OR 1=1 --`,
  `"; DROP TABLE "rows"; --`,
  `'; DROP TABLE "rows"; --`,
  `$1`,
  `') OR ('1'='1`,
  `1) UNION SELECT 1,2,3 --`,
  `" FROM "rows" --`,
  `read_csv('/etc/passwd')`,
  `\\'; --`,
  `{{1}}`,
  `]; DROP TABLE "rows"; --`,
];

test('SQL in a value is a value', async () => {
  await db.load({ ...log, rows: [...log.rows, ...attacks.map((text) => [text, '1', at(-1)])] });
  const before = await db.ask('');
  for (const text of attacks) {
    for (const operator of ['', '__in', '__contains', '__ne', '__gt']) {
      const value = operator === '__in' ? `"${text.replaceAll('"', '""')}"` : text;
      const answer = await db.ask([
        [`counter_type${operator}`, value],
        ['columns', 'count'],
        ['header', 'false'],
      ]);
      if (operator !== '__ne' && operator !== '__gt') assert.equal(answer, '1\n', `${operator} ${text}`);
    }
    await db.ask([
      ['null', text],
      ['pad', '1'],
    ]);
    await db.ask([
      ['pivot', 'counter_type:count'],
      ['columns', `"${text.replaceAll('"', '""')}"`],
      ['sort', text],
    ]);
    for (const parameter of [
      'last',
      'from',
      'every',
      'limit',
      'offset',
      'sort',
      'columns',
      'pivot',
      'count',
      'timestamp__gt',
      text,
    ]) {
      await assert.rejects(async () => db.ask([[parameter, text]]), { code: 'BAD_PARAMETER' });
    }
  }
  // The values of a pivot are columns of the answer.
  assert.equal((await db.ask('pivot=counter_type:count')).split('\n').length, 4 + 2);
  assert.equal(await db.ask(''), before);
});

test('SQL in a name is a name', async () => {
  const cases = fc.tuple(
    anyTable,
    fc.uniqueArray(fc.constantFrom(...attacks), { minLength: 1, maxLength: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([table, names]) => {
      const columns = table.dataset.columns.map((c, i) => ({ ...c, name: names[i] ?? `c${i}` }));
      await db.load({ ...table, dataset: { ...table.dataset, columns } });
      const quoted = columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(',');
      const plain = await db.ask('');
      assert.equal(await db.ask([['columns', quoted]]), plain);
      const sorted = await db.ask([
        ['sort', quoted],
        ['limit', '100'],
      ]);
      assert.equal(sorted.length, plain.length);
      await db.ask(columns.map(({ name }) => [`where.${name}__isnull`, 'true'] as const));
      assert.equal(await db.ask(''), plain);
    }),
    { numRuns: 40 },
  );
});
