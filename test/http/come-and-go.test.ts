import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { httpOver } from '../support/sql-http.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const sql = (text: string) => `/csv?sql=${encodeURIComponent(text)}`;

/** HTTP over two tables and a view of one of them that another view reads. */
async function start(t: TestContext) {
  const world = await SqlWorld.start(t);
  const http = await httpOver(t, world);
  const add = async (name: string, count: string): Promise<TableRecorder> => {
    const table = await world.table(name);
    await table.record(readingOf({ id: 'string', count: 'number' }, [['a', count]]), world.time.at++);
    return table;
  };
  const remove = async (name: string, table: TableRecorder) => {
    world.registry.remove(name);
    await table.close();
  };
  const view = (name: string, text: string) =>
    world.sql.addView({ name, file: `config/views/${name}.sql`, sql: text });
  const get = async (url: string) => {
    const { statusCode, body } = await http.inject(url);
    return `${statusCode} ${body}`;
  };
  const zones = await add('zones', '3');
  await add('flags', '7');
  await view('total', 'SELECT sum("count") AS total FROM zones');
  await view('twice', 'SELECT 2 * total AS total FROM total');
  return { world, add, remove, view, get, zones };
}

test('a removed dataset disappears from HTTP and SQL, and its view is broken until it returns', async (t) => {
  const { remove, add, get, zones } = await start(t);
  assert.equal(await get('/csv/twice'), '200 total\n6\n');
  assert.equal(await get('/csv/zones?limit=1'), '200 id,count\na,3\n');
  await remove('zones', zones);
  assert.match(await get('/csv/zones'), /^404 there is no dataset "zones"/);
  assert.match(await get(sql('FROM zones')), /^404 there is no dataset "zones"/);
  const broken = 'config/views/total.sql: there is no dataset "zones"; see /datasets for their names';
  for (const url of ['/csv/total', '/csv/total?limit=1', '/csv/twice'])
    assert.equal(await get(url), `500 ${broken}\n`);
  assert.ok((await get('/healthz')).includes(JSON.stringify(broken)));
  assert.equal(await get('/csv/flags?limit=1'), '200 id,count\na,7\n');
  // It returns with other rows: nothing of the earlier one is served.
  await add('zones', '50');
  assert.equal(await get('/csv/zones?limit=1'), '200 id,count\na,50\n');
  assert.equal(await get('/csv/total?limit=1'), '200 total\n50\n');
  assert.equal(await get('/csv/twice'), '200 total\n100\n');
  assert.ok(!(await get('/healthz')).includes('VIEW_BROKEN'));
});

test('a dataset that returns immediately, while a query on the earlier one is running', async (t) => {
  const { remove, add, get, zones } = await start(t);
  const asked = [get('/csv/twice'), get('/csv/zones?limit=1'), get(sql('FROM zones'))];
  await remove('zones', zones);
  await add('zones', '4');
  for (const answer of await Promise.all(asked)) assert.match(answer, /^(200|404|500) /);
  assert.equal(await get('/csv/twice'), '200 total\n8\n');
  assert.equal(await get(sql('SELECT "count" FROM zones')), '200 count\n4\n');
});

test('views can be added and removed; who reads a removed one is broken until it returns', async (t) => {
  const { world, view, get } = await start(t);
  assert.equal(await get('/csv/twice'), '200 total\n6\n');
  world.registry.remove('total');
  assert.match(await get('/csv/total'), /^404 /);
  assert.equal(
    await get('/csv/twice'),
    '500 config/views/twice.sql: there is no dataset "total"; see /datasets for their names\n',
  );
  // Another SELECT under the name.
  await view('total', 'SELECT 21 AS total FROM zones');
  assert.equal(await get('/csv/twice'), '200 total\n42\n');
  const { version } = world.dataset('twice');
  world.registry.remove('total');
  await view('total', 'SELECT 22 AS total FROM zones');
  assert.notEqual(world.dataset('twice').version, version);
  assert.equal(await get('/csv/twice'), '200 total\n44\n');
});

test('views that start to read each other in a cycle are broken, and work once the cycle is gone', async (t) => {
  const { world, view, get } = await start(t);
  world.registry.remove('total');
  await view('total', 'SELECT total FROM twice');
  assert.match(await get('/csv/twice'), /^500 .*twice\.sql: it reads itself: twice reads total reads twice;/);
  world.registry.remove('total');
  await view('total', 'SELECT 1 AS total FROM zones');
  assert.equal(await get('/csv/twice'), '200 total\n2\n');
});

test('a view can take the name of a removed table, and a table that of a removed view', async (t) => {
  const { world, view, add, remove, get, zones } = await start(t);
  assert.equal(await get('/csv/total?limit=1'), '200 total\n3\n');
  for (const name of ['twice', 'total']) world.registry.remove(name);
  await remove('zones', zones);
  await view('zones', 'SELECT "count" + 1 AS more FROM total');
  await add('total', '9');
  assert.equal(await get('/csv/zones?limit=1'), '200 more\n10\n');
  assert.equal(await get('/csv/total?limit=1'), '200 id,count\na,9\n');
});
