import type { FileType } from '../history/file-schema.js';
import type { EngineTable } from './engine-table.js';

const TYPES: Readonly<Record<FileType, string>> = {
  BIGINT: 'bigint',
  DOUBLE: 'double',
  BOOLEAN: 'boolean',
  TIMESTAMPTZ: 'timestamp',
  VARCHAR: 'string',
};

/** A column as Glue has it. */
export interface GlueColumn {
  readonly Name: string;
  readonly Type: string;
}

/**
 * Whether the Glue catalogue, Hive and Trino can hold a column of that name: one line of up to 255 bytes, without a comma,
 * a backtick or spaces at its ends
 * (https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html).
 */
export function isGlueName(name: string): boolean {
  const isLine = !/[\p{Cc},`]/u.test(name) && name.trim() === name && name !== '';
  return isLine && Buffer.byteLength(name) <= 255;
}

/** The columns of a table, in lower case, as Athena compares names. */
export function glueColumns({ columns }: EngineTable): GlueColumn[] {
  return columns
    .filter(({ name }) => isGlueName(name))
    .map(({ name, type }) => ({ Name: name.toLowerCase(), Type: TYPES[type] }));
}

/**
 * What makes Athena compute the days' folders instead of looking for partitions
 * (https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html).
 */
export function athenaProperties(table: EngineTable): Readonly<Record<string, string>> {
  const { day, first } = table;
  return {
    'projection.enabled': 'true',
    [`projection.${day}.type`]: 'date',
    [`projection.${day}.format`]: 'yyyy-MM-dd',
    [`projection.${day}.range`]: `${first},NOW+1DAYS`,
    [`projection.${day}.interval`]: '1',
    [`projection.${day}.interval.unit`]: 'DAYS',
    'storage.location.template': dayTemplate(table),
  };
}

/** Where the files of a day are, with the day's column for the date. */
export function dayTemplate({ location, day }: EngineTable): string {
  return `${location}/date=\${${day}}/`;
}
