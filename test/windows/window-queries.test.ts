import assert from 'node:assert/strict';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import { openLookups } from '../../src/datasets/lookups.js';
import type { Queries, Query } from '../../src/datasets/queries.js';
import { StatusDataset } from '../../src/datasets/status-dataset.js';
import { RowStores } from '../../src/windows/direct/row-stores.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { readingOf, SqlWorld, Time } from '../support/sql-world.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-24T15:30:00.000Z');
const MINUTE = 60_000;

/** Windows over a volume, and which questions were handed to DuckDB. */
async function windowsOf(t: TestContext) {
  const world = await SqlWorld.start(t, { now: NOW });
  const handedOver: string[] = [];
  const next: Queries = {
    window: (dataset, parameters) => {
      handedOver.push(`${dataset.name}?${new URLSearchParams(parameters as [string, string][])}`);
      return world.sql.queries.window(dataset, parameters);
    },
    sql: world.sql.queries.sql,
  };
  const localDays = new LocalDays('America/New_York');
  const windows = new WindowQueries({ clock: world.time, localDays, next });
  const query = (dataset: Dataset, search: string) =>
    windows.window(dataset, [...new URLSearchParams(search)]);
  const ask = async (name: string, search: string) => textOf(await query(world.dataset(name), search));
  return { world, windows, query, ask, handedOver };
}

async function textOf(query: Query): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of (await query.run(new AbortController().signal)).body) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('windows of unsealed days follow the polls, a new column and sealing, all without DuckDB', async (t) => {
  const { world, ask, handedOver } = await windowsOf(t);
  const table = await world.table('log', { log: true, changes: true });
  const polls = [
    readingOf({ id: 'string', n: 'number' }, [['a', '1']]),
    readingOf({ id: 'string', n: 'number' }, [['a', '2']]),
    readingOf({ id: 'string', n: 'number', more: 'boolean' }, [['a', '2', 'true']]),
    readingOf({ id: 'string', n: 'string', more: 'boolean' }, [['a', 'two', null]]),
  ];
  world.time.at = NOW - 4 * DAY;
  for (const poll of polls) {
    await table.record(poll, world.time.at);
    for (const [name, file] of [
      ['log', 'log.csv'],
      ['log-changes', 'log-changes.csv'],
    ] as const) {
      const whole = await readFile(join(world.dataDir, file), 'utf8');
      assert.equal(await ask(name, 'last=5d'), whole);
      assert.equal(await ask(name, 'sort=id'), whole);
    }
    world.time.at += DAY;
  }
  await world.sealer.seal(table.log!, { keep: 2, retention: null });
  assert.equal(table.log!.sealedDays.length > 0, true);
  assert.deepEqual(handedOver, []);
  const recent = await ask('log', 'last=30h');
  assert.equal(recent, 'id,more,n,timestamp\na,,two,2026-11-23T15:30:00.000Z\n');
  assert.equal(await ask('log', 'header=1'), await readFile(join(world.dataDir, 'log.csv'), 'utf8'));
  assert.deepEqual(handedOver, []);
  assert.equal((await ask('log', 'last=10d')).split('\n').length, 6);
  assert.deepEqual(handedOver, ['log?last=10d']);
});

test('a window that was understood before a poll has the rows of before', async (t) => {
  const { world, query } = await windowsOf(t);
  const table = await world.table('log', { log: true });
  await table.record(readingOf({ id: 'string' }, [['a']]), NOW - 2);
  const before = await query(table.log!, 'last=1m');
  await table.record(readingOf({ id: 'string' }, [['b']]), NOW - 1);
  const after = await query(table.log!, 'last=1m');
  assert.equal(await textOf(before), 'id,timestamp\na,2026-11-24T15:29:59.998Z\n');
  assert.equal(await textOf(after), 'id,timestamp\na,2026-11-24T15:29:59.998Z\nb,2026-11-24T15:29:59.999Z\n');
  assert.equal(before.key, after.key);
  assert.notEqual(before.version, after.version);
  assert.equal((await query(table.log!, 'last=1m')).version, after.version);
});

test('snapshots, lookups and statuses are answered from memory too, each with its latest rows', async (t) => {
  const { world, query, ask, handedOver } = await windowsOf(t);
  const zones = await world.table('zones');
  for (const n of ['10', '9']) {
    await zones.record(
      readingOf({ id: 'string', n: 'number' }, [
        ['a', n],
        ['b', '9.5'],
      ]),
      world.time.at++,
    );
    assert.equal(await ask('zones', 'sort=-n&limit=1&columns=n'), `n\n${n === '10' ? '10' : '9.5'}\n`);
  }
  const dir = join(world.dataDir, 'lookups');
  await mkdir(dir);
  await writeFile(join(dir, 'places.csv'), 'id,n\r\n"a","007"\r\nb,"1e+20"\r\n');
  await openLookups({
    ...world,
    dir,
    shown: 'lookups',
    clock: world.time,
    logger: pino({ level: 'silent' }),
  });
  assert.equal(await ask('places', 'n__gte=7'), 'id,n\na,007\nb,1e+20\n');
  assert.equal(await ask('places', 'sort=-n&columns=id'), 'id\nb\na\n');
  const status = new StatusDataset({
    name: 'status',
    description: 'How long the test has been running, in seconds.',
    clock: world.time,
    columns: [{ name: 'seconds', type: 'number' }],
    keys: [],
    rows: () => [[String(Math.floor((world.time.at - NOW) / 1_000))]],
  });
  assert.equal(await textOf(await query(status, 'format=json')), '[\n{"seconds":0}\n]\n');
  world.time.at += 5_000;
  assert.equal(await textOf(await query(status, 'format=json')), '[\n{"seconds":5}\n]\n');
  assert.deepEqual(handedOver, []);
});

test('DuckDB answers Parquet, views, large windows, and cells that only it can read', async (t) => {
  const { query, handedOver } = await windowsOf(t);
  const large = new ScriptedDataset({ name: 'large', columns: [column('id', 'number'), column('text')] });
  await large.land(Array.from({ length: 60_000 }, (_, id) => [String(id), 'some text']));
  assert.equal(await textOf(await query(large, 'limit=1&offset=59000')), 'id,text\n59000,some text\n');
  assert.deepEqual(handedOver, []);
  assert.equal(await textOf(await query(large, 'sort=-id&limit=1')), 'id,text\n59999,some text\n');
  const odd = new ScriptedDataset({ name: 'odd', columns: [column('id'), column('at', 'time')] });
  await odd.land([
    ['a', '2026-11-24T10:30:00-05:00'],
    ['b', '2026-11-24T15:30:00.001Z'],
  ]);
  assert.equal(await textOf(await query(odd, 'id=a')), 'id,at\na,2026-11-24T10:30:00-05:00\n');
  assert.equal(await textOf(await query(odd, 'at=2026-11-24T15:30:00Z&columns=id')), 'id\na\n');
  await query(odd, 'format=parquet');
  assert.deepEqual(handedOver, [
    'large?sort=-id&limit=1',
    'odd?at=2026-11-24T15%3A30%3A00Z&columns=id',
    'odd?format=parquet',
  ]);
});

test('of a log that is too long for memory the newest rows are kept, and older ones are left to DuckDB', async () => {
  const refuse = () => Promise.reject(new Error('handed over'));
  const windows = new WindowQueries({
    clock: new Time(NOW),
    localDays: new LocalDays('UTC'),
    next: { window: refuse, sql: refuse },
  });
  const columns = [column('text'), column('timestamp', 'time')];
  const log = new ScriptedDataset({ name: 'long', kind: 'log', columns, timeColumn: 'timestamp' });
  const rows = 18_000;
  const at = (row: number) => new Date(NOW - (rows - row) * MINUTE).toISOString();
  await log.land(Array.from({ length: rows }, (_, row) => ['x'.repeat(1_000), at(row)]));
  const query = (search: string) => windows.window(log, [...new URLSearchParams(search)]);
  const newest = await textOf(await query(`from=${at(rows - 1)}&columns=timestamp`));
  assert.equal(newest, `timestamp\n${at(rows - 1)}\n`);
  for (const search of [`to=${at(1)}`, `from=${at(0)}&limit=1`, 'limit=1', 'sort=text&limit=1']) {
    await assert.rejects(query(search), /handed over/, search);
  }
});

test('rows that were not requested for minutes leave memory', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const clock = new Time(NOW);
  const stores = new RowStores(clock);
  const [quiet, busy] = ['quiet', 'busy'].map(
    (name) =>
      new ScriptedDataset({
        name,
        kind: 'log',
        columns: [column('timestamp', 'time')],
        timeColumn: 'timestamp',
      }),
  );
  for (const log of [quiet!, busy!]) {
    await log.land([[new Date(NOW).toISOString()]]);
    await stores.rowsOf(log);
  }
  const { bytes } = stores;
  for (let minute = 0; minute < 7; minute++) {
    await stores.rowsOf(busy!);
    clock.at += MINUTE;
    t.mock.timers.tick(MINUTE);
  }
  assert.equal(stores.bytes, bytes / 2);
});

test('a dataset without data, and a wrong parameter, give the same errors as DuckDB', async (t) => {
  const { world, ask } = await windowsOf(t);
  const table = await world.table('zones');
  await assert.rejects(ask('zones', 'limit=1'), { code: 'DATASET_NOT_READ_YET', status: 503 });
  await table.record(readingOf({ id: 'string' }, [['a']]), world.time.at);
  for (const search of ['limit=x', 'ix=1', 'format=xml', 'last=1m']) {
    const told = await ask('zones', search).catch((error: unknown) => error);
    assert.deepEqual(told, await world.window('zones', search).catch((error: unknown) => error));
    assert.equal((told as { code: string }).code, 'BAD_PARAMETER');
  }
});

test('a window that needs a missing day is rejected and names it, one that does not is answered, as DuckDB’s way does', async (t) => {
  const { world, ask, handedOver } = await windowsOf(t);
  const table = await world.table('log', { log: true });
  await world.sealer.restore(table.log!);
  const types = { id: 'string', n: 'number' } as const;
  for (let day = 6; day >= 0; day--)
    await table.record(readingOf(types, [['a', String(day)]]), NOW - day * DAY);
  await world.sealer.seal(table.log!, { keep: 3, retention: null });
  // The last of the sealed days: what is in memory begins right behind it.
  await truncate(join(world.dataDir, 'history/log/date=2026-11-21/2026-11-21.parquet'), 100);
  const missing = { code: 'DAY_MISSING', message: /^"log" lacks the day 2026-11-21/ };
  await assert.rejects(ask('log', 'from=2026-11-18'), missing);
  handedOver.length = 0;
  // Days are New York's: they begin at 05:00 UTC.
  for (const search of [
    'from=2026-11-22T04:59:59.999Z',
    'from=2026-11-21T12:00:00Z&to=2026-11-23T12:00:00Z&limit=1',
    'last=3d',
    'to=2026-11-21T05:00:00.001Z&pivot=id:n',
    'last=10d&every=1d',
  ]) {
    await assert.rejects(ask('log', search), missing, search);
    await assert.rejects(world.window('log', search), missing, search);
  }
  assert.equal(handedOver.length, 5);
  for (const search of ['from=2026-11-22T05:00:00Z', 'last=2d', 'limit=1', 'to=2026-11-21T05:00:00Z']) {
    const answer = await ask('log', search);
    assert.ok(answer.split('\n').length > 2, search);
    assert.equal(answer, await world.window('log', search), search);
  }
});

test('an aggregate of a negative zero is what DuckDB makes of it', async (t) => {
  const { world, ask } = await windowsOf(t);
  const table = await world.table('log', { log: true });
  const types = { id: 'string', n: 'number' } as const;
  for (const [minutes, n] of ['-0', '0', '100000'].entries()) {
    world.time.at = NOW + minutes * MINUTE;
    await table.record(readingOf(types, [['a', n]]), world.time.at);
  }
  for (const search of ['agg=first:n&every=1m', 'agg=min:n,max:n,last:n', 'agg=distinct:n,sum:n'])
    assert.equal(await ask('log', search), await world.window('log', search), search);
});
