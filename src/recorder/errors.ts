import { DynamoCsvError, describeError } from '../base/errors.js';

/** The result of a poll could not be written to disk. */
export function notPersisted(name: string, cause: unknown): DynamoCsvError {
  const sentence = `"${name}" could not be written to the volume: ${describeError(cause)}`;
  return new DynamoCsvError('NOT_PERSISTED', sentence, {
    ...(cause instanceof DynamoCsvError ? {} : { remedy: 'polls continue, and writing resumes by itself' }),
    cause,
  });
}

/** Runs one step on the volume. False if it failed: the error is added to `problems`, once per sentence. */
export async function attempt(
  name: string,
  problems: DynamoCsvError[],
  step: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    const problem = notPersisted(name, error);
    if (!problems.some((known) => known.line === problem.line)) problems.push(problem);
    return false;
  }
}

/** The state file of a table is damaged, or was not written by this service. */
export function stateUnreadable(path: string, cause?: unknown): DynamoCsvError {
  const sentence = `${path} is not a state file of this service; columns and their types are read off the data instead`;
  return new DynamoCsvError('STATE_UNREADABLE', sentence, { cause });
}

/** The files of a table cannot be opened. Status 503: the data exists but is not readable. */
export function tableBroken(name: string, cause: unknown): DynamoCsvError {
  const remedy = cause instanceof DynamoCsvError && cause.remedy !== null ? `${cause.remedy}, then ` : '';
  const reason = cause instanceof DynamoCsvError ? cause.message : describeError(cause);
  return new DynamoCsvError('TABLE_BROKEN', `"${name}" is broken: its files cannot be opened: ${reason}`, {
    remedy: `${remedy}restart this service`,
    status: 503,
    cause,
  });
}

/** A source returned a delta although it was given no position. */
export function deltaWithoutItems(source: string): DynamoCsvError {
  return new DynamoCsvError(
    'DELTA_WITHOUT_ITEMS',
    `${source} returned what changed, and there are no items to apply it to`,
  );
}
