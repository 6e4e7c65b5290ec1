import type { Column } from '../../csv/rows.js';
import type { WindowedDataset } from '../window.js';
import type { Aggregate, Aggregation } from './aggregation.js';

/** The column of a dataset that an aggregate or `by` names; it was checked that it exists. */
export function columnOf(dataset: Pick<WindowedDataset, 'columns'>, name: string): Column {
  return dataset.columns.find((column) => column.name === name)!;
}

/** The dataset that aggregates make: the start of each step where there are steps, `by`, then the aggregates. */
export function aggregatedDataset(
  dataset: WindowedDataset,
  { by, aggregates }: Aggregation,
  every: number | null,
): WindowedDataset {
  const timeColumn = every === null ? null : dataset.timeColumn;
  const time: readonly Column[] = timeColumn === null ? [] : [{ name: timeColumn, type: 'time', seen: true }];
  const columns = [
    ...time,
    ...by.map((name) => columnOf(dataset, name)),
    ...aggregates.map((aggregate) => resultColumn(dataset, aggregate)),
  ];
  return { name: dataset.name, columns, keys: by, timeColumn };
}

/** `first` and `last` are cells of their column; everything else is a number. */
function resultColumn(dataset: WindowedDataset, aggregate: Aggregate): Column {
  const { name, column } = aggregate;
  if (aggregate.function !== 'first' && aggregate.function !== 'last')
    return { name, type: 'number', seen: true };
  return { ...columnOf(dataset, column!), name };
}
