import type { Config } from './config.js';
import type { InstancesConfig, TableConfig } from './tables.js';

/** How the polls of a source are kept: what a recorder needs to know of the configuration. */
export interface Recording {
  /** Published name of the snapshot, or of the log that takes its place. */
  readonly name: string;
  readonly log: boolean;
  /** Name of a log that is kept beside the snapshot. */
  readonly logName?: string;
  readonly changes: boolean;
  /** Published names of the columns that exist before a value was seen, in this order behind the keys. */
  readonly configured: readonly string[];
  /** Null: the default, or another name where the table has an attribute of that name. */
  readonly timestampColumn: string | null;
}

export function recordingOfTable(table: TableConfig): Recording {
  const { name, log, changes, columns, rename, timestampColumn } = table;
  const configured = columns.map((column) => rename[column] ?? column);
  return { name, log, changes, configured, timestampColumn };
}

/** The latest state of the instances, and a log of it over time. */
export function recordingOfInstances({ name }: InstancesConfig): Recording {
  return {
    name,
    log: true,
    logName: `${name}-log`,
    changes: false,
    configured: [],
    timestampColumn: null,
  };
}

/** Of everything that is polled, in the order of the catalogue. */
export function recordingsOf({ tables, instances }: Config): readonly Recording[] {
  return [...tables.map(recordingOfTable), ...(instances === null ? [] : [recordingOfInstances(instances)])];
}
