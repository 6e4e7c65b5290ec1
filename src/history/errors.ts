import { DynamoCsvError, describeError } from '../base/errors.js';

/** Closed days stay in the CSV file of a log or of changes until they can be sealed. */
export function sealingFailed(name: string, cause: unknown): DynamoCsvError {
  const sentence = `The closed days of "${name}" could not be sealed: ${describeError(cause)}`;
  return new DynamoCsvError('SEALING_FAILED', sentence, {
    ...(cause instanceof DynamoCsvError
      ? {}
      : { remedy: 'they stay in the CSV file until the next attempt' }),
    cause,
  });
}

/** Sealed days stay in columns of their own until they can be written again in those of the others. */
export function notOneSchema(name: string, cause: unknown): DynamoCsvError {
  const sentence = `Sealed days of "${name}" could not be written again in one schema: ${describeError(cause)}`;
  return new DynamoCsvError('HISTORY_NOT_ONE_SCHEMA', sentence, {
    ...(cause instanceof DynamoCsvError
      ? {}
      : { remedy: 'they are read as they are; other engines may refuse them until the next attempt' }),
    cause,
  });
}

/** Sealed days begin at one time zone's midnights; with another zone some hours would count twice and others not at all. */
export function historyInOtherTimeZone(location: string, found: string, configured: string): DynamoCsvError {
  return new DynamoCsvError(
    'HISTORY_TIME_ZONE',
    `${location} holds days of the time zone ${found}, but timeZone is ${configured}`,
    { remedy: `set timeZone: ${found}, or move that folder away to start a new history` },
  );
}
