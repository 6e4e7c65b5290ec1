import { DynamoCsvError } from '../base/errors.js';

/** DuckDB ended a query before its last row: it failed half way, or was interrupted. */
export function answerIncomplete(): DynamoCsvError {
  return new DynamoCsvError('ANSWER_INCOMPLETE', 'The query ended before its last row');
}

/** A view that does not work. `file` and `line` are where its SQL is wrong, `reason` is DuckDB's sentence. */
export function viewBroken(file: string, line: number | null, reason: string): DynamoCsvError {
  const place = line === null ? file : `${file}, line ${line}`;
  return new DynamoCsvError('VIEW_BROKEN', `${place}: ${reason}`, { remedy: 'correct the SQL of that view' });
}

/** A view whose leading comment names a column, after `time:` or `keys:`, that its SQL does not give. */
export function viewLacksColumn(file: string, column: string): DynamoCsvError {
  return new DynamoCsvError(
    'VIEW_BROKEN',
    `${file}: its comment names the column ${JSON.stringify(column)}, which its SQL does not give`,
    { remedy: 'correct the line "-- time:" or "-- keys:"' },
  );
}

/** A view that reads something that is no dataset. */
export function viewReadsUnknown(file: string, name: string, closest: string | undefined): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', `${file}: there is no dataset ${JSON.stringify(name)}`, {
    remedy: closest === undefined ? 'see /datasets for their names' : `did you mean ${closest}?`,
  });
}

/** Views that read each other in a circle; `circle` begins and ends with the same name. */
export function viewReadsItself(file: string, circle: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', `${file}: it reads itself: ${circle.join(' reads ')}`, {
    remedy: 'take one of these out of the circle',
  });
}

/** A query that computed for longer than it may, and was stopped. `limit` in milliseconds. */
export function queryTimedOut(limit: number): DynamoCsvError {
  return new DynamoCsvError('QUERY_TIMED_OUT', `The query was stopped after ${limit / 1000} seconds`, {
    remedy: 'ask for less: a shorter time, fewer rows, a filter',
    status: 503,
  });
}

/** Foreign SQL that is not exactly one SELECT over the datasets. */
export function sqlRefused(what: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('SQL_REFUSED', what, { remedy, status: 400 });
}

/** Foreign SQL that DuckDB does not take; `position` is line and column, from 1. */
export function sqlFailed(
  reason: string,
  position: { readonly line: number; readonly column: number } | null,
): DynamoCsvError {
  const where = position === null ? '' : `line ${position.line}, column ${position.column}: `;
  return new DynamoCsvError('SQL_FAILED', `${where}${reason}`, { status: 400 });
}

/** Foreign SQL whose answer is larger than anybody should fetch. */
export function sqlTooManyRows(limit: number): DynamoCsvError {
  return new DynamoCsvError('SQL_TOO_MANY_ROWS', `The answer has more than ${limit} rows`, {
    remedy: 'add a LIMIT or a filter',
    status: 400,
  });
}

/** More queries than DuckDB answers in time. */
export function tooManyQueries(): DynamoCsvError {
  return new DynamoCsvError('TOO_MANY_QUERIES', 'Too many queries are waiting to be computed', {
    remedy: 'ask again in a few seconds, or less often: fewer panels, a longer refresh interval',
    status: 503,
  });
}
