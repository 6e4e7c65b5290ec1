import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { tryViews } from '../../src/sql/try-views.js';
import type { ViewDataset } from '../../src/sql/view-dataset.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const counts = (...rows: [string, string | null][]) => readingOf({ id: 'string', count: 'number' }, rows);

/** A world with the table `zones` and these views. */
async function worldWith(t: TestContext, files: Readonly<Record<string, string>>) {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones', { changes: true });
  const views = await addViews(t, world, files);
  return { world, zones, views };
}

async function addViews(t: TestContext, world: SqlWorld, files: Readonly<Record<string, string>>) {
  const folder = join(await temporaryFolder(t), 'views');
  await mkdir(folder);
  for (const [name, sql] of Object.entries(files)) await writeFile(join(folder, name), sql);
  return world.sql.openViews(folder, 'config/views');
}

const text = async (view: ViewDataset) => (await view.content()).bytes.toString();

test('the leading comment is the description and declares time and keys', async (t) => {
  const { views } = await worldWith(t, {
    'busy.sql':
      '-- Busy zones,\n-- the most first.\n-- time: timestamp\n-- keys: date, rank\nSELECT 1 -- no\n',
  });
  const [view] = views;
  assert.deepEqual(
    [view!.name, view!.kind, view!.source, view!.description, view!.timeColumn, view!.keys],
    ['busy', 'view', 'config/views/busy.sql', 'Busy zones, the most first.', 'timestamp', ['date', 'rank']],
  );
});

test('the leading comment is understood as any editor writes it', async (t) => {
  const { views } = await worldWith(t, {
    'windows.sql': '\uFEFF-- From a\r\n-- Windows editor.\r\n-- keys: id\r\nSELECT id FROM zones\r\n',
  });
  assert.deepEqual([views[0]!.description, views[0]!.keys], ['From a Windows editor.', ['id']]);
});

test('a view is computed from datasets, other views and lookups, and kept until an input changes', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'all.sql': 'SELECT sum("count") AS total FROM busy',
    'busy.sql': 'SELECT * FROM zones WHERE "count" > 1;\n',
  });
  const [all, busy] = views;
  assert.equal(all!.version, null);
  await assert.rejects(all!.content(), { code: 'DATASET_NOT_READ_YET' });
  await zones.record(counts(['a', '1'], ['b', '2'], ['c', '3']), world.time.at);
  assert.equal(await text(busy!), 'id,count\nb,2\nc,3\n');
  assert.equal(await text(all!), 'total\n5\n');
  const kept = await all!.content();
  await zones.record(counts(['a', '1'], ['b', '2'], ['c', '3']), world.time.at++);
  assert.equal(all!.version, kept.version, 'nothing changed');
  assert.equal((await all!.content()).bytes, kept.bytes);
  await zones.record(counts(['a', '9']), world.time.at++);
  assert.notEqual(all!.version, kept.version);
  assert.equal(await text(all!), 'total\n9\n');
  assert.deepEqual(busy!.definition.uses, ['zones']);
  assert.deepEqual(all!.definition.uses, ['busy']);
});

test('a view that asks for now is kept for five seconds at most, and so is one that reads it', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'now.sql': 'SELECT service_now() AS now FROM zones',
    'reads-now.sql': 'SELECT now + INTERVAL 1 HOUR AS later FROM now',
  });
  await zones.record(counts(['a', '1']), world.time.at);
  const reader = views[1]!;
  assert.equal(await text(reader), 'later\n2026-11-20T13:00:00.000Z\n');
  world.time.at += 4_000;
  assert.equal(await text(reader), 'later\n2026-11-20T13:00:00.000Z\n');
  world.time.at += 1_000;
  assert.equal(await text(reader), 'later\n2026-11-20T13:00:05.000Z\n');
});

test('types, digits and plain decimals of computed columns', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'types.sql': `SELECT 1e20::DOUBLE AS large, 1.5e-7::DOUBLE AS small, 'nan'::DOUBLE AS nothing, 3::HUGEINT AS whole,
      0.10::DECIMAL(4, 2) AS exact, true AS yes, DATE '2026-11-24' AS day, TIMESTAMP '2026-11-24 01:02:03' AS utc, [1, 2] AS list
      FROM zones`,
  });
  await zones.record(counts(['a', '1']), world.time.at);
  assert.equal(
    await text(views[0]!),
    'large,small,nothing,whole,exact,yes,day,utc,list\n' +
      '100000000000000000000,0.00000015,,3,0.10,true,2026-11-24,2026-11-24T01:02:03.000Z,"[1,2]"\n',
  );
  const types = views[0]!.columns!.map(({ type }) => type).join(' ');
  assert.equal(types, 'number number number number number boolean string time string');
});

test('order and windows of a view', async (t) => {
  const { world, zones } = await worldWith(t, {
    'ordered.sql': '-- keys: id\nSELECT * FROM zones ORDER BY "count" DESC',
  });
  await zones.record(counts(['a', '1'], ['b', '2'], ['c', '3']), world.time.at);
  assert.equal(await world.window('ordered'), 'id,count\nc,3\nb,2\na,1\n');
  assert.equal(await world.window('ordered', 'count__lt=3&columns=id&limit=1'), 'id\nb\n');
  await assert.rejects(world.window('ordered', 'last=5m'), /has no time column/);
});

test('a view with more rows than are kept is computed for each question', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'many.sql': 'SELECT i, i % 7 AS rest FROM zones, range(200001) AS r(i) ORDER BY i DESC',
    'few.sql': 'SELECT count(*) AS n FROM many',
    'timed.sql': 'SELECT service_now() AS now FROM zones, range(200001)',
  });
  await zones.record(counts(['a', '1']), world.time.at);
  world.time.at += 60_000;
  assert.match(await text(views[2]!), /^now\n2026-11-20T12:01:00.000Z\n/);
  assert.equal(await world.window('many', 'limit=2'), 'i,rest\n200000,3\n199999,2\n');
  assert.equal(await text(views[0]!), 'n\n200001\n');
  assert.equal((await views[1]!.content()).rows, 200_001);
  await zones.record(counts(), world.time.at++);
  assert.equal(await world.window('many'), 'i,rest\n');
});

const brokenViews: readonly (readonly [what: string, sql: string, says: RegExp])[] = [
  [
    'a syntax error',
    'SELECT 1\nFROM zones zones zones',
    /^config\/views\/bad\.sql, line 2: .*syntax error at or near "zones"; correct/,
  ],
  [
    'a column that is not there',
    '-- A view.\nSELECT id,\n  nope FROM zones',
    /bad\.sql, line 3: .*"nope" not found/,
  ],
  [
    'a dataset that is not there',
    'SELECT * FROM zone',
    /bad\.sql: there is no dataset "zone"; did you mean zones\?/,
  ],
  ['nothing in it', '-- To be written.\n', /bad\.sql: There is no SQL; correct/],
  [
    'a time column in its comment that it does not give',
    '-- time: at\nSELECT id FROM zones',
    /bad\.sql: its comment names the column "at", which its SQL does not give; correct the line/,
  ],
  ['a key in its comment that it does not give', '-- keys: id, n\nSELECT id FROM zones', /column "n", which/],
  ['two statements', 'SELECT 1; SELECT 2', /bad\.sql: There are 2 statements/],
  ['a file', "SELECT * FROM read_csv('x.csv')", /bad\.sql: read_csv\(\) cannot be read from/],
  ['itself', 'SELECT * FROM bad', /bad\.sql: it reads itself: bad reads bad; take one/],
  [
    'a value that cannot be computed',
    'SELECT CAST(id AS INTEGER) AS n FROM zones',
    /bad\.sql.*Could not convert string 'a'/,
  ],
];

for (const [what, sql, says] of brokenViews) {
  test(`a view with ${what} is reported with its file, and others are not affected`, async (t) => {
    const { world, zones, views } = await worldWith(t, {
      'bad.sql': sql,
      'good.sql': 'SELECT count(*) AS n FROM zones',
    });
    await zones.record(counts(['a', '1']), world.time.at);
    const said: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => said.push(JSON.parse(line).msg) });
    assert.deepEqual(await tryViews(views, logger), []);
    assert.equal(said.length, 1);
    assert.match(said[0]!, says);
    await assert.rejects(views[0]!.content(), { code: 'VIEW_BROKEN', status: 500 });
    assert.equal(views[0]!.status().lastError?.code, 'VIEW_BROKEN');
    assert.equal(await text(views[1]!), 'n\n1\n');
    assert.equal(views[1]!.status().lastError, null);
  });
}

test('a service that stops logs nothing about the views that it interrupts', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'a.sql': 'SELECT count(*) AS n FROM range(20000000000)',
    'b.sql': 'SELECT count(*) AS n FROM zones',
  });
  await zones.record(counts(['a', '1']), world.time.at);
  const said: string[] = [];
  const logger = pino({ level: 'error' }, { write: (line: string) => said.push(line) });
  const ending = new AbortController();
  const checked = tryViews(views, logger, ending.signal);
  ending.abort();
  await world.sql.close();
  await checked;
  assert.deepEqual(said, []);
});

test('views that read each other in a circle are broken, all of them', async (t) => {
  const { views } = await worldWith(t, { 'a.sql': 'FROM b', 'b.sql': 'FROM c', 'c.sql': 'FROM a' });
  for (const view of views) {
    const message = new RegExp(
      `^config/views/${view.name}\\.sql: it reads itself: ${view.name} reads .* reads ${view.name};`,
    );
    assert.match(view.status().lastError!.message, message);
    await assert.rejects(view.content(), { code: 'VIEW_BROKEN' });
  }
});

test('a view that reads a broken one reports it before it is requested', async (t) => {
  const { views } = await worldWith(t, { 'a.sql': 'FROM b', 'b.sql': 'FROM b', 'c.sql': 'FROM a' });
  for (const view of views)
    assert.match(view.status().lastError!.message, /b\.sql: it reads itself: b reads b;/);
});

test('a dataset below many levels of views is asked once, not twice as often with each level', async (t) => {
  const levels = 40;
  const sql: Record<string, string> = { 'v0.sql': 'FROM zones', 'v1.sql': 'FROM zones' };
  for (let level = 2; level < levels; level++)
    sql[`v${level}.sql`] = `FROM v${level - 1} UNION ALL FROM v${level - 2}`;
  const { world, zones, views } = await worldWith(t, sql);
  await zones.record(counts(['a', '1']), world.time.at);
  const top = views.find(({ name }) => name === `v${levels - 1}`)!;
  assert.equal(top.status().readAt, world.time.at);
  assert.notEqual(top.version, null);
  assert.equal(top.circle(), null);
});

test('a view that failed for its data works again when the data is right', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'n.sql': 'SELECT CAST(id AS INTEGER) AS n FROM zones',
  });
  await zones.record(counts(['a', '1']), world.time.at);
  await assert.rejects(views[0]!.content(), { code: 'VIEW_BROKEN' });
  await zones.record(counts(['7', '1']), world.time.at++);
  assert.equal(await text(views[0]!), 'n\n7\n');
  assert.equal(views[0]!.status().lastError, null);
});

test('a view that failed is not computed again until something changes, or a minute has passed', async (t) => {
  const { world, zones, views } = await worldWith(t, {
    'n.sql': 'SELECT CAST(id AS INTEGER) AS n FROM zones',
  });
  const failedAt = async () => {
    await assert.rejects(views[0]!.content(), { code: 'VIEW_BROKEN' });
    return views[0]!.status().lastError!.at;
  };
  await zones.record(counts(['a', '1']), world.time.at);
  const first = await failedAt();
  world.time.at += 59_000;
  assert.equal(await failedAt(), first);
  world.time.at += 1_000;
  assert.equal(await failedAt(), world.time.at);
  world.time.at += 1_000;
  await zones.record(counts(['b', '1']), world.time.at);
  assert.equal(await failedAt(), world.time.at);
});

test('days that the retention drops are dropped from a view', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  for (const days of [20, 10, 0]) {
    await log.record(counts(['a', String(days)]), world.time.at - days * 86_400_000);
  }
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  const [view] = await addViews(t, world, { 'days.sql': 'SELECT count FROM log ORDER BY "timestamp"' });
  assert.equal(await text(view!), 'count\n20\n10\n0\n');
  const { version } = view!;
  await world.sealer.seal(log.log!, { keep: 3, retention: 15 });
  assert.notEqual(view!.version, version);
  assert.equal(await text(view!), 'count\n10\n0\n');
});

test('a view that cannot be read is left out, and no other is touched', async (t) => {
  const world = await SqlWorld.start(t);
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'a.sql'));
  await writeFile(join(folder, 'b.sql'), 'SELECT 1 AS one');
  const views = await world.sql.openViews(folder, 'config/views');
  assert.deepEqual(await Promise.all(views.map(text)), ['one\n1\n']);
});

test('a view that takes the name of a dataset is left out', async (t) => {
  const { world, views } = await worldWith(t, { 'Zones.sql': 'SELECT 1' });
  assert.deepEqual(views, []);
  assert.equal(world.dataset('zones').kind, 'snapshot');
});
