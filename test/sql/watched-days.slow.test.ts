import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LocalStore } from '../../src/history/local-store.js';
import { nodeFiles } from '../../src/volume/files.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Sealed days that another service replaces, as a follower on a shared folder reads them. */

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const ALL = 'from=2000-01-01T00:00:00Z&columns=id,zone&sort=id';

class SharedDays extends LocalStore {
  override mayChange(): boolean {
    return true;
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
  await world.sealer.seal(log.log!, { keep: 1, retention: null });
  await log.record(
    readingOf({ id: 'number', zone: 'string', Zone: 'string' }, [['0', 'zone 0', 'Z']], ['id']),
    NOW,
  );
  const paths = log.log!.sealedDays.flatMap((day) => day.paths);
  assert.equal(paths.length, 2);
  /** As `OneSchema` does it in another process: "zone" has another name, beside a column that SQL takes for it. */
  const writeAgain = async (path: string) => {
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
    await rename(to, path);
  };
  return { world, paths, writeAgain };
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

async function stateOf(world: SqlWorld) {
  const { version } = await world.sql.queries.window(world.dataset('log'), [...new URLSearchParams(ALL)]);
  return { state: version };
}
