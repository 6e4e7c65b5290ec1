import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import {
  CreateTableCommand,
  DeleteDatabaseCommand,
  DeleteTableCommand,
  GetTableCommand,
  GlueClient,
} from '@aws-sdk/client-glue';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { Archive } from '../../src/archive/archive.js';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { PointTaker } from '../../src/archive/take-point.js';
import { systemClock } from '../../src/base/clock.js';
import { Athena } from '../../src/engines/athena.js';
import { GlueCatalog } from '../../src/engines/glue-catalog.js';
import { athenaSettings } from '../../src/engines/options.js';
import { ArchivedDays } from '../../src/history/archived-days.js';
import { encodeHistorySchema, type HistorySchema } from '../../src/history/history-schema.js';
import { nodeFiles } from '../../src/volume/files.js';
import { useTestAws } from '../support/aws.js';
import { logLines } from '../support/log-lines.js';
import { type Moto, startMoto, withoutMoto } from '../support/moto.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Athena and Glue as moto has them: the wire formats were written by others. */

const REGION = 'us-east-1';
const never = new AbortController().signal;
const settings = (database = `fleet_${randomUUID().slice(0, 8)}`) =>
  athenaSettings({ database, catalog: 'glue', output: 's3://results/' }, REGION)!;

let moto: Moto;
before(async () => {
  if (withoutMoto) return;
  useTestAws();
  moto = await startMoto();
  process.env.AWS_ENDPOINT_URL = moto.endpoint;
});
after(() => moto?.close());

test("a query's rows are read from moto's Athena", { skip: withoutMoto }, async (t) => {
  const rows = [
    ['day', 'rides'],
    ['2026-11-23', '55477'],
    ['2026-11-24', null],
  ];
  const results = {
    region: REGION,
    results: [
      {
        rows: rows.map((row) => ({ Data: row.map((cell) => (cell === null ? {} : { VarCharValue: cell })) })),
        column_info: ['day date', 'rides bigint'].map((column) => {
          const [Name, Type] = column.split(' ');
          return { Name, Type };
        }),
      },
    ],
  };
  const queued = await fetch(`${moto.endpoint}/moto-api/static/athena/query-results`, {
    method: 'POST',
    body: JSON.stringify(results),
  });
  assert.equal(queued.status, 201);
  const s3 = new S3Client({ region: REGION, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'results' }));
  s3.destroy();
  const athena = new Athena(settings(), systemClock);
  t.after(() => athena.close());
  const {
    columns,
    rows: found,
    queryId,
  } = await athena.run('SELECT day, rides FROM rides', 'rides.sql', never);
  assert.deepEqual(columns, [
    { name: 'day', type: 'date' },
    { name: 'rides', type: 'bigint' },
  ]);
  assert.deepEqual(found, rows.slice(1));
  assert.match(queryId, /^[0-9a-f-]{36}$/);
});

/** An archive with one sealed day of `orders` in these columns. */
async function archived(t: TestContext, columns: HistorySchema['columns']) {
  const Bucket = `bucket-${randomUUID()}`;
  const s3 = new S3Client({ region: REGION, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  s3.destroy();
  const objects = () => new S3Objects({ bucket: Bucket, prefix: 'fleet/', region: REGION });
  const dataDir = await temporaryFolder(t);
  const folder = join(dataDir, 'history', 'prod.orders');
  await mkdir(join(folder, 'date=2026-11-16'), { recursive: true });
  await writeFile(join(folder, 'date=2026-11-16', '2026-11-16.parquet'), 'PAR1');
  const archive = await Archive.open(objects());
  const taker = new PointTaker(archive, dataDir, nodeFiles, await ArchivedDays.open(dataDir, nodeFiles));
  const point = async (now: HistorySchema['columns']) => {
    await writeFile(join(folder, '_schema.json'), encodeHistorySchema({ columns: now, files: [] }));
    const options = {
      fence: 1,
      now: Date.now(),
      signal: never,
      mayReplace: () => true,
      describe: async () => null,
    };
    const taken = await taker.take([], await archive.latest(), options);
    assert.equal(await archive.add(taken.point), true);
  };
  await point(columns);
  return { bucket: Bucket, objects, point, dataDir };
}

/** A database of its own in Glue, and what keeps the archive's tables there. */
function glueOf(t: TestContext, objects: S3Objects) {
  const to = settings();
  const { logger, lines } = logLines();
  const catalog = new GlueCatalog(to, objects, logger);
  const glue = new GlueClient({ region: REGION });
  t.after(() => {
    catalog.close();
    glue.destroy();
  });
  return { to, logger, lines, catalog, glue };
}

const ID = { name: 'id', type: 'VARCHAR', isExactInDouble: false } as const;
const N = { name: 'N', type: 'BIGINT', isExactInDouble: true } as const;

test("the archive's tables are made in Glue, and follow the datasets", { skip: withoutMoto }, async (t) => {
  const { bucket, objects, point } = await archived(t, [ID, N]);
  const { to, logger, lines, catalog, glue } = glueOf(t, objects());
  const table = async () =>
    (await glue.send(new GetTableCommand({ DatabaseName: to.database, Name: 'prod_orders' }))).Table!;
  await catalog.keep(never);
  const made = await table();
  assert.deepEqual(
    made.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`),
    ['id string', 'n bigint'],
  );
  assert.deepEqual(
    made.PartitionKeys?.map(({ Name, Type }) => `${Name} ${Type}`),
    ['date date'],
  );
  assert.equal(made.StorageDescriptor?.Location, `s3://${bucket}/fleet/history/prod.orders/`);
  assert.equal(made.Parameters?.['projection.date.range'], '2026-11-16,NOW+1DAYS');
  await point([ID, { ...N, type: 'VARCHAR' }, { ...ID, name: 'date' }]);
  await catalog.keep(never);
  const changed = await table();
  assert.deepEqual(
    changed.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`),
    ['id string', 'n string', 'date string'],
  );
  assert.deepEqual(
    changed.PartitionKeys?.map(({ Name }) => Name),
    ['local_date'],
  );
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['made a table in Glue', 'changed a table in Glue'],
  );
  // Another start finds them as they should be.
  const again = new GlueCatalog(to, objects(), logger);
  await again.keep(never);
  again.close();
  assert.equal(lines.length, 2);
});

test('a dataset whose schema is not noted has no table, which is said once', {
  skip: withoutMoto,
}, async (t) => {
  const { objects, point, dataDir } = await archived(t, [ID]);
  const folder = join(dataDir, 'history', 'taxis');
  await mkdir(join(folder, 'date=2026-11-16'), { recursive: true });
  await writeFile(join(folder, 'date=2026-11-16', '2026-11-16.parquet'), 'PAR1');
  await point([ID]);
  const { lines, catalog } = glueOf(t, objects());
  await catalog.keep(never);
  await catalog.keep(never);
  assert.deepEqual(
    lines.map(({ level, dataset, table, msg }) => [level, dataset ?? table, msg.slice(0, 20)]),
    [
      ['warn', 'taxis', 'taxis is left out: t'],
      ['info', 'prod_orders', 'made a table in Glue'],
    ],
  );
});

test('a table or a database that is gone from Glue is made again at the next look', {
  skip: withoutMoto,
}, async (t) => {
  const { objects } = await archived(t, [ID]);
  const { to, lines, catalog, glue } = glueOf(t, objects());
  const table = { DatabaseName: to.database, Name: 'prod_orders' };
  await catalog.keep(never);
  await glue.send(new DeleteTableCommand(table));
  await catalog.keep(never);
  assert.equal((await glue.send(new GetTableCommand(table))).Table?.Name, 'prod_orders');
  await glue.send(new DeleteTableCommand(table));
  await glue.send(new DeleteDatabaseCommand({ Name: to.database }));
  await catalog.keep(never);
  assert.equal((await glue.send(new GetTableCommand(table))).Table?.Name, 'prod_orders');
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    Array(3).fill(['info', 'made a table in Glue']),
  );
});

test('a table of somebody else stays as it is, and that is said once', { skip: withoutMoto }, async (t) => {
  const { objects } = await archived(t, [ID]);
  const { to, lines, catalog, glue } = glueOf(t, objects());
  const { CreateDatabaseCommand } = await import('@aws-sdk/client-glue');
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: to.database } }));
  const theirs = { Name: 'prod_orders', Parameters: { owner: 'somebody' } };
  await glue.send(new CreateTableCommand({ DatabaseName: to.database, TableInput: theirs }));
  await catalog.keep(never);
  await catalog.keep(never);
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      [
        'error',
        `Glue has a table ${to.database}.prod_orders that this service did not make; it stays as it is; drop that table, or name another athena.database`,
      ],
    ],
  );
  const found = await glue.send(new GetTableCommand({ DatabaseName: to.database, Name: 'prod_orders' }));
  assert.deepEqual(found.Table?.Parameters, { owner: 'somebody' });
});
