import { DynamoCsvError, describeError } from '../base/errors.js';

/** A poll that failed in a way no room has words for. */
export function pollFailed(thrown: unknown): DynamoCsvError {
  return thrown instanceof DynamoCsvError
    ? thrown
    : new DynamoCsvError('POLL_FAILED', describeError(thrown), { cause: thrown });
}
