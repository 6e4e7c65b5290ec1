/** The files that one poll runs are those that docs/architecture.md lists, and few are on the way of its rows. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { startApp } from '../../src/app.js';
import { projectRoot } from '../../src/base/project.js';
import { loadConfig } from '../../src/config/config.js';
import { readPage } from '../docs/markdown.js';
import type { TestDynamoDb } from '../support/dynalite.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testDynamoDb } from './world.js';

/** From the response's body to the committed files. */
const MOST_ON_THE_WAY = 20;

/** Milliseconds. Nothing else in the service is due when polls at this interval are. */
const INTERVAL = 10_700;
/** Milliseconds between the polls of two sources. */
const STAGGER = 250;

const TABLES = ['with-log', 'with-snapshot'] as const;
const ITEMS = 300;

test('each file that a poll runs is listed in docs/architecture.md, at most 20 on the way of the rows', async (t) => {
  const { way, shown, others } = listed();
  assert.ok(way.length <= MOST_ON_THE_WAY, `${way.length} files are on the way`);
  const names = [...way, ...shown, ...others];
  assert.equal(new Set(names).size, names.length, 'a file is listed twice');
  const files = await filesOfOnePoll(t);
  assert.deepEqual(
    [...files].filter((file) => !names.includes(file)),
    [],
    'these run and are not listed',
  );
  assert.deepEqual(
    way.filter((file) => !files.has(file)),
    [],
    'these are listed and do not run',
  );
});

/** The files in the three tables of the section, in this order: on the way, shown to readers, others. */
function listed(): Record<'way' | 'shown' | 'others', string[]> {
  const section = readPage('docs/architecture.md').text.split('### One poll, file by file\n')[1]!;
  const tables = section.split(/^##/m)[0]!.split(/^\| --- .*\n/m);
  const [way, shown, others] = tables
    .slice(1)
    .map((rows) => Array.from(rows.matchAll(/^\| `([\w/-]+\.ts)` \|/gm), ([, file]) => file!));
  return { way: way!, shown: shown!, others: others! };
}

/** The files of `src` of which functions run in one poll of each table, which finds changed, new and deleted items. */
async function filesOfOnePoll(t: TestContext): Promise<ReadonlySet<string>> {
  const database = await testDynamoDb(t);
  for (const table of TABLES) {
    await database.createTable({ id: 'N' }, table);
    await database.put(
      table,
      Array.from({ length: ITEMS }, (_, id) => item(id, `driver ${id}`)),
    );
  }
  const clock = new ManualClock('2026-11-02T12:00:00.350Z');
  const start = clock.now();
  const dataDir = await startService(t, database, clock);
  const changesOf = async (table: string) => {
    const text = await readFile(join(dataDir, `${table}-changes.csv`), 'utf8');
    return text.split('\n').slice(1, -1);
  };
  await passTo(clock, start + INTERVAL - 1);
  await change(database, 1);
  await passTo(clock, start + 2 * INTERVAL - 1);
  for (const table of TABLES) assert.equal((await changesOf(table)).length, ITEMS + 3);
  await change(database, 2);
  const profiler = await startProfiler(t);
  for (const [index] of TABLES.entries()) {
    await clock.next();
    assert.equal(clock.now(), start + 2 * INTERVAL + index * STAGGER, 'something else was due');
  }
  const files = await profiler();
  for (const table of TABLES) {
    const changes = await changesOf(table);
    assert.match(changes.slice(-3).join('\n'), /^update,2,.*\ninsert,302,.*\ndelete,12,/);
    assert.equal(changes.length, ITEMS + 6);
  }
  return files;
}

function item(id: number, name: string) {
  return { id: { N: String(id) }, name: { S: name }, place: { M: { zone: { N: '132' } } } };
}

async function change({ client, put }: TestDynamoDb, round: number): Promise<void> {
  for (const table of TABLES) {
    await put(table, [item(round, 'somebody else'), item(ITEMS + round, 'new')]);
    const gone = { TableName: table, Key: { id: { N: String(10 + round) } } };
    await client.send(new DeleteItemCommand(gone));
  }
}

async function startService(t: TestContext, { endpoint }: TestDynamoDb, clock: ManualClock) {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config.yaml');
  const options = `interval: ${INTERVAL}ms, endpoint: '${endpoint}', changes: true`;
  await writeFile(file, `tables: { with-log: { ${options}, log: true }, with-snapshot: { ${options} } }\n`);
  const dataDir = join(folder, 'data');
  const config = await loadConfig({ CONFIG: file, DATA_DIR: dataDir, PORT: '0' }, []);
  const { logger } = logLines('warn');
  const { close } = await startApp(config, { clock, logger, signal: new AbortController().signal });
  t.after(() => close());
  // The polls of each table, the service's own log, its sign of life, and the sealing.
  await clock.asleep(TABLES.length + 3);
  return dataDir;
}

/** Does all that is due up to a time. */
async function passTo(clock: ManualClock, time: number): Promise<void> {
  while (clock.due <= time) await clock.next();
}

/** Counts calls from now on. Returns what tells which files of `src` had some. */
async function startProfiler(t: TestContext): Promise<() => Promise<ReadonlySet<string>>> {
  const session = new Session();
  session.connect();
  t.after(() => session.disconnect());
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  // Taking the counts begins them anew.
  await session.post('Profiler.takePreciseCoverage');
  return async () => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return new Set(
      result
        .filter(({ functions }) => functions.some(({ ranges }) => ranges[0]!.count > 0))
        .flatMap(({ url }) => fileOf(url) ?? []),
    );
  };
}

/** `recorder/poll.ts`; null for code that is not ours. */
function fileOf(url: string): string | null {
  const root = `${pathToFileURL(join(projectRoot, 'dist', 'src'))}/`;
  const path = url.startsWith(root) ? url.slice(root.length) : null;
  // The table's own end is in this process, too; then bundles of the AWS SDK.
  if (path === null || path.startsWith('demo/') || path.startsWith('sdk/') || path.endsWith('/sdk.js'))
    return null;
  return path.replace(/\.js$/, '.ts');
}
