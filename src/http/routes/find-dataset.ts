import type { Dataset, Registry } from '../../datasets/dataset.js';
import { datasetMissing } from '../../datasets/errors.js';

/** The dataset that a URL names, with or without the suffix; the exact name first, which may itself end so. Throws a 404. */
export function findDataset(registry: Registry, name: string, suffix: string): Dataset {
  const exact = registry.get(name);
  if (exact !== undefined) return exact;
  const bare = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  const dataset = registry.get(bare);
  if (dataset === undefined) throw datasetMissing(registry, bare);
  return dataset;
}
