import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { LocalStore } from '../../src/history/local-store.js';
import { OneSchema } from '../../src/history/one-schema.js';
import type { RewritableFiles } from '../../src/history/parquet-files.js';
import { nodeFiles } from '../../src/volume/files.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const DAY = 86_400_000;
const KEEPING = { keep: 1, retention: null };

/** Each day with a column that is new or wider than before, and with what belongs to another type. */
const POLLS = [
  readingOf({ id: 'string', n: 'number', zone: 'string' }, [
    ['a', '1', 'x'],
    ['b', '9007199254740991', null],
  ]),
  readingOf({ id: 'string', n: 'number', zone: 'string' }, [['a', '2.5', 'y']]),
  readingOf({ id: 'string', n: 'number', zone: 'string', is: 'boolean' }, [['a', '3', 'z', 'true']]),
  readingOf({ id: 'string', n: 'number', zone: 'string', is: 'boolean', Zone: 'number' }, [
    ['a', '123456789012345678901234567890', 'w', 'false', '4'],
    ['c', '-74.17400', '', null, null],
  ]),
  readingOf({ id: 'string', n: 'number', zone: 'string', date: 'string' }, [['a', '5', 'v', '24th']]),
  readingOf({ id: 'string', n: 'number', zone: 'string' }, [['a', '6', 'u']]),
];

/** What readers can see of the log, by SQL and by windows. */
const SQL = [
  'SELECT * FROM log ORDER BY timestamp, id',
  `SELECT ${['id', 'n', 'zone', 'is', 'Zone', 'date', 'timestamp', 'local_date'].map((name) => `typeof("${name}")`).join(', ')} FROM log LIMIT 1`,
  'SELECT local_date, count(*) AS n, min(zone_2) AS zone FROM log GROUP BY local_date ORDER BY local_date',
  "SELECT id, n FROM log WHERE local_date = DATE '2026-11-02' ORDER BY id",
];
const WINDOWS = [
  'last=30d',
  'from=2026-11-01&to=2026-11-02T12:00:00Z',
  'last=30d&columns=n,Zone&format=json',
];

async function sealedWorld(t: TestContext) {
  const world = await SqlWorld.start(t, { now: Date.parse('2026-11-01T17:00:00Z') });
  const log = await world.table('log', { log: true });
  for (const poll of POLLS) {
    await log.record(poll, world.time.at);
    world.time.at += DAY;
    await world.sealer.seal(log.log!, KEEPING);
  }
  return { world, log: log.log! };
}

function oneSchemaOf(world: SqlWorld, parquet: RewritableFiles = world.sql.parquet) {
  return new OneSchema({
    store: new LocalStore(world.dataDir, nodeFiles),
    parquet,
    clock: world.time,
    logger: pino({ level: 'silent' }),
    setAside: (file) => world.sealer.setAside(file),
  });
}

async function seenIn(world: SqlWorld): Promise<string[]> {
  const seen: string[] = [];
  for (const sql of SQL) seen.push(await world.ask(sql));
  for (const search of WINDOWS) seen.push(await world.window('log', search));
  return seen;
}

async function filesOf(world: SqlWorld): Promise<string[]> {
  const folder = join(world.dataDir, 'history', 'log');
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith('.parquet'))
    .sort()
    .map((name) => join(folder, name));
}

async function schemasIn(world: SqlWorld): Promise<string[]> {
  const schemas = await world.sql.parquet.schemasOf(await filesOf(world));
  return [...schemas.values()].map((columns) =>
    columns
      .map(({ name, type }) => `${name} ${type}`)
      .sort()
      .join(', '),
  );
}

test('sealed days get one schema, and nobody here sees a difference, nor after a restart', async (t) => {
  const { world, log } = await sealedWorld(t);
  assert.equal(new Set(await schemasIn(world)).size, 5, 'the days differ, or this test tests nothing');
  const before = await seenIn(world);
  assert.equal(await oneSchemaOf(world).unify(log), true);
  const schemas = await schemasIn(world);
  assert.equal(schemas.length, 6);
  assert.deepEqual(
    [...new Set(schemas)],
    ['Zone BIGINT, date VARCHAR, id VARCHAR, is BOOLEAN, n VARCHAR, timestamp TIMESTAMPTZ, zone_2 VARCHAR'],
  );
  assert.deepEqual(await seenIn(world), before);
  const again = await SqlWorld.start(t, { now: world.time.at, dataDir: world.dataDir });
  const reopened = await again.table('log', { log: true });
  await again.sealer.restore(reopened.log!);
  assert.deepEqual(await seenIn(again), before);
  const note = JSON.parse(await readFile(join(world.dataDir, 'history', 'log', '_schema.json'), 'utf8'));
  assert.deepEqual(note.files.length, 6);
  assert.deepEqual(
    note.columns.find(({ name }: { name: string }) => name === 'n'),
    { name: 'n', type: 'VARCHAR', isExactInDouble: false },
  );
});

test('whole numbers beside fractions become DOUBLE where that keeps them, and a file that fits is left alone', async (t) => {
  const world = await SqlWorld.start(t, { now: Date.parse('2026-11-01T17:00:00Z') });
  const { log } = await world.table('log', { log: true });
  const recorder = await world.table('other', { log: true });
  assert.ok(log !== null);
  for (const n of ['1', '2.5', '3.5']) {
    await recorder.record(readingOf({ id: 'string', n: 'number' }, [['a', n]]), world.time.at);
    world.time.at += DAY;
    await world.sealer.seal(recorder.log!, KEEPING);
  }
  const folder = join(world.dataDir, 'history', 'other');
  const paths = ['2026-11-01', '2026-11-02', '2026-11-03'].map((day) =>
    join(folder, `date=${day}`, `${day}.parquet`),
  );
  const inodes = () => Promise.all(paths.map(async (path) => (await stat(path)).ino));
  const before = await inodes();
  await oneSchemaOf(world).unify(recorder.log!);
  const after = await inodes();
  assert.notEqual(after[0], before[0]);
  assert.deepEqual(after.slice(1), before.slice(1));
  const schemas = [...(await world.sql.parquet.schemasOf(paths)).values()];
  assert.deepEqual(
    schemas.map((columns) => columns.find(({ name }) => name === 'n')?.type),
    Array(3).fill('DOUBLE'),
  );
  await oneSchemaOf(world).unify(recorder.log!);
  assert.deepEqual(await inodes(), after);
});

test('an interrupted rewriting continues, and readers see the same at each step', async (t) => {
  const { world, log } = await sealedWorld(t);
  const before = await seenIn(world);
  const total = (await filesOf(world)).length;
  for (let allowed = 0; allowed <= total; allowed++) {
    let left = allowed;
    const { parquet } = world.sql;
    const killed = {
      damageOf: parquet.damageOf,
      schemasOf: parquet.schemasOf,
      undisturbed: parquet.undisturbed,
      rewrite: async (...args: Parameters<typeof parquet.rewrite>) => {
        if (left-- === 0) throw new Error('killed');
        await parquet.rewrite(...args);
      },
    };
    await oneSchemaOf(world, killed)
      .unify(log)
      .then(
        (isDone) => assert.equal(isDone, true),
        (error: Error) => assert.equal(error.message, 'killed'),
      );
    assert.deepEqual(await seenIn(world), before);
    const leftovers = (await readdir(join(world.dataDir, 'history'), { recursive: true })).filter((name) =>
      name.includes('.tmp'),
    );
    assert.deepEqual(leftovers, []);
  }
  assert.equal(new Set(await schemasIn(world)).size, 1);
});

test('queries that run while days are written again have the same answers', async (t) => {
  const { world, log } = await sealedWorld(t);
  const [expected] = await seenIn(world);
  let isDone = false;
  const asking = (async () => {
    let answers = 0;
    while (!isDone) {
      assert.equal(await world.ask(SQL[0]!), expected);
      answers += 1;
    }
    return answers;
  })();
  // The test learns of it at the end.
  asking.catch(() => undefined);
  assert.equal(await oneSchemaOf(world).unify(log), true);
  isDone = true;
  assert.ok((await asking) > 0);
});

test('a damaged day is set aside, and the others get one schema', async (t) => {
  const { world, log } = await sealedWorld(t);
  const [, second] = await filesOf(world);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(second!, 'no Parquet');
  await world.sealer.restore(log);
  assert.equal(await oneSchemaOf(world).unify(log), true);
  assert.equal((await filesOf(world)).length, 5);
  assert.equal(new Set(await schemasIn(world)).size, 1);
  assert.match(log.sealedDays.find(({ date }) => date === '2026-11-02')?.missing ?? '', /damaged/);
});

test('the cells of a file are what they were, or it stays as it is', async (t) => {
  const { world, log } = await sealedWorld(t);
  const [first] = await filesOf(world);
  const schema = [...(await world.sql.parquet.schemasOf([first!])).values()][0]!;
  const columns = (log.columns ?? []).map(({ name }) => ({ name, own: name }));
  const to = join(world.dataDir, 'again.parquet');
  const narrower = schema.map((column) =>
    column.name === 'zone' ? { ...column, type: 'BIGINT' as const } : column,
  );
  for (const wrong of [narrower, schema.slice(1)]) {
    await assert.rejects(world.sql.parquet.rewrite({ from: first!, to, schema: wrong, columns }), {
      code: 'DAY_NOT_REWRITTEN',
    });
  }
});

test('who stops while the days of years are looked at does not wait for the rest', async (t) => {
  const { world, log } = await sealedWorld(t);
  const stopping = new AbortController();
  const looked: string[] = [];
  const parquet: RewritableFiles = Object.assign(Object.create(world.sql.parquet), {
    schemasOf: (paths: readonly string[]) => {
      looked.push(...paths);
      stopping.abort(new Error('the service stops'));
      return world.sql.parquet.schemasOf(paths);
    },
  });
  await assert.rejects(oneSchemaOf(world, parquet).unify(log, stopping.signal), /the service stops/);
  assert.equal(looked.length, 1);
});
