import { DynamoCsvError } from '../base/errors.js';
import type { Parameters } from '../datasets/queries.js';
import { badParameter } from '../windows/errors.js';
import { named, SHAPE_PARAMETERS } from '../windows/parameters.js';
import { sqlFailed, sqlRefused } from './errors.js';
import { readDuckDbError, SelectMistake } from './select-mistake.js';
import type { Session } from './session.js';

/** Ad-hoc SQL selects rows and columns itself: only output parameters are allowed with it. */
export function refuseWindowParameters(parameters: Parameters): void {
  const other = parameters.find(([name]) => !SHAPE_PARAMETERS.some((known) => known === name));
  if (other === undefined) return;
  throw badParameter(
    `${named(other[0])}: SQL has no such parameter`,
    `say it in the SQL; the output has ${SHAPE_PARAMETERS.join(', ')}`,
  );
}

/**
 * The columns of an ad-hoc SELECT. A mistake in it is reported with its position in the text.
 * `withDays`: see `withPrunedPartitions`.
 */
export async function columnsOfAdHocSql(
  session: Session,
  sql: string,
  withDays: string,
): ReturnType<Session['describe']> {
  try {
    // On lines of its own, so that columns count from its beginning.
    return await session.describe(`${withDays}SELECT * FROM (\n${sql}\n)`);
  } catch (error) {
    throw explainAdHocSql(error, 1);
  }
}

/**
 * An error in ad-hoc SQL is its author's mistake. `linesBefore`: lines that this service put before the text; null: the
 * text is inside a statement of the service, so DuckDB's position is meaningless for it.
 */
export function explainAdHocSql(error: unknown, linesBefore: number | null = null): unknown {
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
