import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/base/project.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Asks windows of a log: of a minute, then as Parquet; prints the first answer and whether DuckDB was loaded after each. */
const SCRIPT = `
  const [{ createLogger }, { systemClock }, { DatasetRegistry }, { Sql }, { LocalDays }, { WindowQueries }, { ScriptedDataset, column }] =
    await Promise.all(['src/base/logger', 'src/base/clock', 'src/datasets/registry', 'src/sql/sql', 'src/base/local-days',
      'src/windows/window-queries', 'test/support/scripted-dataset'].map((name) => import(process.env.DIST + '/' + name + '.js')));
  const loaded = () => process.report.getReport().sharedObjects.some((path) => path.includes('duckdb'));
  const sql = new Sql({ dataDir: process.env.FOLDER, timeZone: 'UTC', registry: new DatasetRegistry(), clock: systemClock, logger: createLogger({ level: 'warn' }) });
  const windows = new WindowQueries({ clock: systemClock, localDays: new LocalDays('UTC'), next: sql.queries });
  const log = new ScriptedDataset({ name: 'log', kind: 'log', columns: [column('n', 'number'), column('timestamp', 'time')], timeColumn: 'timestamp' });
  await log.land([['1', '2026-11-24T15:30:00.000Z'], ['2', '2026-11-24T15:31:00.000Z']]);
  const ask = async (search) => {
    const { run } = await windows.window(log, [...new URLSearchParams(search)]);
    const parts = [];
    for await (const part of (await run(new AbortController().signal)).body) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const answer = await ask('from=2026-11-24T15:30:30Z&sort=-n&columns=n');
  const before = loaded();
  await ask('format=parquet');
  console.log(JSON.stringify({ answer, loaded: [before, loaded()] }));
  await sql.close();
`;

test('a service whose windows stay in unsealed days never loads DuckDB', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, DIST: join(projectRoot, 'dist'), FOLDER: await temporaryFolder(t) },
  });
  assert.deepEqual(JSON.parse(stdout), { answer: 'n\n2\n', loaded: [false, true] });
});
