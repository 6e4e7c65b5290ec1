import { type CellType, type DatasetContract, datasets } from './datasets.js';

export type DatasetName = keyof typeof datasets;
type ColumnOf<Name extends DatasetName> = keyof (typeof datasets)[Name]['columns'] & string;

/** Window parameters of the service besides `columns`, e.g. `{ last: '3h', every: '1m' }`; values as Grafana will send them. */
export type Window = Readonly<Record<string, string>>;

/** What one query of a panel or alert asks the service for: these columns of a window of a dataset. */
export interface Reading<Column extends string = string> {
  readonly dataset: DatasetName;
  readonly columns: readonly { readonly name: Column; readonly type: CellType }[];
  readonly window: Window;
}

/** The window that the reader has picked in Grafana's time picker (epoch milliseconds, filled in by Grafana; panels only). */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables, not ours
export const pickedTime: Window = { from: '${__from}', to: '${__to}' };

/** One row per step of the picked time that a screen can show. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable, not ours
export const everyInterval: Window = { every: '${__interval}' };

export function read<Name extends DatasetName, Column extends ColumnOf<Name>>(
  dataset: Name,
  columns: readonly Column[],
  window: Window = {},
): Reading<Column> {
  const contract: DatasetContract = datasets[dataset];
  const typed = columns.map((name) => ({ name, type: contract.columns[name]!.type }));
  return { dataset, columns: typed, window };
}
