import { parseDuration } from '../base/durations.js';
import { parseDays } from './kinds.js';
import { defaultOf, InstancesOptions, TableOptions } from './schema.js';

/** A DynamoDB table to publish; every default applied. */
export interface TableConfig {
  /** The DynamoDB table's name. */
  readonly table: string;
  /** The published name: of the dataset, its URL and its file. */
  readonly name: string;
  readonly log: boolean;
  readonly changes: boolean;
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
  /** In this order after the keys; attributes' names or their renamed names. */
  readonly columns: readonly string[];
  /** The attributes to keep beside the keys (names as in `columns`); null: all. */
  readonly only: readonly string[] | null;
  /** Column name by attribute name. */
  readonly rename: Readonly<Record<string, string>>;
  /** Null: the SDK finds it. */
  readonly region: string | null;
  readonly consistent: boolean;
  readonly segments: number | 'auto';
  /** Read capacity units per second; null: no limit. */
  readonly maxReadCapacity: number | null;
  /** Local days that the CSV file of a log or of changes holds, today included. */
  readonly keep: number;
  /** Local days remembered in all; null: for ever. */
  readonly retention: number | null;
  /** Null: `timestamp`, or `poll_timestamp` where the table has an attribute of that name. */
  readonly timestampColumn: string | null;
}

/** The EC2 instances to watch; those of `ids` and those that match all `tags`. */
export interface InstancesConfig {
  /** The published name of the snapshot; the log is called `<name>-log`. */
  readonly name: string;
  readonly ids: readonly string[];
  /** Accepted values by tag; of these any one, of the tags all. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** Empty: the one that the SDK finds. */
  readonly regions: readonly string[];
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
  /** Local days that the log's CSV file holds, today included. */
  readonly keep: number;
  /** Local days remembered in all; null: for ever. */
  readonly retention: number | null;
}

const table = TableOptions.properties;
const instances = InstancesOptions.properties;

/** A table's options with all defaults applied and durations in numbers. */
export function tableConfig(name: string, options: TableOptions): TableConfig {
  const columns = options.columns ?? defaultOf<string[]>(table.columns);
  return {
    table: name,
    name: options.as ?? name,
    log: options.log ?? defaultOf<boolean>(table.log),
    changes: options.changes ?? defaultOf<boolean>(table.changes),
    interval: milliseconds(options.interval ?? defaultOf<string>(table.interval)),
    columns,
    only: options.only === true ? columns : (options.only ?? null),
    rename: options.rename ?? defaultOf<Record<string, string>>(table.rename),
    region: options.region ?? null,
    consistent: options.consistent ?? defaultOf<boolean>(table.consistent),
    segments: options.segments ?? defaultOf<'auto'>(table.segments),
    maxReadCapacity: options.maxReadCapacity ?? null,
    keep: parseDays(options.keep ?? defaultOf<number>(table.keep)) ?? 1,
    retention: parseDays(options.retention),
    timestampColumn: options.timestampColumn ?? null,
  };
}

/** The options of `instances` with all defaults applied. */
export function instancesConfig(options: InstancesOptions): InstancesConfig {
  const tags = options.tags ?? defaultOf<Record<string, string>>(instances.tags);
  return {
    name: options.as ?? defaultOf<string>(instances.as),
    ids: options.ids ?? defaultOf<string[]>(instances.ids),
    tags: Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, [value].flat()])),
    regions: options.regions ?? [],
    interval: milliseconds(options.interval ?? defaultOf<string>(instances.interval)),
    keep: parseDays(options.keep ?? defaultOf<number>(instances.keep)) ?? 1,
    retention: parseDays(options.retention),
  };
}

/** The schema has let it pass, so it is a duration. */
function milliseconds(text: string): number {
  const duration = parseDuration(text);
  if (duration === null) throw new TypeError(`not a duration: ${text}`);
  return duration;
}
