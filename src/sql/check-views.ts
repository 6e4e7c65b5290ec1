import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { ViewDataset } from './view-dataset.js';

/**
 * Computes each view once and says in the log which are broken; none stops another. Returns those whose data is not there
 * yet: check them again when it is. When the signal aborts it ends, and says nothing of what that broke off.
 */
export async function checkViews(
  views: readonly ViewDataset[],
  logger: Logger,
  signal?: AbortSignal,
): Promise<readonly ViewDataset[]> {
  const waiting: ViewDataset[] = [];
  for (const view of views) {
    if (signal?.aborted) break;
    try {
      await view.sync();
    } catch (error) {
      if (signal?.aborted) break;
      if (error instanceof DynamoCsvError && error.code === 'DATASET_NOT_READ_YET') waiting.push(view);
      else if (!(error instanceof DOMException)) logger.error({ dataset: view.name }, describeError(error));
    }
  }
  return waiting;
}
