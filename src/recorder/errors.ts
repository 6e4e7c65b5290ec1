import { DynamoCsvError, describeError } from '../base/errors.js';

/** The disk did not take what a poll brought. */
export function notPersisted(name: string, cause: unknown): DynamoCsvError {
  const sentence = `"${name}" could not be written to the volume: ${describeError(cause)}`;
  return new DynamoCsvError('NOT_PERSISTED', sentence, {
    ...(cause instanceof DynamoCsvError ? {} : { remedy: 'polls go on, and writing resumes by itself' }),
    cause,
  });
}

/** A file of `.dynamo-csv/` that is not what we wrote. */
export function stateUnreadable(path: string, cause?: unknown): DynamoCsvError {
  const sentence = `${path} is not readable as this service's state; the types of columns are read off the data instead`;
  return new DynamoCsvError('STATE_UNREADABLE', sentence, { cause });
}
