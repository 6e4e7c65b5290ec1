import { DynamoCsvError } from '../base/errors.js';
import type { Parameters } from '../datasets/queries.js';
import { badParameter } from '../windows/errors.js';
import { named, SHAPE_PARAMETERS } from '../windows/parameters.js';
import { sqlFailed, sqlRefused } from './errors.js';
import { readDuckDbError, SelectMistake } from './select-mistake.js';
import type { Session } from './session.js';

/** SQL from outside names the rows and columns it wants itself: beside it only parameters of the output are allowed. */
export function refuseWindowParameters(parameters: Parameters): void {
  const other = parameters.find(([name]) => !SHAPE_PARAMETERS.some((known) => known === name));
  if (other === undefined) return;
  throw badParameter(
    `${named(other[0])}: SQL has no such parameter`,
    `say it in the SQL; the output has ${SHAPE_PARAMETERS.join(', ')}`,
  );
}

/**
 * The columns of a SELECT from outside. A mistake in it is reported with its position in the text.
 * `withDays`: see `withPrunedPartitions`.
 */
export async function columnsOfOutsideSql(
  session: Session,
  sql: string,
  withDays: string,
): ReturnType<Session['describe']> {
  try {
    // On lines of its own, so that columns count from its beginning.
    return await session.describe(`${withDays}SELECT * FROM (\n${sql}\n)`);
  } catch (error) {
    throw explainOutsideSql(error, 1);
  }
}

/**
 * SQL from outside that does not work is a mistake of its author. `linesBefore`: lines of ours before the text; null: it
 * is somewhere inside a statement of ours, so that DuckDB's position says nothing about the text.
 */
export function explainOutsideSql(error: unknown, linesBefore: number | null = null): unknown {
  if (error instanceof SelectMistake) {
    return error.remedy === null
      ? sqlFailed(error.message, error.position)
      : sqlRefused(error.message, error.remedy);
  }
  if (error instanceof DynamoCsvError || !(error instanceof Error) || error.name !== 'Error') return error;
  const { reason, position } = readDuckDbError(error);
  const isKnown = position !== null && linesBefore !== null && position.line > linesBefore;
  return sqlFailed(reason, isKnown ? { ...position, line: position.line - linesBefore } : null, error);
}
