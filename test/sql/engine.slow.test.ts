import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { Engine } from '../../src/sql/engine.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function openEngine(t: TestContext): Promise<{ engine: Engine; dataDir: string }> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'outside.txt'), 'outside');
  const dataDir = join(folder, 'data');
  await mkdir(dataDir);
  const engine = await Engine.open({ dataDir, timeZone: 'Asia/Seoul' });
  t.after(() => engine.close());
  return { engine, dataDir };
}

const ENDLESS = 'SELECT count(*) FROM range(1000000000000)';

test('a query is stopped when its time is used up, and the next one works', async (t) => {
  const { engine } = await openEngine(t);
  const runaway = engine.session({ caller: 'outside', limit: 50 }, (session) => session.rows(ENDLESS));
  await assert.rejects(runaway, (error: DynamoCsvError) => error.code === 'QUERY_TIMED_OUT');
  assert.deepEqual(await engine.session({ caller: 'outside' }, (session) => session.rows('SELECT 7')), [[7]]);
});

test('a query is stopped when its client disconnects, even while it is queued', async (t) => {
  const { engine } = await openEngine(t);
  const gone = new AbortController();
  const started = (signal: AbortSignal) =>
    engine.session({ caller: 'outside', signal }, (session) => session.rows(ENDLESS));
  const running = started(gone.signal);
  const waiting = started(gone.signal);
  const reason = new Error('gone');
  setImmediate(() => gone.abort(reason));
  const outcomes = await Promise.allSettled([running, waiting]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  for (const outcome of outcomes) assert.equal((outcome as PromiseRejectedResult).reason, reason);
  assert.deepEqual(await engine.session({ caller: 'outside' }, (session) => session.rows('SELECT 7')), [[7]]);
});

test('an answer that was read, or was not read to its end, keeps no memory of DuckDB', async (t) => {
  const { engine } = await openEngine(t);
  const used = () =>
    engine.session({ caller: 'service' }, async (session) => {
      const [[bytes] = []] = await session.rows(
        'SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()',
      );
      return Number(bytes);
    });
  const before = await used();
  const sql = 'SELECT i::VARCHAR AS line FROM range(5000) AS r(i) ORDER BY i DESC';
  for (let answer = 0; answer < 10; answer++) {
    await engine.session({ caller: 'service' }, async (session) => {
      const result = await session.stream(sql);
      await result.fetchChunk();
      if (answer % 2 === 0) while ((await result.fetchChunk())?.rowCount);
    });
  }
  assert.equal(await used(), before);
});

test('slow ad-hoc SQL does not delay the service’s own', async (t) => {
  const { engine } = await openEngine(t);
  const gone = new AbortController();
  const options = { caller: 'outside', signal: gone.signal } as const;
  const runaways = Array.from({ length: 5 }, () =>
    engine.session(options, (session) => session.rows(ENDLESS)).catch(() => 'stopped'),
  );
  assert.deepEqual(await engine.session({ caller: 'service' }, (session) => session.rows('SELECT 7')), [[7]]);
  gone.abort();
  assert.deepEqual(new Set(await Promise.all(runaways)), new Set(['stopped']));
});

test('closing stops running queries and leaves no scratch folder', async (t) => {
  const { engine } = await openEngine(t);
  const { folder } = engine.scratch;
  const running = engine.session({ caller: 'service' }, (session) => session.rows(ENDLESS));
  const stopped = assert.rejects(running);
  setImmediate(() => engine.close());
  await stopped;
  await engine.close();
  assert.equal(existsSync(folder), false);
});

test('the scratch folder of a process that was killed is removed by the next one, that of a running one is not', async (t) => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const folder = (pid: number) => join(tmpdir(), `dynamo-csv-scratch-${pid}-test`);
  const [dead, running] = [folder(4_194_305), folder(child.pid!)];
  t.after(async () => {
    child.kill();
    await rm(running, { recursive: true });
  });
  await Promise.all([dead, running].map((path) => mkdir(path, { recursive: true })));
  await openEngine(t);
  assert.deepEqual([existsSync(dead), existsSync(running)], [false, true]);
});

test('so is that of a killed process whose number is ours, as in a restarted container; our own are not', async (t) => {
  const { engine } = await openEngine(t);
  const left = join(tmpdir(), `dynamo-csv-scratch-${process.pid}-left`);
  await mkdir(left, { recursive: true });
  await openEngine(t);
  assert.deepEqual([existsSync(left), existsSync(engine.scratch.folder)], [false, true]);
});

test('the time zone is the configured one, and now is the session’s time', async (t) => {
  const { engine } = await openEngine(t);
  const now = Date.parse('2026-11-24T15:30:00Z');
  const rows = await engine.session({ caller: 'service', now }, (session) =>
    session.rows('SELECT CAST(local_day(service_now()) AS VARCHAR), local_hour(service_now())'),
  );
  assert.deepEqual(rows, [['2026-11-25', 0n]]);
});

/** Behind the parser, which refuses these, DuckDB itself has no way out either. */
const ways = [
  ['a file elsewhere', "SELECT * FROM read_text('/etc/passwd')"],
  ['a file above the volume', (dataDir: string) => `SELECT * FROM read_text('${dataDir}/../outside.txt')`],
  ['writing elsewhere', "COPY (SELECT 1) TO '/tmp/dynamo-csv-break-out.csv'"],
  ['attaching a file elsewhere', "ATTACH '/tmp/dynamo-csv-break-out.db'"],
  ['the network', "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')"],
  ['an extension', 'INSTALL httpfs'],
  ['opening up', 'SET enable_external_access = true'],
  ['more folders', "SET allowed_directories = ['/']"],
  ['unlocking', 'SET lock_configuration = false'],
  ['more memory', "SET memory_limit = '1TB'"],
] as const;

for (const [what, way] of ways) {
  test(`the engine has no way to ${what}`, async (t) => {
    const { engine, dataDir } = await openEngine(t);
    const sql = typeof way === 'string' ? way : way(dataDir);
    await assert.rejects(
      engine.session({ caller: 'service' }, (session) => session.run(sql)),
      /Permission Error|locked|Cannot|disabled/i,
    );
  });
}

test('an error of a query is not one of ours', async (t) => {
  const { engine } = await openEngine(t);
  await assert.rejects(
    engine.session({ caller: 'service' }, (session) => session.rows('SELECT nothing')),
    (error) => !(error instanceof DynamoCsvError),
  );
});

const connections = (engine: Engine) =>
  engine.session({ caller: 'service' }, async (session) => {
    const [[count] = []] = await session.rows('SELECT * FROM duckdb_connection_count()');
    return Number(count);
  });

test('an unread answer is dropped when its client disconnects', async (t) => {
  const { engine } = await openEngine(t);
  for (let i = 0; i < 20; i++) {
    const gone = new AbortController();
    const session = await engine.open({ caller: 'service', signal: gone.signal });
    await session.snapshot();
    await session.stream('SELECT i FROM range(1000000) AS r(i)');
    gone.abort();
    assert.ok((await connections(engine)) < 10);
  }
});

test('an answer that was read holds no memory, though the garbage collector has not seen it', async (t) => {
  const { engine } = await openEngine(t);
  const table =
    "CREATE OR REPLACE TABLE raw.big AS SELECT i, repeat('x', 100) AS text FROM range(20000) AS r(i)";
  for (let i = 0; i < 150; i++) {
    await engine.session({ caller: 'service' }, (session) => session.run(table));
    await engine.session({ caller: 'service' }, async (session) => {
      await session.snapshot();
      const result = await session.stream('FROM raw.big');
      await result.fetchChunk();
    });
  }
});

test('what a session reads stays as it is while others load', async (t) => {
  const { engine } = await openEngine(t);
  const load = (value: string) =>
    engine.session({ caller: 'service' }, (session) =>
      session.transaction(async () => {
        await session.run(`CREATE OR REPLACE TABLE raw.n AS SELECT ${value}`);
        await session.run('CREATE OR REPLACE VIEW n AS FROM raw.n');
      }),
    );
  await load('1 AS n');
  await engine.session({ caller: 'service' }, async (session) => {
    await session.snapshot();
    await load('2.5 AS n, 3 AS more');
    assert.deepEqual(await session.rows('FROM n'), [[1]]);
    await session.snapshot();
    assert.deepEqual(await session.rows('SELECT more FROM n'), [[3]]);
  });
});

test('a failed transaction changes nothing', async (t) => {
  const { engine } = await openEngine(t);
  await engine.session({ caller: 'service' }, (session) =>
    session.run('CREATE TABLE raw.n AS SELECT 1 AS n'),
  );
  const failing = engine.session({ caller: 'service' }, (session) =>
    session.transaction(async () => {
      await session.run('CREATE OR REPLACE TABLE raw.n AS SELECT 2 AS n');
      await session.run("SELECT error('no')");
    }),
  );
  await assert.rejects(failing, /no/);
  assert.deepEqual(await engine.session({ caller: 'service' }, (session) => session.rows('FROM raw.n')), [
    [1],
  ]);
});

test('an engine that is closed, or closes meanwhile, gives no session', async (t) => {
  const { engine } = await openEngine(t);
  const keeping = await Promise.all(Array.from({ length: 3 }, () => engine.open({ caller: 'service' })));
  const opening = engine.open({ caller: 'service' });
  const closing = engine.close();
  await assert.rejects(opening, { name: 'AbortError' });
  await closing;
  await assert.rejects(engine.open({ caller: 'service' }), { name: 'AbortError' });
  for (const session of keeping) await session.close();
});
