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
  /** What a column of a reading is called in the answer. */
  field(reading: Pick<Reading, 'columns' | 'time'>, column: string): string;
  /**
   * What a rule is where the service answers without a value, e.g. with the CPU of a server that does not run. The CSV
   * plugin makes "normal" of it by itself, so that no data means no answer there; with Infinity it must be said.
   */
  readonly withoutValue: 'KeepLast' | 'OK';
  /** A variable with which the reader chooses several values. */
  variable(options: ChoiceVariable): Builder<VariableModel>;
}

/** Several values of a column to choose from. */
export interface ChoiceVariable {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** Every value that can be chosen now. None holds a comma that is followed by nothing, or ` : `. */
  readonly values: readonly string[];
  /** Chosen at first; `all`: every value, by Grafana's choice *All*. */
  readonly chosen: readonly string[] | 'all';
  /** Lists the values anew whenever the dashboard is opened, where the plugin can: a reading whose first column they are. */
  readonly reading: Reading;
  /** What the reading is called in Grafana's list of variables. */
  readonly definition: string;
}

/** How Grafana writes that all values of a variable are chosen. */
export const ALL = { text: 'All', value: '$__all' } as const;

/** Makes a query model out of a plain object: the builder library does not know these two plugins. */
export function queryOf(model: Readonly<Record<string, unknown>>): Builder<Dataquery> {
  return { build: () => ({ ...model, _implementsDataqueryVariant: () => {} }) };
}
