import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { encodeHistorySchema } from '../../src/history/history-schema.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A data folder in which these datasets have a sealed day, and the command on it. `notes`: other notes of schemas than usual. */
async function world(
  t: TestContext,
  datasets: readonly string[],
  notes: Readonly<Record<string, string | null>> = {},
) {
  const dataDir = await temporaryFolder(t);
  const columns = [{ name: 'n', type: 'BIGINT', isExactInDouble: true } as const];
  for (const dataset of datasets) {
    const folder = join(dataDir, 'history', dataset);
    await mkdir(join(folder, 'date=2026-11-16'), { recursive: true });
    const note = dataset in notes ? notes[dataset] : encodeHistorySchema({ columns, files: [] });
    if (note != null) await writeFile(join(folder, '_schema.json'), note);
  }
  return {
    dataDir,
    ddl: (...args: readonly string[]) => {
      const bin = join(projectRoot, 'dist', 'src', 'bin.js');
      const env = {
        ...process.env,
        DATA_DIR: dataDir,
        CONFIG: join(projectRoot, 'config', 'taxi-fleet.yaml'),
      };
      const { stdout, stderr, status } = spawnSync(process.execPath, [bin, 'ddl', ...args], { env });
      return { stdout: stdout.toString(), stderr: stderr.toString(), status };
    },
  };
}

test('ddl prints the tables of the data folder, all or one', async (t) => {
  const { dataDir, ddl } = await world(t, ['orders', 'orders-changes']);
  const all = ddl('duckdb');
  assert.equal(all.status, 0, all.stderr);
  assert.deepEqual(all.stdout.match(/VIEW "\w+"/g), ['VIEW "orders"', 'VIEW "orders_changes"']);
  const one = ddl('spark', 'orders-changes').stdout;
  assert.ok(one.includes(`path '${dataDir}/history/orders-changes'`), one);
  assert.ok(!one.includes('`orders`'));
});

test('ddl prints them over a copy in S3, which Athena needs', async (t) => {
  const { ddl } = await world(t, ['orders']);
  const refused = ddl('athena');
  assert.equal(refused.status, 78);
  assert.match(
    refused.stderr,
    /^command line: Athena reads S3 only; add an archive to the configuration, or say where/,
  );
  const placed = ddl('athena', '--location', 's3://my-bucket/history/');
  assert.match(placed.stdout, /^LOCATION 's3:\/\/my-bucket\/history\/orders\/'$/m);
});

test('a dataset whose schema is not noted is left out, which a comment and standard error say', async (t) => {
  const { ddl } = await world(t, ['orders', 'taxis', 'zones'], { taxis: null, zones: '{' });
  const said = (dataset: string) =>
    `${dataset} is left out: the note of its columns, history/${dataset}/_schema.json, is missing or cannot be read; let a service that has this dataset in its configuration run there: it writes the note when all days are sealed, after its start and after midnight`;
  const all = ddl('duckdb');
  assert.equal(all.status, 0);
  assert.deepEqual(all.stdout.split('\n').slice(0, 2), [`-- ${said('taxis')}`, `-- ${said('zones')}`]);
  assert.deepEqual(all.stdout.match(/VIEW "\w+"/g), ['VIEW "orders"']);
  assert.equal(all.stderr, `${said('taxis')}\n${said('zones')}\n`);
  const one = ddl('duckdb', 'taxis');
  assert.deepEqual([one.status, one.stdout, one.stderr], [1, '', `${said('taxis')}\n`]);
  const other = ddl('duckdb', 'orders');
  assert.deepEqual([other.status, other.stderr], [0, '']);
  assert.doesNotMatch(other.stdout, /--/);
});

test('ddl names what is wrong: the engine, the dataset, an empty history', async (t) => {
  const { ddl } = await world(t, ['orders']);
  const cases: [args: string[], status: number, message: RegExp][] = [
    [['sparc'], 78, /^command line: "sparc" is not one of athena, trino, spark, duckdb$/m],
    [[], 78, /^command line: "" is not one of athena, trino, spark, duckdb$/m],
    [['spark', 'orders', 'more'], 78, /^command line: more is too much: name one dataset, or none for all$/m],
    [['spark', 'oders'], 1, /^"oders" has no sealed days in the data folder \/.*; did you mean orders\?$/m],
    [
      ['spark', 'zones'],
      1,
      /^"zones" has no sealed days in the data folder \/\S+; a log, or changes, .*; there are orders$/m,
    ],
    [['spark', '--location', ''], 78, /^command line: --location is empty; name a place such as s3:/m],
    [
      ['trino'],
      78,
      /^command line: Trino reads places that begin with a scheme, not \/.*\/history\/orders; add an archive/m,
    ],
  ];
  for (const [args, status, message] of cases) {
    const answer = ddl(...args);
    assert.match(answer.stderr, message);
    assert.equal(answer.status, status);
    assert.equal(answer.stdout, '');
  }
  const empty = await world(t, []);
  assert.match(
    empty.ddl('spark').stderr,
    /^No dataset has sealed days in .*; a log, or changes, has them once a day/m,
  );
});

test('a command says what it does when it is asked for help', async (t) => {
  const { ddl } = await world(t, []);
  const { stdout, stderr, status } = ddl('--help');
  assert.match(stdout, /^dynamo-csv ddl: prints the statements .*--location PLACE/);
  assert.deepEqual([stderr, status], ['', 0]);
});
