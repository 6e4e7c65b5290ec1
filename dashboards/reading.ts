import type { Reading, Window } from '../src/dashboards/reading.js';
import { type DatasetContract, datasets } from './datasets.js';

export type DatasetName = keyof typeof datasets;
type ColumnOf<Name extends DatasetName> = keyof (typeof datasets)[Name]['columns'] & string;

/** A reading of the fleet's datasets: the compiler checks every name. */
export function read<Name extends DatasetName, Column extends ColumnOf<Name>>(
  dataset: Name,
  columns: readonly Column[],
  window: Window = {},
): Reading<Column> {
  const contract: DatasetContract = datasets[dataset];
  const typed = columns.map((name) => ({ name, type: contract.columns[name]!.type }));
  return { dataset, columns: typed, window };
}
