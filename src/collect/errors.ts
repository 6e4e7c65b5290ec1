import { formatDuration } from '../base/durations.js';
import { DynamoCsvError, describeError } from '../base/errors.js';

/** A poll that failed with an error that its source does not explain. */
export function pollFailed(thrown: unknown): DynamoCsvError {
  return thrown instanceof DynamoCsvError
    ? thrown
    : new DynamoCsvError('POLL_FAILED', describeError(thrown), { cause: thrown });
}

/** A poll was aborted after that many milliseconds. `title`: of its source. */
export function pollTimedOut(title: string, milliseconds: number): DynamoCsvError {
  return new DynamoCsvError(
    'POLL_TIMED_OUT',
    `A poll of ${title} was aborted: it was not complete after ${formatDuration(milliseconds)}`,
    {
      remedy: 'check the network, or set a longer interval; the next poll starts afresh',
      status: 502,
    },
  );
}
