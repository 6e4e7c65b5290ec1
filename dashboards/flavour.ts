import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Reading } from './reading.js';

/** One of the two ways that Grafana can ask the service: everything that differs between the plugins, and nothing else. */
export interface Flavour {
  /** Also the folder of the generated files, the uid of the data source and the value of `GRAFANA_DATASOURCE`. */
  readonly name: 'csv' | 'infinity';
  readonly dataSource: Required<DataSourceRef>;
  /** The query model of that plugin. */
  query(reading: Reading, refId: string): Builder<Dataquery>;
  /** What a column of ours is called in the answer. */
  field(column: string): string;
  /**
   * What a rule is where the service answers without a value, e.g. with the CPU of a server that does not run. The CSV
   * plugin makes "normal" of it by itself, so that no data means no answer there; with Infinity it must be said.
   */
  readonly withoutValue: 'KeepLast' | 'OK';
  /** A variable for several zones, by name (every deployment has the names; some store numbers, some do not). */
  zoneVariable(options: ZoneVariable): Builder<VariableModel>;
}

export interface ZoneVariable {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** The name of every zone that can be chosen. */
  readonly zones: readonly string[];
  /** Chosen at first. */
  readonly chosen: readonly string[];
}

/** Makes a query model out of a plain object: the builder library does not know these two plugins. */
export function queryOf(model: Readonly<Record<string, unknown>>): Builder<Dataquery> {
  return { build: () => ({ ...model, _implementsDataqueryVariant: () => {} }) };
}
