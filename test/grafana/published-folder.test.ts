import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LocalDays } from '../../src/base/local-days.js';
import { PublishedFolder } from '../../src/dashboards/published-folder.js';
import { dashboardUid } from '../../src/dashboards/uid.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { type Files, nodeFiles } from '../../src/volume/files.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { DashboardJson } from './provisioning.js';

const orders = `${dashboardUid('orders')}.json`;
const users = `${dashboardUid('users')}.json`;

async function world(t: TestContext, files: Files = nodeFiles) {
  const dir = join(await temporaryFolder(t), 'dashboards');
  const registry = new DatasetRegistry();
  const clock = new ManualClock('2026-11-28T12:00:00Z');
  const { logger, lines } = logLines('info');
  const nobody = {
    window: () => Promise.reject(new Error('no SQL')),
    sql: () => Promise.reject(new Error('no SQL')),
  };
  const queries = new WindowQueries({ clock, localDays: new LocalDays('UTC'), next: nobody });
  const folder = new PublishedFolder({
    dir,
    files,
    datasource: 'infinity',
    registry,
    queries,
    timeZone: 'UTC',
    clock,
    logger,
  });
  return { dir, registry, clock, lines, folder, update: () => folder.update(new AbortController().signal) };
}

async function table(
  registry: DatasetRegistry,
  name: string,
  ids: readonly string[],
): Promise<ScriptedDataset> {
  const dataset = new ScriptedDataset({ name, columns: [column('id'), column('n', 'number')], keys: ['id'] });
  if (ids.length > 0) await dataset.land(ids.map((id, i) => [id, String(i)]));
  registry.add(dataset);
  return dataset;
}

const dashboardIn = async (dir: string, file: string) =>
  JSON.parse(await readFile(join(dir, file), 'utf8')) as DashboardJson & { tags: string[] };

test('each table has a dashboard in the folder, in the flavour asked for', async (t) => {
  const { dir, registry, update } = await world(t);
  await table(registry, 'orders', ['a', 'b']);
  await table(registry, 'users', ['c']);
  const view = new ScriptedDataset({ name: 'a-view', kind: 'view', columns: [column('id')] });
  await view.land([['a']]);
  registry.add(view);
  await update();
  assert.deepEqual((await readdir(dir)).sort(), [orders, users].sort());
  const { title, uid, panels, tags } = await dashboardIn(dir, orders);
  assert.deepEqual([title, `${uid}.json`, tags], ['orders', orders, ['dynamo-csv-table']]);
  assert.equal(panels[0]!.datasource!.uid, 'infinity');
});

test('a table that goes takes its dashboard with it, and nothing that is not ours', async (t) => {
  const { dir, registry, update, lines, clock } = await world(t);
  await table(registry, 'orders', ['a']);
  await table(registry, 'users', ['c']);
  await update();
  const others = ['mine.json', 'table.json', 'table-mine.json', 'dashboards.yaml', `${orders}.bak`];
  for (const name of others) await writeFile(join(dir, name), '{}');
  await writeFile(join(dir, `.${users}.tmp`), '{');
  registry.remove('users');
  clock.advance(60_000);
  await update();
  assert.deepEqual((await readdir(dir)).sort(), [orders, ...others].sort());
  assert.match(String(lines.at(-1)!.msg), /removed the dashboard of a table that is gone/);
});

test('dashboards of an earlier run are taken over: those of gone tables are removed a minute after the start', async (t) => {
  const { dir, registry, update, clock } = await world(t);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, users), '{}');
  await writeFile(join(dir, orders), '{}');
  await table(registry, 'orders', ['a']);
  await update();
  assert.deepEqual((await readdir(dir)).sort(), [orders, users].sort());
  clock.advance(60_000);
  await update();
  assert.deepEqual(await readdir(dir), [orders]);
  assert.equal((await dashboardIn(dir, orders)).title, 'orders');
});

test('a file is replaced when its table has another column, and left alone otherwise', async (t) => {
  const { dir, registry, update, clock } = await world(t);
  const dataset = await table(registry, 'orders', ['a']);
  await update();
  const { mtimeMs } = await stat(join(dir, orders));
  await dataset.land([['b', '2']]);
  await update();
  assert.equal((await stat(join(dir, orders))).mtimeMs, mtimeMs);
  Object.assign(dataset, { columns: [...dataset.columns, column('price', 'number')] });
  await update();
  const titles = async () => (await dashboardIn(dir, orders)).panels.map(({ title }) => title);
  assert.ok((await titles()).includes('Price'));
  assert.equal(clock.now(), Date.parse('2026-11-28T12:00:00Z'));
});

test('a key that has new values is offered with them after ten minutes', async (t) => {
  const { dir, registry, folder, clock } = await world(t);
  const dataset = await table(registry, 'orders', ['a']);
  const stopping = new AbortController();
  const running = folder.run(stopping.signal);
  const offered = async () =>
    (await dashboardIn(dir, orders)).templating.list.map(({ query }) => typeof query === 'object');
  await clock.asleep(1);
  assert.deepEqual(await offered(), [true]);
  // With 51 values there is nothing to choose from.
  await dataset.land(Array.from({ length: 51 }, (_, i) => [`id ${i}`, '1']));
  for (let seconds = 0; seconds < 595; seconds += 5) await clock.next();
  assert.deepEqual(await offered(), [true]);
  await clock.next();
  assert.deepEqual(await offered(), []);
  stopping.abort();
  await running;
});

test('a dashboard that was made while the service was busy gets its variables at the next look', async (t) => {
  const { dir, registry, folder } = await world(t);
  const dataset = await table(registry, 'orders', ['a']);
  const offered = async () => (await dashboardIn(dir, orders)).templating.list.map(({ name }) => name);
  const content = dataset.content.bind(dataset);
  Object.assign(dataset, { content: () => Promise.reject(new Error('busy')) });
  await folder.update(new AbortController().signal);
  assert.deepEqual(await offered(), []);
  Object.assign(dataset, { content });
  await folder.update(new AbortController().signal);
  assert.deepEqual(await offered(), ['id']);
});

test('a table that was not read yet, and one whose file cannot be written, do not stop the others', async (t) => {
  const files = new FaultyFiles(nodeFiles, ({ name, path }) =>
    name === 'rename' && path.includes(dashboardUid('orders')) ? { fails: 'EACCES' } : null,
  );
  const { dir, registry, update, lines } = await world(t, files);
  const waiting = await table(registry, 'waiting', []);
  Object.assign(waiting, { columns: null });
  await table(registry, 'orders', ['a']);
  await table(registry, 'users', ['c']);
  await update();
  await update();
  assert.deepEqual(await readdir(dir), [users]);
  const warnings = lines.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]!.msg), /^could not write dashboards for Grafana: /);
});
