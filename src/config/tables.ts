import { parseDuration } from '../base/durations.js';
import type { InstancesConfig, TableConfig } from './config.js';
import { parseDays } from './kinds.js';
import { defaultOf, InstancesOptions, TableOptions } from './schema.js';

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
