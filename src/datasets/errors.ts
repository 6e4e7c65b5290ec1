import { DynamoCsvError } from '../base/errors.js';
import type { Registry } from './dataset.js';

/** A dataset without data yet. `lastError`: why, if a poll has failed or its rows could not be written. */
export function datasetNotReadYet(
  name: string,
  lastError: { readonly code: string; readonly message: string } | null,
): DynamoCsvError {
  const sentence = `dataset "${name}" ${whyNotReadYet(lastError)}`;
  return new DynamoCsvError('DATASET_NOT_READ_YET', sentence, { status: 503 });
}

function whyNotReadYet(lastError: { readonly code: string; readonly message: string } | null): string {
  if (lastError === null) return 'has not been read yet: its first poll has not finished';
  const { code, message } = lastError;
  if (code === 'NOT_PERSISTED') return `was read, but has no file yet: ${message}`;
  // A poll that the budget does not allow has not failed.
  const why = code.startsWith('BUDGET_') ? message : `its polls fail: ${message}`;
  return `has not been read yet: ${why}`;
}

/** A lookup's file has the name of an existing dataset; `source`: where that one comes from. */
export function lookupNameTaken(name: string, source: string): DynamoCsvError {
  const remedy = 'rename the file';
  return new DynamoCsvError('LOOKUP_NAME_TAKEN', `${source} already has the name "${name}"`, { remedy });
}

/** A lookup's file is not UTF-8 text. */
export function lookupNotText(source: string): DynamoCsvError {
  const remedy = 'save it as CSV in UTF-8';
  return new DynamoCsvError('LOOKUP_NOT_TEXT', `${source} is not UTF-8 text`, { remedy });
}

/** No dataset has that name: with the reason, if there could be one. */
export function datasetMissing(registry: Registry, name: string): DynamoCsvError {
  return registry.absence(name) ?? datasetUnknown(name, registry.closest(name));
}

/** No dataset has that name. */
export function datasetUnknown(name: string, closest: string | undefined): DynamoCsvError {
  return new DynamoCsvError('DATASET_UNKNOWN', `there is no dataset ${JSON.stringify(name)}`, {
    remedy: closest === undefined ? 'see /datasets for their names' : `did you mean ${closest}?`,
    status: 404,
  });
}
