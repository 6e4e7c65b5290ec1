import type { FileType } from '../history/file-schema.js';
import { athenaProperties, dayTemplate, glueColumns, isGlueName } from './athena-table.js';
import type { EngineTable } from './engine-table.js';

/** The engines for which `ddl` prints statements. */
export const ENGINES = ['athena', 'trino', 'spark', 'duckdb'] as const;
export type EngineName = (typeof ENGINES)[number];

/** The statements, each ending with a semicolon, by which an engine has these tables. */
export function ddl(engine: EngineName, tables: readonly EngineTable[]): string {
  return tables.map((table) => `${STATEMENTS[engine](table)}\n`).join('\n');
}

const STATEMENTS: Readonly<Record<EngineName, (table: EngineTable) => string>> = {
  athena,
  trino,
  spark,
  duckdb,
};

const TRINO: Readonly<Record<FileType, string>> = {
  BIGINT: 'bigint',
  DOUBLE: 'double',
  BOOLEAN: 'boolean',
  TIMESTAMPTZ: 'timestamp(3)',
  VARCHAR: 'varchar',
};

const SPARK: Readonly<Record<FileType, string>> = {
  BIGINT: 'BIGINT',
  DOUBLE: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  TIMESTAMPTZ: 'TIMESTAMP',
  VARCHAR: 'STRING',
};

/** Athena: partitions are projected, so a new day is there without `MSCK REPAIR TABLE`. Its DDL is Hive's. */
function athena(table: EngineTable): string {
  const columns = glueColumns(table).map(({ Name, Type }) => `  ${ticked(Name)} ${Type}`);
  const properties = Object.entries(athenaProperties(table)).map(
    ([key, value]) => `  ${escaped(key)} = ${escaped(value)}`,
  );
  return [
    ...leftOut(table),
    ...doubtful(table),
    `DROP TABLE IF EXISTS ${ticked(table.name)};`,
    `CREATE EXTERNAL TABLE ${ticked(table.name)} (`,
    columns.join(',\n'),
    `)\nPARTITIONED BY (${ticked(table.day)} date)`,
    'STORED AS PARQUET',
    `LOCATION ${escaped(`${table.location}/`)}`,
    `TBLPROPERTIES (\n${properties.join(',\n')}\n);`,
  ].join('\n');
}

/** Trino's Hive connector; it projects partitions if `hive.partition-projection-enabled` is set. */
function trino(table: EngineTable): string {
  const { day, first, location } = table;
  const columns = table.columns
    .filter(({ name }) => isGlueName(name))
    .map(({ name, type }) => `  ${doubled(name.toLowerCase())} ${TRINO[type]}`);
  const projection = [
    "partition_projection_type = 'DATE'",
    "partition_projection_format = 'yyyy-MM-dd'",
    `partition_projection_range = ARRAY['${first}', 'NOW']`,
    'partition_projection_interval = 1',
    "partition_projection_interval_unit = 'DAYS'",
  ].join(', ');
  return [
    ...leftOut(table),
    `DROP TABLE IF EXISTS ${doubled(table.name)};`,
    `CREATE TABLE ${doubled(table.name)} (`,
    [...columns, `  ${doubled(day)} date WITH (${projection})`].join(',\n'),
    ') WITH (',
    `  external_location = ${quoted(`${location}/`)},`,
    "  format = 'PARQUET',",
    `  partitioned_by = ARRAY[${quoted(day)}],`,
    '  partition_projection_enabled = true,',
    `  partition_projection_location_template = ${quoted(dayTemplate(table))}`,
    ');',
  ].join('\n');
}

/** Spark: a view that lists the days itself when it is created; nothing has to be repaired. */
function spark(table: EngineTable): string {
  const columns = table.columns.map(({ name, type }) => `  ${ticked(name)} ${SPARK[type]}`);
  const path = `path ${escaped(table.location.replace(/^s3:/, 's3a:'))}`;
  const create = (name: string, list: readonly string[], options: string) =>
    `CREATE OR REPLACE TEMPORARY VIEW ${ticked(name)} (\n${list.join(',\n')}\n) USING parquet OPTIONS (${options});`;
  if (table.day === 'date') return create(table.name, [...columns, '  `date` DATE'], path);
  // A column `date` of the dataset would be taken for that of the folders' names.
  const files = `${table.name}_files`;
  const day = `to_date(regexp_extract(input_file_name(), 'date=([0-9-]+)', 1)) AS ${ticked(table.day)}`;
  return [
    create(files, columns, `${path}, recursiveFileLookup 'true'`),
    `CREATE OR REPLACE TEMPORARY VIEW ${ticked(table.name)} AS SELECT *, ${day} FROM ${ticked(files)};`,
  ].join('\n');
}

/** DuckDB: a view; the extension `httpfs` reads from S3. */
function duckdb({ name, columns, day, location }: EngineTable): string {
  const list = columns.map(
    ({ name: column, type }) => `  CAST(${doubled(column)} AS ${type}) AS ${doubled(column)}`,
  );
  const options =
    day === 'date'
      ? "hive_partitioning = true, hive_types = {'date': DATE}"
      : 'hive_partitioning = false, filename = true';
  const date =
    day === 'date'
      ? '"date"'
      : `CAST(regexp_extract(filename, 'date=([0-9-]+)', 1) AS DATE) AS ${doubled(day)}`;
  return [
    `CREATE OR REPLACE VIEW ${doubled(name)} AS SELECT`,
    [...list, `  ${date}`].join(',\n'),
    `FROM read_parquet(${quoted(`${location}/date=*/*.parquet`)}, ${options});`,
  ].join('\n');
}

/** Columns that a table cannot have in the Glue catalogue and in Hive's, as comments. */
function leftOut({ columns }: EngineTable): string[] {
  return columns
    .filter(({ name }) => !isGlueName(name))
    .map(({ name }) => `-- left out, since a catalogue cannot hold its name: ${JSON.stringify(name)}`);
}

/**
 * Columns that Athena may refuse, as comments: special characters other than `_` are "not supported", although backticks
 * let many of them pass (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html).
 */
function doubtful({ columns }: EngineTable): string[] {
  return columns
    .filter(({ name }) => isGlueName(name) && !/^[\p{L}\p{N}_]+$/u.test(name))
    .map(
      ({ name }) =>
        `-- Athena supports no special characters but _ in names; if it refuses ${JSON.stringify(name)}, remove that line`,
    );
}

function ticked(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function doubled(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Text as Hive and Spark read it: two quotes in a row would be two texts in a row, and nothing between them. */
function escaped(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
