import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { SelectMistake } from '../../src/sql/select-mistake.js';
import { SelectParser } from '../../src/sql/select-parser.js';

let parser: SelectParser;
before(async () => {
  parser = await SelectParser.open();
});
after(() => parser.close());

const reads: readonly (readonly [sql: string, ...tables: string[]])[] = [
  ['SELECT 1'],
  ['FROM zones', 'zones'],
  ['SELECT * FROM "flag-dynamodb" AS f JOIN zones USING (zone_id) -- the end', 'flag-dynamodb', 'zones'],
  ['SELECT (SELECT max(a) FROM b) FROM c WHERE EXISTS (FROM d) AND x IN (FROM e)', 'b', 'c', 'd', 'e'],
  ['WITH zones AS (SELECT * FROM zones) SELECT * FROM zones', 'zones'],
  ['WITH a AS (SELECT 1), b AS (FROM a) SELECT * FROM b, A, c', 'c'],
  ['SELECT * FROM (WITH a AS (SELECT 1) FROM a) AS x, a', 'a'],
  ['WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n, m WHERE i < 9) FROM n', 'm'],
  ['SELECT * FROM range(3) AS r, unnest([1, 2]), generate_series(1, 2)'],
  ['SELECT x FROM a ASOF JOIN b USING (x) WINDOW w AS (ORDER BY x) QUALIFY rank() OVER w = 1', 'a', 'b'],
  ['(SELECT 1 FROM a) UNION ALL BY NAME (SELECT 2 FROM b)', 'a', 'b'],
  ["SELECT * FROM 'looks/like/a/file.csv'", 'looks/like/a/file.csv'],
  ['SELECT * FROM (WITH x AS (SELECT 1) FROM x) AS y, x', 'x'],
  ['WITH RECURSIVE x AS (FROM x UNION ALL SELECT 1) FROM x', 'x'],
  // JavaScript takes the sign of the kelvin for a capital K; DuckDB does not.
  ['WITH "\u212Aeys" AS (SELECT 1) FROM keys', 'keys'],
  ['WITH keys AS (SELECT 1) FROM "\u212Aeys"', '\u212Aeys'],
];

for (const [sql, ...tables] of reads) {
  test(`what it reads: ${sql}`, async () => {
    assert.deepEqual((await parser.parse(sql)).tables, tables);
  });
}

test('semicolons and comments at the end are no second statement, and are gone', async () => {
  const ends = [
    '',
    ' ;\n; ',
    '; -- the end',
    ' -- one\n;\n-- two\n',
    '; /* a; /* b */ c; */ ;',
    ` -- 'it"s $$`,
  ];
  const statements = [
    'SELECT 1',
    '-- first\nSELECT 1',
    'SELECT \'it\'\'s; -- no end\', "a""; /* b" FROM c',
    "SELECT E'it\\'s; -- no end', e'a''b\\\\'",
    'SELECT $$ ; -- $ $$, $a$ $$; /* $a$, a$b FROM c',
    'SELECT 1 /* ; /* ; */ */ + 2 -- ;\n - 3',
  ];
  for (const statement of statements) {
    for (const end of ends) assert.equal((await parser.parse(statement + end)).sql, statement, end);
  }
});

test('volatile functions depend on now', async () => {
  for (const sql of ['SELECT service_now()', 'SELECT 1 WHERE (SELECT current_date) > x', 'SELECT random()']) {
    assert.equal((await parser.parse(sql)).dependsOnNow, true, sql);
  }
  assert.equal((await parser.parse('SELECT "now" FROM a')).dependsOnNow, false);
});

test('every volatile function, and macro with one, is refused or known to be volatile', async (t) => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  t.after(() => instance.closeSync());
  t.after(() => connection.disconnectSync());
  const reader = await connection.runAndReadAll(
    "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' AND function_type <> 'aggregate'",
  );
  // `error` only ends a question; `stats` is of the data.
  const names = reader
    .getRows()
    .map(([name]) => String(name))
    .filter((name) => !['error', 'stats'].includes(name));
  assert.ok(names.length > 20);
  const macros = await connection.runAndReadAll(
    'SELECT DISTINCT function_name, macro_definition FROM duckdb_functions() WHERE macro_definition IS NOT NULL',
  );
  const changing = new RegExp(
    `\\b(current_(date|time|timestamp)|${names.join('|').replace(/[^\w|]/g, '')})\\b`,
    'i',
  );
  names.push(
    ...macros.getRows().flatMap(([name, text]) => (changing.test(String(text)) ? [String(name)] : [])),
  );
  assert.ok(names.includes('ago'));
  for (const name of names) {
    const isTold = await parser.parse(`SELECT "${name}"()`).then(
      ({ dependsOnNow }) => dependsOnNow,
      (error: unknown) => error instanceof SelectMistake,
    );
    assert.ok(isTold, name);
  }
});

test('SQL that is too long to parse is refused with a reason', async () => {
  for (const count of [25_000, 60_000]) {
    const values = Array.from({ length: count }, (_, i) => i).join(',');
    await assert.rejects(parser.parse(`SELECT 1 WHERE 1 IN (${values})`), {
      name: 'SelectMistake',
      message: 'It is too long',
    });
  }
  const values = Array.from({ length: 10_000 }, (_, i) => i).join(',');
  assert.deepEqual((await parser.parse(`SELECT 1 FROM a WHERE 1 IN (${values})`)).tables, ['a']);
});

test('texts that nest without end are refused or understood, and the next one is', async () => {
  const nested: readonly ((depth: number) => string)[] = [
    (depth) => `SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`,
    (depth) => `SELECT ${'NOT '.repeat(depth)}true`,
    (depth) => `SELECT ${'- '.repeat(depth)}1`,
    (depth) => `SELECT * FROM ${'(SELECT * FROM '.repeat(depth)}a${')'.repeat(depth)}`,
    (depth) => Array(depth).fill('SELECT 1').join(' UNION ALL '),
    (depth) => `SELECT 1${'::INT'.repeat(depth)}`,
  ];
  for (const text of nested) {
    for (const depth of [500, 3_000, 20_000]) {
      await parser.parse(text(depth)).catch((error: unknown) => assert.ok(error instanceof SelectMistake));
    }
  }
  assert.deepEqual((await parser.parse('FROM a')).tables, ['a']);
});

const refused: readonly string[] = [
  '',
  '   -- nothing',
  'SELECT 1; SELECT 2',
  'SELECT 1; DROP TABLE a',
  'DROP TABLE a',
  'INSERT INTO a VALUES (1)',
  'UPDATE a SET b = 1',
  'DELETE FROM a',
  'CREATE TABLE a AS SELECT 1',
  'CREATE MACRO f() AS 1',
  "COPY (SELECT 1) TO 'x.csv'",
  "COPY a FROM 'x.csv'",
  "EXPORT DATABASE 'x'",
  "ATTACH 'x.db'",
  'USE memory',
  "SET memory_limit = '1TB'",
  'SET VARIABLE now = 0',
  'RESET ALL',
  'PRAGMA version',
  'CALL pragma_version()',
  'INSTALL httpfs',
  'LOAD httpfs',
  'CHECKPOINT',
  'VACUUM',
  'BEGIN',
  'EXPLAIN ANALYZE SELECT 1',
  'PREPARE q AS SELECT 1',
  'EXECUTE q',
  'DESCRIBE a',
  'SUMMARIZE a',
  'SHOW TABLES',
  'SELECT * FROM (DESCRIBE a)',
  'SELECT * FROM (SHOW ALL TABLES)',
  'SELECT $1',
  'SELECT ?',
  "SELECT * FROM read_csv('x.csv')",
  "SELECT * FROM read_csv_auto('x.csv')",
  "SELECT * FROM read_parquet('x.parquet')",
  "SELECT * FROM parquet_scan('x.parquet')",
  "SELECT * FROM parquet_metadata('x.parquet')",
  "SELECT * FROM read_json('x.json')",
  "SELECT * FROM read_text('/etc/passwd')",
  "SELECT * FROM read_blob('/etc/passwd')",
  "SELECT * FROM glob('*')",
  "SELECT * FROM sniff_csv('x.csv')",
  "SELECT * FROM query('SELECT 1')",
  "SELECT * FROM query_table('a')",
  'SELECT * FROM duckdb_settings()',
  'SELECT * FROM duckdb_secrets()',
  'SELECT * FROM pragma_table_info(1)',
  'SELECT * FROM information_schema.tables',
  'SELECT * FROM pg_catalog.pg_class',
  'SELECT * FROM raw."flag-dynamodb"',
  'SELECT * FROM memory.main.a',
  "SELECT current_setting('temp_directory')",
  "SELECT getenv('HOME')",
  "SELECT json_serialize_plan('SELECT * FROM read_csv(''x.csv'')')",
  'SELECT sleep_ms(1000)',
  "SELECT getvariable('now')",
  "SELECT (SELECT count(*) FROM a WHERE b IN (SELECT file FROM glob('*')))",
  "WITH a AS (SELECT * FROM read_text('x')) SELECT 1",
  "SELECT * FROM a, LATERAL (SELECT * FROM read_csv('x'))",
  'FROM a SELECT b ORDER BY (SELECT count(*) FROM duckdb_tables())',
  'PIVOT a ON b USING sum(c)',
  'WITH "x.csv" AS (SELECT 1) SELECT 2',
  'WITH "data/x" AS (SELECT 1) FROM "data/x"',
  'SELECT (WITH "x.parquet" AS (SELECT 1) FROM "x.parquet")',
];

for (const sql of refused) {
  test(`refused: ${sql || 'nothing at all'}`, async () => {
    await assert.rejects(parser.parse(sql), SelectMistake);
  });
}

test('a syntax error has its line and column', async () => {
  await assert.rejects(parser.parse('SELECT a\nFROM b c d'), (error: SelectMistake) => {
    assert.deepEqual(error.position, { line: 2, column: 10 });
    assert.match(error.message, /syntax error at or near "d"/);
    return true;
  });
});
