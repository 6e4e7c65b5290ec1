import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DuckDBInstance } from '@duckdb/node-api';
import { pino } from 'pino';
import { makeYear } from '../../bench/year.js';
import { ArchiveKeeper } from '../../src/archive/keeper.js';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { systemClock } from '../../src/base/clock.js';
import { LocalDays } from '../../src/base/local-days.js';
import { projectRoot } from '../../src/base/project.js';
import { LocalStore } from '../../src/history/local-store.js';
import { OneSchema } from '../../src/history/one-schema.js';
import { nodeFiles } from '../../src/volume/files.js';
import { TEST_AWS, useTestAws } from '../support/aws.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startVersitygw, withoutVersitygw } from '../support/versitygw.js';

/*
 * The fleet's history in an S3 that is not ours, read from there by another engine with the statements that `ddl` prints.
 *   python3 -m venv .engines && .engines/bin/pip install pyspark==4.3.0   (pyspark needs Java 17)
 *   go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
 *   PATH=$PWD/.engines/bin:$PATH npm run test:engines
 *
 * Spark takes its S3 client from Maven Central at the first run (18 MB, then in ~/.ivy2.5.2), as docs/engines.md says.
 */

/** Days of the fleet's history. */
const DAYS = Number(process.env.ENGINE_DAYS ?? 365);
/** Two counters, polled every 30 seconds. */
const ROWS_PER_DAY = 2 * 2_880;
const DAY = 86_400_000;
const REGION = TEST_AWS.AWS_REGION;

const spark = (process.env.PATH ?? '')
  .split(delimiter)
  .find((folder) => existsSync(join(folder, 'spark-submit')));
const withoutSpark =
  spark === undefined && 'pyspark is not on the PATH (test/engines/spark.engine.ts shows how to install it)';
const skip = withoutVersitygw || withoutSpark;

/** What differs between the SQL of the two engines. */
interface Dialect {
  readonly table: (dataset: string) => string;
  readonly column: (name: string) => string;
  readonly millis: (time: string) => string;
}

const DUCKDB: Dialect = {
  table: (dataset) => `"${dataset}"`,
  column: (name) => `"${name}"`,
  millis: (time) => `epoch_ms(${time})`,
};

const SPARK: Dialect = {
  table: (dataset) => `\`${dataset.replaceAll('-', '_')}\``,
  column: (name) => `\`${name.replaceAll('`', '``')}\``,
  millis: (time) => `unix_millis(${time})`,
};

/** As `increase` of the service does it: `src/sql/macros.sql`. */
const INCREASE = `CREATE OR REPLACE TEMPORARY FUNCTION
  increase(value BIGINT, previous BIGINT, since TIMESTAMP, until TIMESTAMP) RETURNS BIGINT RETURN CASE
    WHEN value IS NULL THEN 0
    WHEN previous IS NULL OR value < previous THEN value
    WHEN unix_millis(until) - unix_millis(since) > 3600000 AND to_date(until) <> to_date(since) THEN value
    ELSE value - previous
  END`;

/** Names in which engines differ, or may fail. */
const HOSTILE = ['id', 'Zone', 'date', 'select', 'two words', 'a`b', "it's", 'n', 'zone_2'] as const;

/** What both engines are asked; `last`: the last sealed day. */
function queries({ table, column, millis }: Dialect, last: string): string[] {
  const changes = table('flag-dynamodb-changes');
  const time = column('timestamp');
  const rise = `increase(${column('count')}, ${column('previous_count')}, ${column('since')}, ${time})`;
  const of = (counter: string) => `coalesce(sum(${rise}) FILTER (WHERE counter_type = '${counter}'), 0)`;
  const counted = (by: string) =>
    `SELECT ${by}, ${of('pickup')} AS pickups, ${of('dispatch')} AS dispatches FROM ${changes}
     WHERE date <= DATE '${last}' GROUP BY ${by}`;
  return [
    // rides-per-day
    `SELECT CAST(date AS STRING), pickups, dispatches, round(100 * pickups / nullif(dispatches, 0), 4) AS rate
     FROM (${counted('date')}) AS counted ORDER BY date`,
    // rides-per-hour
    `SELECT CAST(date AS STRING), hour, pickups, dispatches
     FROM (${counted(`date, hour(${time})`).replace(`hour(${time}),`, `hour(${time}) AS hour,`)}) AS counted
     ORDER BY date, hour`,
    // success-rate-per-week
    `SELECT CAST(CAST(date_trunc('week', date) AS DATE) AS STRING) AS week, sum(pickups) AS pickups,
       round(avg(100 * pickups / nullif(dispatches, 0)), 4) AS rate
     FROM (${counted('date')}) AS counted GROUP BY 1 ORDER BY 1`,
    // the log itself
    `SELECT CAST(date AS STRING), counter_type, count(*) AS n, sum(${column('count')}) AS total,
       ${millis(`min(${time})`)} AS first, ${millis(`max(${time})`)} AS last
     FROM ${table('flag-dynamodb')} WHERE date <= DATE '${last}' GROUP BY date, counter_type ORDER BY 1, 2`,
    `SELECT CAST(local_date AS STRING), ${HOSTILE.map(column).join(', ')}, ${millis(time)} AS time
     FROM ${table('hostile')} ORDER BY time, id`,
  ];
}

let s3: Awaited<ReturnType<typeof startVersitygw>>;
before(async () => {
  if (skip) return;
  useTestAws();
  s3 = await startVersitygw();
  process.env.AWS_ENDPOINT_URL_S3 = s3.endpoint;
});
after(() => s3?.close());

test("Spark reads the fleet's history from its archive as DuckDB reads it here", { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const fleet = join(projectRoot, 'config', 'taxi-fleet.yaml');
  await makeYear({ dataDir, config: fleet, rows: DAYS * ROWS_PER_DAY, csv: null });
  const world = await SqlWorld.start(t, { dataDir, timeZone: 'America/New_York', now: Date.now() });
  const flag = await world.table('flag-dynamodb', { log: true, changes: true });
  for (const dataset of [flag.log!, flag.changes!]) await world.sealer.restore(dataset);
  await recordHostile(world);
  const last = flag.changes!.sealedDays.at(-1)!.date;

  const bucket = `bucket-${randomUUID()}`;
  await archive(dataDir, bucket);
  const env = { CONFIG: await configuration(folder, bucket), DATA_DIR: join(folder, 'none') };
  const statements = await run(['ddl', 'spark'], env);
  assert.match(statements, new RegExp(`path 's3a://${bucket}/fleet/history/flag-dynamodb'`));
  const restored = join(folder, 'restored');
  await run(['restore', '--to', restored], env);
  assert.match(await run(['verify'], env), /files are as they were archived/);

  const here: unknown[][][] = [];
  for (const sql of queries(DUCKDB, last)) {
    const rows = JSON.parse(await world.ask(sql, 'format=json')) as object[];
    here.push(rows.map((row) => Object.values(row)));
  }
  assert.ok(here[0]!.length >= DAYS - 8, `${here[0]!.length} days`);
  const folderStatements = await run(['ddl', 'spark', '--folder'], { ...env, DATA_DIR: restored });
  const there = await askSpark({
    folder,
    timeZone: 'America/New_York',
    packages: await sparkPackages(),
    s3: { endpoint: s3.endpoint, ...TEST_AWS },
    rounds: [statements, folderStatements].map((round) => ({
      statements: [INCREASE, ...split(round)],
      queries: queries(SPARK, last),
    })),
  });
  for (const [index, rows] of here.entries()) {
    assert.deepEqual(there[0]![index], rows);
    assert.deepEqual(there[1]![index], rows);
  }

  // The same files by DuckDB's own statements, in a database that knows nothing of the service.
  const duckdb = await run(['ddl', 'duckdb', 'hostile', '--folder'], { ...env, DATA_DIR: restored });
  const [count] = await askDuckDb(
    duckdb,
    'SELECT count(*), count(DISTINCT local_date), min(zone_2) FROM hostile',
  );
  assert.deepEqual(count?.map(String), ['4', '3', 'small']);
});

/** Three days, each with more columns or wider ones than the day before. */
async function recordHostile(world: SqlWorld): Promise<void> {
  const { log } = await record(world, [
    [{ id: 'string', n: 'number', zone: 'string' }, [['a', '1', 'small']]],
    [{ id: 'string', n: 'number', date: 'string', select: 'boolean' }, [['a', '2.5', 'the 24th', 'true']]],
    [
      {
        id: 'string',
        n: 'number',
        Zone: 'string',
        zone: 'string',
        'two words': 'string',
        'a`b': 'number',
        "it's": 'string',
      },
      [
        ['a', '12345678901234567890', 'Large', 'small', 'one two', '7', ''],
        ['b', '-74.17400', null, 'x,"y"', 'line\nbreak', '-1', 'ü'],
      ],
    ],
  ]);
  const store = new LocalStore(world.dataDir, nodeFiles);
  const setAside = () => Promise.reject(new Error('no day is damaged'));
  const { parquet } = world.sql;
  const logger = pino({ level: 'silent' });
  await new OneSchema({ store, parquet, clock: world.time, logger, setAside }).unify(log!);
}

async function record(
  world: SqlWorld,
  polls: readonly (readonly [Parameters<typeof readingOf>[0], Parameters<typeof readingOf>[1]])[],
) {
  const recorder = await world.table('hostile', { log: true });
  for (const [columns, rows] of polls) {
    await recorder.record(readingOf(columns, rows), world.time.at);
    world.time.at += DAY;
    await world.sealer.seal(recorder.log!, { keep: 1, retention: null });
  }
  return recorder;
}

/** Archives the folder as the service does. */
async function archive(dataDir: string, bucket: string): Promise<void> {
  const client = new S3Client({ region: REGION, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const keeper = new ArchiveKeeper({
    objects: new S3Objects({ bucket, prefix: 'fleet/', region: REGION }),
    dataDir,
    files: nodeFiles,
    holder: { name: 'test', token: randomUUID() },
    every: 500,
    localDays: null,
    cache: 0,
    localDates: new LocalDays('UTC'),
    tables: () => [],
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  });
  await keeper.prepare(new AbortController().signal);
  const stopping = new AbortController();
  const running = keeper.run(stopping.signal);
  while (keeper.status.archivedAt === null && keeper.status.error === null) await setTimeout(50);
  stopping.abort();
  await running;
  assert.equal(keeper.status.error, null);
  await keeper.close();
}

async function configuration(folder: string, bucket: string): Promise<string> {
  const path = join(folder, 'archive.yaml');
  const text = `timeZone: America/New_York
archive: { bucket: ${bucket}, prefix: fleet/, region: ${REGION} }
tables: { flag-dynamodb: {} }
`;
  await writeFile(path, text);
  return path;
}

/** What the command `dynamo-csv` prints. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist', 'src', 'bin.js'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, code] = await Promise.all([text(child.stdout), exitOf(child)]);
  assert.equal(code, 0, `dynamo-csv ${args.join(' ')}`);
  return output;
}

/** The options of the command line for Spark's S3 client, as the documentation has them. */
async function sparkPackages(): Promise<Record<string, string>> {
  const documentation = await readFile(join(projectRoot, 'docs', 'engines.md'), 'utf8');
  const option = (name: string) => {
    const value = new RegExp(`--${name} (\\S+)`).exec(documentation)?.[1];
    assert.ok(value !== undefined, `docs/engines.md has no --${name}`);
    return value;
  };
  return { packages: option('packages'), excludes: option('exclude-packages') };
}

async function askSpark(given: object): Promise<unknown[][][][]> {
  const script = join(projectRoot, 'test', 'engines', 'spark.py');
  const child = spawn(join(spark!, 'python3'), [script], {
    env: { ...process.env, TZ: 'UTC', SPARK_LOCAL_IP: '127.0.0.1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(JSON.stringify(given));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]);
  const missing = /unresolved dependenc/i.test(errors)
    ? 'Spark got its S3 client neither from ~/.ivy2.5.2 nor from Maven Central (docs/engines.md names the packages)\n'
    : '';
  assert.equal(code, 0, missing + errors.slice(-3_000));
  return JSON.parse(output) as unknown[][][][];
}

async function askDuckDb(statements: string, query: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(statements);
    return (await connection.runAndReadAll(query)).getRows();
  } finally {
    connection.disconnectSync();
    instance.closeSync();
  }
}

function exitOf(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

/** Statements of a text in which each ends a line. */
function split(statements: string): string[] {
  return statements.split(/;\n/).filter((statement) => statement.trim() !== '');
}
