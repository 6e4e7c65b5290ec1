import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingOf, SqlWorld } from '../support/sql-world.js';

test('errors in ad-hoc SQL are reported with their position in the text', async (t) => {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones');
  await zones.record(readingOf({ id: 'string', count: 'number' }, [['a', '1']]), world.time.at);
  const mistakes: readonly (readonly [sql: string, status: number, says: RegExp])[] = [
    ['SELECT nope FROM zones', 400, /^line 1, column 8: Binder Error: .*"nope" not found/],
    ['SELECT id,\n  nope FROM zones', 400, /^line 2, column 3: /],
    ['SELECT id\nFROM zones AS a b', 400, /^line 2, column 17: .*syntax error at or near "b"/],
    ['SELECT * FROM zonse', 404, /^there is no dataset "zonse"; did you mean zones\?$/],
    ["SELECT * FROM read_csv('x.csv')", 400, /^read_csv\(\) cannot be read from; read datasets/],
    // Found while computing, in a statement of ours around the text: no place at all is better than a wrong one.
    ['SELECT id::INTEGER AS n FROM zones', 400, /^Conversion Error: Could not convert string 'a'/],
  ];
  for (const [sql, status, says] of mistakes) {
    await assert.rejects(world.ask(sql), (error: Error & { status: number; line: string }) => {
      assert.match(error.line, says);
      assert.equal(error.status, status);
      return true;
    });
  }
});

test('the result of ad-hoc SQL ends with an error at the first row beyond the limit', async (t) => {
  const world = await SqlWorld.start(t);
  for (const search of ['', 'format=json', 'format=parquet']) {
    await assert.rejects(world.ask('SELECT 1 AS n FROM range(1000001)', search), {
      code: 'SQL_TOO_MANY_ROWS',
      status: 400,
    });
  }
  assert.equal((await world.ask('SELECT 1 AS n FROM range(1000000)')).length, 2_000_002);
});

test('ad-hoc SQL that runs out of memory gets an error, and the next query works', async (t) => {
  const world = await SqlWorld.start(t);
  await assert.rejects(
    world.ask("SELECT length(string_agg(repeat('x', 1000), ',')) AS n FROM range(10000000)"),
    { code: 'SQL_FAILED', status: 400, message: /Out of Memory/ },
  );
  assert.equal(await world.ask('SELECT 7 AS n'), 'n\n7\n');
});

test('ad-hoc SQL accepts only output parameters', async (t) => {
  const world = await SqlWorld.start(t);
  assert.equal(await world.ask('SELECT 1 AS n WHERE false', 'pad=1&null=null'), 'n\nnull\n');
  await assert.rejects(world.ask('SELECT 1 AS n', 'limit=1'), {
    status: 400,
    message: 'limit: SQL has no such parameter',
  });
});

test('PIVOT works with its values written down, and is refused without them', async (t) => {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones');
  const rows = [
    ['a', '1'],
    ['b', '2'],
  ] as const;
  await zones.record(readingOf({ id: 'string', count: 'number' }, rows), world.time.at);
  const pivot = (values: string) => `SELECT * FROM (PIVOT zones ON id${values} USING sum("count"))`;
  assert.equal(await world.ask(pivot(" IN ('a', 'b')")), 'a,b\n1,2\n');
  assert.equal(await world.ask(`PIVOT zones ON id IN ('b') USING sum("count")`), 'b\n2\n');
  await assert.rejects(world.ask(pivot('')), { status: 400 });
  await assert.rejects(world.ask('PIVOT zones ON id USING sum("count")'), { status: 400 });
});
