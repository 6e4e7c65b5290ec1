import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { ViewDataset } from './view-dataset.js';

/**
 * Computes each view once and logs the broken ones. Returns those whose data has not been read yet, to be tried again
 * later. Ends when the signal aborts, without logging the interrupted view.
 */
export async function tryViews(
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
