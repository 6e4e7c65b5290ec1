import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/base/project.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Prints how many libraries of DuckDB the process has, after everything is imported, without views, and with a sealed day. */
const SCRIPT = `
  const [{ createLogger }, { systemClock }, { DatasetRegistry }, { Sql }, { encodeRows }] = await Promise.all(
    ['base/logger', 'base/clock', 'datasets/registry', 'sql/sql', 'csv/encode'].map((name) =>
      import(process.env.SRC + '/' + name + '.js')));
  await import(process.env.SRC + '/app.js');
  const loaded = () => process.report.getReport().sharedObjects.filter((path) => path.includes('duckdb')).length;
  const dataDir = process.env.FOLDER;
  const counts = [loaded()];
  const sql = new Sql({ dataDir, timeZone: 'UTC', registry: new DatasetRegistry(), clock: systemClock, logger: createLogger({ level: 'warn' }) });
  await sql.openViews(dataDir, 'views');
  counts.push(loaded());
  const rows = encodeRows([{ name: 'id', type: 'number', seen: true }], [['1']]);
  await sql.parquet.writeParquet(rows, dataDir + '/day.parquet');
  counts.push(loaded());
  await sql.close();
  const refused = await sql.queries.sql('SELECT 1', []).catch((error) => error.name);
  console.log(JSON.stringify({ counts: counts.map((count) => count > 0), refused }));
`;

test('a service without views and window requests does not load DuckDB', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, SRC: join(projectRoot, 'dist', 'src'), FOLDER: await temporaryFolder(t) },
  });
  assert.deepEqual(JSON.parse(stdout), { counts: [false, false, true], refused: 'AbortError' });
});
