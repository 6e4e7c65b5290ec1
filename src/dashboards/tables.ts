import { type Dataset, type Registry, THIS_SERVICE } from '../datasets/dataset.js';

/** Whether the dashboard of this dataset is published for Grafana: it is a table that is read from somewhere. */
export function isTable({ kind, source }: Pick<Dataset, 'kind' | 'source'>): boolean {
  return (kind === 'snapshot' || kind === 'log') && source !== THIS_SERVICE;
}

/** The dataset whose published dashboard shows this one: itself, or the table whose changes it has; null if there is none. */
export function tableShown(dataset: Dataset, registry: Pick<Registry, 'get'>): string | null {
  if (isTable(dataset)) return dataset.name;
  if (dataset.kind !== 'changes') return null;
  const table = registry.get(dataset.name.replace(/-changes$/, ''));
  return table !== undefined && isTable(table) ? table.name : null;
}
