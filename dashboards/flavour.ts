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
  /** The variable `zone`: several zones, by name, with the zone's number as value. */
  zoneVariable(options: ZoneVariable): Builder<VariableModel>;
}

export interface ZoneVariable {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** Every zone that can be chosen. */
  readonly zones: readonly Zone[];
  /** Chosen at first. */
  readonly chosen: readonly Zone[];
}

export interface Zone {
  readonly id: string;
  readonly name: string;
}

/** Makes a query model out of a plain object: the builder library does not know these two plugins. */
export function queryOf(model: Readonly<Record<string, unknown>>): Builder<Dataquery> {
  return { build: () => ({ ...model, _implementsDataqueryVariant: () => {} }) };
}
