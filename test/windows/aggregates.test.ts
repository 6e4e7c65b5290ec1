import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LocalDays } from '../../src/base/local-days.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Queries } from '../../src/datasets/queries.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const NOW = Date.parse('2026-11-24T15:30:00.000Z');
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** A volume, with windows answered as the service answers them, and by DuckDB alone. */
async function worldOf(t: TestContext, timeZone = 'America/New_York') {
  const world = await SqlWorld.start(t, { now: NOW, timeZone });
  const next = world.sql.queries;
  const windows = new WindowQueries({ clock: world.time, localDays: new LocalDays(timeZone), next });
  const text = async (queries: Queries, dataset: Dataset, search: string) => {
    const query = await queries.window(dataset, [...new URLSearchParams(search)]);
    const parts: Buffer[] = [];
    for await (const part of (await query.run(new AbortController().signal)).body) parts.push(part);
    return Buffer.concat(parts);
  };
  const bytes = (dataset: Dataset, search: string) => text(windows, dataset, search);
  /** The answer, which is the same both ways. */
  const ask = async (dataset: Dataset, search: string) => {
    const answer = String(await bytes(dataset, search));
    assert.equal(answer, String(await text(next, dataset, search)), search);
    return answer;
  };
  return { world, ask, bytes };
}

async function readings(rows: readonly (readonly (string | null)[])[]) {
  const columns = [column('device'), column('temperature', 'number'), column('timestamp', 'time')];
  const log = new ScriptedDataset({ name: 'readings', kind: 'log', columns, timeColumn: 'timestamp' });
  await log.land(rows);
  return log;
}

const at = (time: string) => `2026-11-24T${time}Z`;

test('a log, its changes and sealed days have aggregates', async (t) => {
  const { world, ask } = await worldOf(t);
  const table = await world.table('log', { log: true, changes: true });
  world.time.at = NOW - 4 * DAY;
  for (const n of ['1', '2', '4', '3', '8']) {
    await table.record(readingOf({ id: 'string', n: 'number' }, [['a', n]]), world.time.at);
    world.time.at += DAY;
  }
  world.time.at = NOW;
  await world.sealer.seal(table.log!, { keep: 2, retention: null });
  assert.ok(table.log!.sealedDays.length > 0);
  const daily = await ask(world.dataset('log'), 'last=5d&every=1d&agg=max:n,increase:n&by=id');
  const day = (date: string) => `2026-11-${date}T05:00:00.000Z`;
  assert.equal(
    daily,
    `timestamp,id,n_max,n_increase\n${day('20')},a,1,\n${day('21')},a,2,1\n${day('22')},a,4,2\n${day('23')},a,3,3\n${day('24')},a,8,5\n`,
  );
  assert.equal(await ask(world.dataset('log'), 'last=5d&agg=increase:n'), 'n_increase\n11\n');
  assert.equal(
    await ask(world.dataset('log-changes'), 'last=5d&agg=count,sum:n&by=change'),
    'change,count,n_sum\ninsert,1,1\nupdate,4,17\n',
  );
});

test('a snapshot and a view have aggregates', async (t) => {
  const { world, ask, bytes } = await worldOf(t);
  const zones = await world.table('zones');
  await zones.record(
    readingOf({ id: 'string', borough: 'string', n: 'number' }, [
      ['1', 'Queens', '2.5'],
      ['2', 'Queens', null],
      ['3', null, '7'],
    ]),
    NOW,
  );
  assert.equal(
    await ask(world.dataset('zones'), 'agg=count,avg:n&by=borough'),
    'borough,count,n_avg\nQueens,2,2.5\n,1,7\n',
  );
  await world.sql.addView({
    name: 'doubled',
    sql: 'SELECT borough, CAST(n * 2 AS DECIMAL(9, 2)) AS n FROM zones',
    file: 'doubled.sql',
  });
  assert.equal(
    String(await bytes(world.dataset('doubled'), 'agg=sum:n,last:n&by=borough&sort=-n_sum&limit=1')),
    'borough,n_sum,n_last\n,14,14.00\n',
  );
});

test('a window without rows has one row without values, or none where series are told apart', async (t) => {
  const { ask } = await worldOf(t);
  const log = await readings([['a', '1', at('10:00:00')]]);
  const empty = 'from=2026-11-24T12:00:00Z&to=2026-11-24T14:00:00Z';
  assert.equal(await ask(log, `${empty}&agg=count,avg:temperature`), 'count,temperature_avg\n0,\n');
  assert.equal(await ask(log, `${empty}&agg=count&by=device`), 'device,count\n');
  assert.equal(await ask(log, `${empty}&agg=count&every=1h`), 'timestamp,count\n');
  assert.equal(
    await ask(log, `${empty}&agg=count&every=1h&fill=0`),
    'timestamp,count\n2026-11-24T12:00:00.000Z,0\n2026-11-24T13:00:00.000Z,0\n',
  );
});

test('fill without bounds goes from the first step with rows to the last, for every series', async (t) => {
  const { ask } = await worldOf(t);
  const log = await readings([
    ['a', '1', at('10:00:30')],
    ['b', null, at('10:02:10')],
    ['a', '5', at('10:03:00')],
    ['a', '9', null],
  ]);
  const step = (minute: number) => `2026-11-24T10:0${minute}:00.000Z`;
  const rows = (search: string) => ask(log, `every=1m&agg=max:temperature,last:device&by=device&${search}`);
  assert.equal(
    await rows('fill=previous&header=false'),
    [
      `${step(0)},a,1,a`,
      `${step(0)},b,,`,
      `${step(1)},a,1,a`,
      `${step(1)},b,,`,
      `${step(2)},a,1,a`,
      `${step(2)},b,,b`,
      `${step(3)},a,5,a`,
      `${step(3)},b,,b`,
      '',
    ].join('\n'),
  );
  // A text is never 0, nor is the value of a row that has none.
  assert.equal(
    await rows('fill=0&header=false&null=none&limit=6'),
    [
      `${step(0)},a,1,a`,
      `${step(0)},b,0,`,
      `${step(1)},a,0,`,
      `${step(1)},b,0,`,
      `${step(2)},a,0,`,
      `${step(2)},b,none,b`,
      '',
    ].join('\n'),
  );
  assert.equal(
    await ask(log, 'every=1m&agg=max:temperature&pivot=device:temperature_max&fill=null&null=null'),
    `timestamp,a,b\n${step(0)},1,null\n${step(1)},null,null\n${step(2)},null,null\n${step(3)},5,null\n`,
  );
});

test('a day begins at its first instant, where midnight comes twice and where it does not come', async (t) => {
  for (const [timeZone, row, start] of [
    ['America/Havana', '2026-11-01T05:30:00.000Z', '2026-11-01T04:00:00.000Z'],
    ['America/Havana', '2026-03-08T12:00:00.000Z', '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-11-01T23:00:00.000Z', '2026-11-01T04:00:00.000Z'],
    ['America/New_York', '2026-03-08T23:00:00.000Z', '2026-03-08T05:00:00.000Z'],
  ] as const) {
    await t.test(`${timeZone} ${row}`, async (t) => {
      const { ask } = await worldOf(t, timeZone);
      const log = await readings([['a', '1', row]]);
      assert.equal(await ask(log, 'every=1d&agg=count'), `timestamp,count\n${start},1\n`);
    });
  }
});

test('a number with more digits than a double has is another one for distinct, and whole for first and last', async (t) => {
  const { ask } = await worldOf(t);
  const log = await readings([
    ['a', '12345678901234567890123456789012345678', at('10:00:00')],
    ['a', '12345678901234567890123456789012345679', at('10:00:01')],
    ['a', '0.50', at('10:00:02')],
    ['a', '0.5', at('10:00:03')],
  ]);
  assert.equal(
    await ask(log, 'agg=distinct:temperature,first:temperature,last:temperature,max:temperature'),
    'temperature_distinct,temperature_first,temperature_last,temperature_max\n' +
      '3,12345678901234567890123456789012345678,0.5,12345678901234568000000000000000000000\n',
  );
});

test('a result of more rows than can be placed is refused, with what to change', async (t) => {
  const { world, ask } = await worldOf(t);
  const log = await readings([['a', '1', at('10:00:00')]]);
  await assert.rejects(ask(log, 'every=1s&agg=count&fill=null&last=2d'), {
    code: 'BAD_PARAMETER',
    message: /^fill: the result would have 172801 rows/,
  });
  const many = new ScriptedDataset({ name: 'many', columns: [column('id', 'number')] });
  await many.land(Array.from({ length: 50_001 }, (_, id) => [String(id)]));
  const query = await world.sql.queries.window(many, [
    ['agg', 'count'],
    ['by', 'id'],
  ]);
  await assert.rejects(query.run(new AbortController().signal), {
    code: 'BAD_PARAMETER',
    message: 'agg: the result has more than 50000 rows',
  });
});

test('Parquet has the aggregates with types', async (t) => {
  const { world, bytes } = await worldOf(t);
  const log = await readings([
    ['é,', '1.5', at('10:00:00')],
    [null, null, at('10:01:00')],
  ]);
  const parquet = await bytes(log, 'every=1m&agg=count,max:temperature&by=device&format=parquet');
  assert.equal(parquet.subarray(0, 4).toString(), 'PAR1');
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const { writeFile } = await import('node:fs/promises');
  const file = `${world.dataDir}/answer.parquet`;
  await writeFile(file, parquet);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = await connection.runAndReadAll(
    `SELECT epoch_ms("timestamp")::VARCHAR, device, count, typeof(count), temperature_max, typeof(temperature_max) FROM '${file}'`,
  );
  assert.deepEqual(rows.getRows(), [
    [String(Date.parse(at('10:00:00'))), 'é,', 1n, 'BIGINT', 1.5, 'DOUBLE'],
    [String(Date.parse(at('10:01:00'))), null, 1n, 'BIGINT', null, 'DOUBLE'],
  ]);
  connection.closeSync();
});
