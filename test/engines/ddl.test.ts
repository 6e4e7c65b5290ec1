import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { ddl } from '../../src/engines/ddl.js';
import { type DatasetHistory, engineTables } from '../../src/engines/engine-table.js';

const FLAG: DatasetHistory = {
  dataset: 'flag-dynamodb',
  columns: [
    { name: 'counter_type', type: 'VARCHAR' },
    { name: 'count', type: 'BIGINT' },
    { name: 'share', type: 'DOUBLE' },
    { name: 'is', type: 'BOOLEAN' },
    { name: 'timestamp', type: 'TIMESTAMPTZ' },
  ],
  first: '2026-11-16',
  location: 's3://my-bucket/fleet/history/flag-dynamodb',
};

/** Names that are reserved, hostile, or differ only in case, as files have them. */
const HOSTILE: DatasetHistory = {
  dataset: 'Flag.DynamoDB',
  columns: ['select', 'Zone', 'zone_2', 'a`b', 'a"b', "a'b", 'a,b', 'two words', 'date', 'line\nbreak'].map(
    (name) => ({
      name,
      type: 'VARCHAR' as const,
    }),
  ),
  first: '2026-01-01',
  location: "s3://my-bucket/it's/history/Flag.DynamoDB",
};

test('Athena: a typed table whose days are projected', () => {
  assert.equal(
    ddl('athena', engineTables([FLAG])),
    `DROP TABLE IF EXISTS \`flag_dynamodb\`;
CREATE EXTERNAL TABLE \`flag_dynamodb\` (
  \`counter_type\` string,
  \`count\` bigint,
  \`share\` double,
  \`is\` boolean,
  \`timestamp\` timestamp
)
PARTITIONED BY (\`date\` date)
STORED AS PARQUET
LOCATION 's3://my-bucket/fleet/history/flag-dynamodb/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2026-11-16,NOW+1DAYS',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://my-bucket/fleet/history/flag-dynamodb/date=\${date}/'
);
`,
  );
});

test('Trino: the same by the Hive connector', () => {
  assert.equal(
    ddl('trino', engineTables([FLAG])),
    `DROP TABLE IF EXISTS "flag_dynamodb";
CREATE TABLE "flag_dynamodb" (
  "counter_type" varchar,
  "count" bigint,
  "share" double,
  "is" boolean,
  "timestamp" timestamp(3),
  "date" date WITH (partition_projection_type = 'DATE', partition_projection_format = 'yyyy-MM-dd', partition_projection_range = ARRAY['2026-11-16', 'NOW'], partition_projection_interval = 1, partition_projection_interval_unit = 'DAYS')
) WITH (
  external_location = 's3://my-bucket/fleet/history/flag-dynamodb/',
  format = 'PARQUET',
  partitioned_by = ARRAY['date'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://my-bucket/fleet/history/flag-dynamodb/date=\${date}/'
);
`,
  );
});

test('names that are reserved, hostile, or differ only in case are quoted or said to be left out', () => {
  const tables = engineTables([FLAG, { ...HOSTILE, location: 's3://b/history/x' }]);
  assert.deepEqual(
    tables.map(({ name, day }) => [name, day]),
    [
      ['flag_dynamodb', 'date'],
      ['flag_dynamodb_2', 'local_date'],
    ],
  );
  const athena = ddl('athena', tables.slice(1));
  const columns = [...athena.matchAll(/^ {2}`(.*)` string,?$/gm)].map(([, name]) => name);
  assert.deepEqual(columns, ['select', 'zone', 'zone_2', 'a"b', "a'b", 'two words', 'date']);
  assert.match(athena, /^-- left out, since a catalogue cannot hold its name: "a,b"$/m);
  assert.match(athena, /^-- left out, since a catalogue cannot hold its name: "line\\nbreak"$/m);
  assert.match(athena, /PARTITIONED BY \(`local_date` date\)/);
  assert.match(athena, /date=\$\{local_date\}\//);
  assert.match(ddl('trino', tables.slice(1)), /^ {2}"a""b" varchar,$/m);
  const spark = ddl('spark', engineTables([HOSTILE]));
  assert.match(spark, /^ {2}`a``b` STRING,$/m);
  assert.match(
    spark,
    /path 's3a:\/\/my-bucket\/it\\'s\/history\/Flag\.DynamoDB', recursiveFileLookup 'true'/,
  );
});

test("a location with a quote is text as Hive reads it in Athena's DDL, and as SQL in Trino's", () => {
  const location = "s3://my-bucket/it's/history/flag-dynamodb";
  const tables = engineTables([{ ...FLAG, location }]);
  assert.match(ddl('athena', tables), /^LOCATION 's3:\/\/my-bucket\/it\\'s\/history\/flag-dynamodb\/'$/m);
  assert.match(ddl('athena', tables), /location\.template' = 's3:\/\/my-bucket\/it\\'s\/history/);
  assert.match(ddl('trino', tables), /external_location = 's3:\/\/my-bucket\/it''s\/history/);
});

test('columns that Athena does not promise to take are named in a comment', () => {
  const columns = ['id', 'address.city', 'größe'].map((name) => ({ name, type: 'VARCHAR' as const }));
  const athena = ddl('athena', engineTables([{ ...FLAG, columns }]));
  assert.deepEqual(athena.match(/^-- .*$/gm), [
    '-- Athena supports no special characters but _ in names; if it refuses "address.city", remove that line',
  ]);
  assert.match(athena, /^ {2}`address\.city` string,$/m);
});

test('a dataset whose name is that of a table keeps it when others come', () => {
  const tables = ['orders-a', 'orders.a', 'orders_a'].map((dataset) => ({ ...FLAG, dataset }));
  assert.deepEqual(
    engineTables(tables).map(({ dataset, name }) => [dataset, name]),
    [
      ['orders-a', 'orders_a_2'],
      ['orders.a', 'orders_a_3'],
      ['orders_a', 'orders_a'],
    ],
  );
});

test('DuckDB takes its statements', async (t) => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  t.after(() => {
    connection.disconnectSync();
    instance.closeSync();
  });
  for (const history of [FLAG, HOSTILE]) {
    const statements = await connection.extractStatements(ddl('duckdb', engineTables([history])));
    assert.equal(statements.count, 1);
  }
});
