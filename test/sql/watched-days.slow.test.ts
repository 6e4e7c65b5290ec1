import assert from 'node:assert/strict';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Hold } from '../../src/history/day-files.js';
import { LocalStore } from '../../src/history/local-store.js';
import type { StoredDay } from '../../src/history/store.js';
import { nodeFiles } from '../../src/volume/files.js';
import { historyFolder } from '../../src/volume/layout.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Sealed days that another service replaces, as a follower on a shared folder reads them. */

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const ALL = 'from=2000-01-01T00:00:00Z&columns=id,zone&sort=id';

class SharedDays extends LocalStore {
  /** Called before a session reads files, and before files are read for who follows. */
  readonly before = { session: () => {}, following: () => {} };
  /** Where another service has moved the days of this folder; null: nowhere. */
  movedTo: string | null = null;

  override mayChange(): boolean {
    return true;
  }

  override tryHold(paths: readonly string[]): Hold | null {
    this.before.session();
    return super.tryHold(paths);
  }

  override async hold(paths: readonly string[]): Promise<Hold> {
    this.before.following();
    return super.hold(paths);
  }

  override async days(dataset: string): Promise<readonly StoredDay[]> {
    return this.movedTo === null
      ? super.days(dataset)
      : new LocalStore(this.movedTo, nodeFiles).days(dataset);
  }

  override pathsOf(dataset: string, day: StoredDay): readonly string[] {
    return this.movedTo === null
      ? super.pathsOf(dataset, day)
      : new LocalStore(this.movedTo, nodeFiles).pathsOf(dataset, day);
  }
}

async function shared(t: TestContext) {
  const dataDir = await temporaryFolder(t);
  const store = new SharedDays(dataDir, nodeFiles);
  const world = await SqlWorld.start(t, { dataDir, store, timeZone: 'UTC', now: NOW });
  const log = await world.table('log', { log: true });
  for (const daysAgo of [3, 2]) {
    const rows = [[String(daysAgo), `zone ${daysAgo}`]];
    await log.record(readingOf({ id: 'number', zone: 'string' }, rows, ['id']), NOW - daysAgo * DAY);
  }
  const unsealed = await log.log!.rows();
  await world.sealer.restore(log.log!);
  await world.sealer.seal(log.log!, { keep: 1, retention: null });
  await log.record(
    readingOf({ id: 'number', zone: 'string', Zone: 'string' }, [['0', 'zone 0', 'Z']], ['id']),
    NOW,
  );
  const paths = log.log!.sealedDays.flatMap((day) => day.paths);
  assert.equal(paths.length, 2);
  /** As `OneSchema` does it in another process: "zone" has another name, beside a column that SQL takes for it. */
  const prepare = async (path: string) => {
    const [text, bigint] = ['VARCHAR', 'BIGINT'] as const;
    const schema = [
      { name: 'id', type: bigint, isExactInDouble: true },
      { name: 'Zone', type: text, isExactInDouble: false },
      { name: 'zone_2', type: text, isExactInDouble: false },
      { name: 'timestamp', type: 'TIMESTAMPTZ' as const, isExactInDouble: false },
    ];
    const columns = schema.map(({ name }) => ({ name, own: name === 'zone_2' ? 'zone' : name }));
    const to = join(dataDir, 'written again');
    await world.sql.parquet.rewrite({ from: path, to, schema, columns });
    return () => renameSync(to, path);
  };
  const writeAgain = async (path: string) => (await prepare(path))();
  return { world, log, store, unsealed, paths, prepare, writeAgain };
}

test('windows and SQL have the cells of days that another service wrote again with a column renamed, at once', async (t) => {
  const { world, paths, writeAgain } = await shared(t);
  const text = 'id,zone\n0,zone 0\n2,zone 2\n3,zone 3\n';
  const sql = 'SELECT id, zone_2 AS zone FROM log ORDER BY id';
  assert.equal(await world.window('log', ALL), text);
  assert.equal(await world.ask(sql), text);
  await writeAgain(paths[0]!);
  assert.equal(await world.window('log', ALL), text);
  await writeAgain(paths[1]!);
  assert.equal(await world.ask(sql), text);
  assert.equal(await world.window('log', ALL), text);
  const counted = 'from=2000-01-01T00:00:00Z&every=1d&by=zone&agg=count:id';
  const before = await world.window('log', counted);
  assert.match(before, /zone 3/);
  await writeAgain(paths[0]!);
  assert.equal(await world.window('log', counted), before);
});

test('an answer that was read is given, though a day is written again before it is sent', async (t) => {
  const { world, paths, writeAgain } = await shared(t);
  const query = await world.sql.queries.window(world.dataset('log'), [...new URLSearchParams(ALL)]);
  const { body } = await query.run(new AbortController().signal);
  await writeAgain(paths[0]!);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), 'id,zone\n0,zone 0\n2,zone 2\n3,zone 3\n');
});

test('days that stay as they are, or leave, are read once', async (t) => {
  const { world, paths } = await shared(t);
  const text = await world.window('log', ALL);
  const { state } = await stateOf(world);
  await world.window('log', ALL);
  assert.equal((await stateOf(world)).state, state);
  await writeFile(`${paths[0]!}.other`, 'not a day');
  assert.equal(await world.window('log', ALL), text);
  assert.equal((await stateOf(world)).state, state);
});

test('a file that goes away while its days are loaded is one day that cannot be read', async (t) => {
  const { world, store, paths } = await shared(t);
  store.before.session = () => rmSync(paths[0]!, { force: true });
  await assert.rejects(world.window('log', ALL), { code: 'DAY_MISSING', message: /2026-11-17\.parquet/ });
  assert.equal(
    await world.window('log', ALL.replace('2000-01-01', '2026-11-18')),
    'id,zone\n0,zone 0\n2,zone 2\n',
  );
});

test('days that another service moves while they are followed are read where they are then', async (t) => {
  const { world, store, unsealed, paths } = await shared(t);
  const elsewhere = join(world.dataDir, 'elsewhere');
  store.before.following = () => {
    if (store.movedTo !== null) return;
    cpSync(historyFolder(world.dataDir), historyFolder(elsewhere), { recursive: true });
    for (const path of paths) rmSync(path);
    store.movedTo = elsewhere;
  };
  const followed = { name: 'log', pollColumn: 'timestamp', itemTime: null };
  // The file still has the rows that were sealed: it shows them, and not the days.
  const rows = async () => unsealed;
  assert.deepEqual(await world.sealer.follow({ ...followed, firstAt: NOW - 3 * DAY, rows }), []);
  const later = await world.sealer.follow({ ...followed, firstAt: NOW, rows });
  assert.deepEqual(
    later.flatMap((day) => day.paths),
    paths.map((path) => path.replace(world.dataDir, elsewhere)),
  );
  assert.deepEqual(world.logged, []);
});

const zones = (...daysAgo: number[]) => daysAgo.map((days) => `${days},zone ${days}`);
const view = (world: SqlWorld, name: string, sql: string) =>
  world.sql.addView({ name, file: `${name}.sql`, sql });

test('views have the cells of days that another service wrote again with a column renamed, at once', async (t) => {
  const { world, log, paths, writeAgain } = await shared(t);
  const all = await view(world, 'all', 'SELECT id, zone_2 AS zone FROM log ORDER BY id');
  const byDay = await view(
    world,
    'by-day',
    'SELECT date, max(id) AS id, max(zone_2) AS zone FROM log GROUP BY date ORDER BY id',
  );
  const lines = async (one: Dataset) =>
    (await one.content()).bytes
      .toString()
      .replaceAll(/^[\d-]+,(?=\d)/gm, '')
      .trim()
      .split('\n')
      .slice(1);
  assert.deepEqual(await lines(all), zones(0, 2, 3));
  await writeAgain(paths[0]!);
  const types = { id: 'number', zone: 'string', Zone: 'string' } as const;
  await log.record(readingOf(types, [['0', 'zone 0', 'Z']], ['id']), NOW + 1);
  assert.deepEqual(await lines(all), zones(0, 0, 2, 3));
  await writeAgain(paths[1]!);
  assert.deepEqual(await lines(byDay), zones(0, 2, 3));
});

/** More rows than are kept: they are read from the files of days whenever somebody asks. */
async function large(t: TestContext) {
  const found = await shared(t);
  const rows = await view(found.world, 'large', 'SELECT id, zone_2 AS zone FROM log CROSS JOIN range(70000)');
  await found.world.window('large', 'limit=1');
  return { ...found, rows };
}

test('a result that is not kept has the cells of days that are written again while it is read', async (t) => {
  const { store, paths, prepare, rows } = await large(t);
  const replace = await prepare(paths[0]!);
  store.before.session = () => {
    store.before.session = () => {};
    replace();
  };
  const text = (await rows.content()).bytes.toString();
  assert.deepEqual([...new Set(text.trim().split('\n').slice(1))].sort(), zones(0, 2, 3));
});

test('a result that is not kept names a day that went away', async (t) => {
  const { store, paths, rows } = await large(t);
  store.before.session = () => rmSync(paths[0]!, { force: true });
  await assert.rejects(rows.content(), { code: 'DAY_MISSING', message: /2026-11-17\.parquet/ });
});

test('a day that another service moves while a view is computed does not keep the view from keeping days', async (t) => {
  const { world, log, store, paths } = await shared(t);
  const counts = await view(
    world,
    'counts',
    'SELECT date, count(*) AS n FROM log GROUP BY date ORDER BY date',
  );
  const elsewhere = join(world.dataDir, 'elsewhere');
  const moved = paths.map((path) => path.replace(world.dataDir, elsewhere));
  const days = log.log!.sealedDays;
  await world.window('log', ALL);
  let sessions = 0;
  store.before.session = () => {
    sessions += 1;
    // The first attempt finds them gone; then they are followed.
    if (sessions === 1) {
      cpSync(historyFolder(world.dataDir), historyFolder(elsewhere), { recursive: true });
      for (const path of paths) rmSync(path);
      setImmediate(() => {
        log.log!.sealedDays = days.map((day, index) => ({ ...day, paths: [moved[index]!] }));
      });
    }
  };
  const expected = 'date,n\n2026-11-17,1\n2026-11-18,1\n2026-11-20,1\n';
  assert.equal((await counts.content()).bytes.toString(), expected);
  const types = { id: 'number', zone: 'string', Zone: 'string' } as const;
  const poll = (at: number) => log.record(readingOf(types, [['0', 'zone 0', 'Z']], ['id']), at);
  await poll(NOW + 1);
  await counts.content();
  for (const path of moved) rmSync(path);
  await poll(NOW + 2);
  assert.equal((await counts.content()).bytes.toString(), expected.replace(/1\n$/, '3\n'));
});

async function stateOf(world: SqlWorld) {
  const { version } = await world.sql.queries.window(world.dataset('log'), [...new URLSearchParams(ALL)]);
  return { state: version };
}
