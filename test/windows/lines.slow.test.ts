import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { encodeCell, encodeHeader, encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import { shapeCsv } from '../../src/csv/shape.js';
import type { Select } from '../../src/windows/compile/compile-window.js';
import { parseShape } from '../../src/windows/shape.js';
import { column, parametersOf, TestDuckDb, type TestTable } from './duckdb-table.js';
import { anyTable } from './tables.js';

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

/** What the plain dataset's CSV is. */
function plainCsv({ dataset: { columns }, rows }: TestTable): Buffer {
  return Buffer.concat([encodeHeader(columns), encodeRows(columns, rows).body]);
}

test('a window of all rows has the bytes of the plain dataset', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, async (table) => {
      await db.load(table);
      assert.equal(await db.ask(''), plainCsv(table).toString());
    }),
    { numRuns: 150 },
  );
});

test('pad and null write what they write of the plain dataset', async () => {
  const nullTexts = fc.constantFrom('null', '', 'n,a', '"', '\\N');
  await fc.assert(
    fc.asyncProperty(anyTable, fc.boolean(), nullTexts, async (table, pad, nullText) => {
      await db.load(table);
      const bytes = plainCsv(table);
      const expected = await shapeCsv({ bytes, columns: table.dataset.columns }, { pad, nullText });
      assert.equal(
        await db.ask([
          ['pad', pad ? '1' : '0'],
          ['null', nullText],
        ]),
        expected.toString(),
      );
    }),
    { numRuns: 100 },
  );
});

test('with another delimiter, cells that contain it are quoted', async () => {
  const delimiters = fc.constantFrom(';', '\t', ' ', 'é', '-', '.', ':', '1', 'e', '|');
  await fc.assert(
    fc.asyncProperty(anyTable, delimiters, async (table, delimiter) => {
      await db.load(table);
      const { columns } = table.dataset;
      const expected = table.rows.map((row) => {
        const line = row.map((cell) => encodeCell(cell, delimiter)).join(delimiter);
        return `${line === '' && row.length === 1 ? '""' : line}\n`;
      });
      assert.equal(
        await db.ask([['delimiter', delimiter]]),
        encodeHeader(columns, delimiter).toString() + expected.join(''),
      );
    }),
    { numRuns: 100 },
  );
});

test('without a header only the rows are left', async () => {
  await db.load(small);
  assert.equal(await db.ask('header=false'), '1,a\n2,""\n,\n');
  assert.equal(await db.ask('header=0&delimiter=tab&null=-'), '1\ta\n2\t""\n-\t\n');
});

test('JSON has the same values, each by the type of its column', async () => {
  await fc.assert(
    fc.asyncProperty(anyTable, async (table) => {
      await db.load(table);
      const text = await db.ask('format=json&pad=1&null=null&delimiter=;');
      const { columns } = table.dataset;
      const rows = table.rows.map((row) => `{${row.map((cell, i) => member(columns[i]!, cell)).join(',')}}`);
      assert.equal(text, rows.length === 0 ? '[]\n' : `[\n${rows.join(',\n')}\n]\n`);
      assert.equal((JSON.parse(text) as unknown[]).length, rows.length);
    }),
    { numRuns: 150 },
  );
});

function member({ name, type }: Column, cell: Cell): string {
  const isLiteral = cell === null || type === 'number' || type === 'boolean';
  return `${JSON.stringify(name)}:${isLiteral ? cell : jsonText(cell)}`;
}

/** DuckDB writes a control character as \u001F where JavaScript writes \u001f; both are JSON. */
function jsonText(text: string): string {
  const characters = [...text].map((character) => {
    const written = JSON.stringify(character).slice(1, -1);
    return written.startsWith('\\u') ? `\\u${written.slice(2).toUpperCase()}` : written;
  });
  return `"${characters.join('')}"`;
}

test('a number that is not valid JSON is quoted', async () => {
  await db.load({
    dataset: { name: 'numbers', columns: [column('n', 'number')], keys: [], timeColumn: null },
    types: ['VARCHAR'],
    rows: [['007'], ['5.'], ['1e5'], ['-0'], ['12345678901234567890123456789012345678']],
  });
  assert.equal(
    await db.ask('format=json'),
    '[\n{"n":"007"},\n{"n":"5."},\n{"n":1e5},\n{"n":-0},\n{"n":12345678901234567890123456789012345678}\n]\n',
  );
});

const small: TestTable = {
  dataset: {
    name: 'small',
    columns: [column('n', 'number'), column('s')],
    keys: ['n'],
    timeColumn: null,
  },
  types: ['BIGINT', 'VARCHAR'],
  rows: [
    ['1', 'a'],
    ['2', ''],
    [null, null],
  ],
};

/** The one row of a SELECT without a table, as CSV without a header. */
async function written(columns: readonly [sql: string, type: string, csvType: Column['type']][]) {
  const select: Select = {
    sql: `SELECT ${columns.map(([sql], i) => `${sql} AS x${i}`).join(', ')} -- a comment`,
    values: [],
    columns: columns.map(([, , csvType], i) => column(`x${i}`, csvType)),
    types: columns.map(([, type]) => type),
  };
  return db.write(select, parseShape(parametersOf('header=false&delimiter=|')));
}

test('computed numbers are plain digits, and absent if there is no number', async () => {
  const numbers = [
    ['1e20', '100000000000000000000'],
    ['-1.5e-7', '-0.00000015'],
    ['1e-7', '0.0000001'],
    ['1.2345678901234567e16', '12345678901234567'.replace(/7$/, '8')],
    ['123456789012345680000', '123456789012345680000'],
    ['5e-324', `0.${'0'.repeat(323)}5`],
    ['1.7976931348623157e308', `17976931348623157${'0'.repeat(292)}`],
    ['0.1', '0.1'],
    ['-2.0', '-2'],
    ['0.0', '0'],
    ['1e15', '1000000000000000'],
    ['999999999999999.9', '999999999999999.9'],
    ['0.0001', '0.0001'],
    ['100.0 / 3', '33.333333333333336'],
    ["'NaN'", ''],
    ["'-Infinity'", ''],
  ] as const;
  for (const [sql, text] of numbers) {
    assert.equal(
      await written([
        [`CAST(${sql} AS DOUBLE)`, 'DOUBLE', 'number'],
        ['1', 'INTEGER', 'number'],
      ]),
      `${text}|1\n`,
      sql,
    );
  }
});

test('every DOUBLE is plain digits that mean the same number', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ noDefaultInfinity: true, noNaN: true }), async (number) => {
      const text = (await written([[`CAST('${number}' AS DOUBLE)`, 'DOUBLE', 'number']])).trimEnd();
      assert.match(text, /^-?\d+(\.\d+)?$/);
      assert.equal(Number(text) + 0, number + 0);
    }),
    { numRuns: 300 },
  );
});

test('computed values of any type have a text', async () => {
  assert.equal(
    await written([
      ["TIMESTAMPTZ '2026-11-24 09:30:00.123456-05'", 'TIMESTAMP WITH TIME ZONE', 'time'],
      ["TIMESTAMP '2026-11-24 09:30:00'", 'TIMESTAMP', 'time'],
      ["TIMESTAMP_NS '2026-11-24 09:30:00.5'", 'TIMESTAMP_NS', 'time'],
      ["DATE '2026-11-24'", 'DATE', 'string'],
      ["TIMESTAMPTZ 'infinity'", 'TIMESTAMP WITH TIME ZONE', 'time'],
      ['CAST(1.50 AS DECIMAL(18,3))', 'DECIMAL(18,3)', 'number'],
      ['CAST(0.1 AS FLOAT)', 'FLOAT', 'number'],
      ['CAST(1e20 AS FLOAT)', 'FLOAT', 'number'],
      ['170141183460469231731687303715884105727', 'HUGEINT', 'number'],
      ["['a|b', NULL]", 'VARCHAR[]', 'string'],
      ["{'a': 1, 'b': [true]}", 'STRUCT(a INTEGER, b BOOLEAN[])', 'string'],
      ["MAP {'k': 0.5}", 'MAP(VARCHAR, DECIMAL(2,1))', 'string'],
      ["TIME '09:30:00'", 'TIME', 'string'],
      ["'5 days'::INTERVAL", 'INTERVAL', 'string'],
      ['NULL', 'INTEGER[]', 'string'],
    ]),
    '2026-11-24T14:30:00.123Z|2026-11-24T09:30:00.000Z|2026-11-24T09:30:00.500Z|2026-11-24||1.500|0.1|' +
      '100000000000000000000|170141183460469231731687303715884105727|' +
      '"[""a|b"",null]"|"{""a"":1,""b"":[true]}"|"{""k"":0.5}"|09:30:00|5 days|\n',
  );
});
