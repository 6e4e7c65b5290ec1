import { basename } from 'node:path';
import { DynamoCsvError } from '../base/errors.js';
import type { SealedDay } from '../datasets/relation.js';

/** DuckDB ended a query before its last row: it failed half way, or was interrupted. */
export function answerIncomplete(): DynamoCsvError {
  return new DynamoCsvError('ANSWER_INCOMPLETE', 'The query ended before its last row');
}

/** A sealed day's file that was written again and did not have the same cells; it stays as it is. */
export function dayNotRewritten(file: string): DynamoCsvError {
  return new DynamoCsvError(
    'DAY_NOT_REWRITTEN',
    `${file} did not have the same cells when it was written again`,
    {
      remedy: 'the file stays as it is; report this with its columns (/datasets)',
    },
  );
}

/** A broken view. `file` and `line`: where its SQL is wrong; `reason`: DuckDB's sentence. */
export function viewBroken(file: string, line: number | null, reason: string): DynamoCsvError {
  const place = line === null ? file : `${file}, line ${line}`;
  return new DynamoCsvError('VIEW_BROKEN', `${place}: ${reason}`, { remedy: 'correct the SQL of that view' });
}

/** A view whose leading comment names a column, after `time:` or `keys:`, that its SELECT does not return. */
export function viewLacksColumn(file: string, column: string): DynamoCsvError {
  return new DynamoCsvError(
    'VIEW_BROKEN',
    `${file}: its comment names the column ${JSON.stringify(column)}, which its SQL does not give`,
    { remedy: 'correct the line "-- time:" or "-- keys:"' },
  );
}

/** A view that reads a dataset which does not exist. */
export function viewReadsUnknown(file: string, name: string, closest: string | undefined): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', `${file}: there is no dataset ${JSON.stringify(name)}`, {
    remedy: closest === undefined ? 'see /datasets for their names' : `did you mean ${closest}?`,
  });
}

/** Views that read each other in a cycle; `circle` begins and ends with the same name. */
export function viewReadsItself(file: string, circle: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', `${file}: it reads itself: ${circle.join(' reads ')}`, {
    remedy: 'take one of these out of the circle',
  });
}

/** A query that exceeded its time limit and was stopped. `limit` in milliseconds. */
export function queryTimedOut(limit: number): DynamoCsvError {
  return new DynamoCsvError('QUERY_TIMED_OUT', `The query was stopped after ${limit / 1000} seconds`, {
    remedy: 'ask for less: a shorter time, fewer rows, a filter',
    status: 503,
  });
}

/** Ad-hoc SQL that is not exactly one SELECT over the datasets. */
export function sqlRefused(what: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('SQL_REFUSED', what, { remedy, status: 400 });
}

/** Ad-hoc SQL that DuckDB rejects; `position` is line and column, from 1. */
export function sqlFailed(
  reason: string,
  position: { readonly line: number; readonly column: number } | null,
  cause?: unknown,
): DynamoCsvError {
  const where = position === null ? '' : `line ${position.line}, column ${position.column}: `;
  return new DynamoCsvError('SQL_FAILED', `${where}${reason}`, { status: 400, cause });
}

/** Ad-hoc SQL whose answer has more rows than the limit. */
export function sqlTooManyRows(limit: number): DynamoCsvError {
  return new DynamoCsvError('SQL_TOO_MANY_ROWS', `The answer has more than ${limit} rows`, {
    remedy: 'add a LIMIT or a filter',
    status: 400,
  });
}

/** More queries than DuckDB can answer in time. */
export function tooManyQueries(): DynamoCsvError {
  return new DynamoCsvError('TOO_MANY_QUERIES', 'Too many queries are waiting to be computed', {
    remedy: 'ask again in a few seconds, or less often: fewer panels, a longer refresh interval',
    status: 503,
  });
}

/** A query needs sealed days that cannot be read. */
export function dayMissing(dataset: string, missing: readonly SealedDay[]): DynamoCsvError {
  const reasons = [...new Set(missing.map((day) => day.missing))];
  const datesOf = (why: string | undefined) =>
    missing.filter((day) => day.missing === why).map(({ date }) => date);
  const days = reasons.map((why) => `${datesOf(why).join(', ')} (${why})`).join(', ');
  return new DynamoCsvError(
    'DAY_MISSING',
    `"${dataset}" lacks ${missing.length === 1 ? 'the day' : 'the days'} ${days}`,
    {
      remedy: 'ask for other days; a file that is lost can be restored from a backup, before a restart',
    },
  );
}

/** Another service writes sealed days again, each time one that was read. */
export function dayRewritten(path: string): DynamoCsvError {
  return new DynamoCsvError(
    'DAY_REWRITTEN',
    `${basename(path)} was written again by the service that collects while it was read`,
    { remedy: 'ask again', status: 503 },
  );
}

/** Days in an archive that are written again, or leave, each time that they were fetched. */
export function daysKeepLeaving(paths: readonly string[]): DynamoCsvError {
  return new DynamoCsvError(
    'DAY_NOT_FETCHED',
    `${paths.length} archived days, ${basename(paths[0] ?? '')} among them, were others each time that they had been fetched`,
    { remedy: 'ask again', status: 503 },
  );
}
