import { formatDuration } from '../base/durations.js';
import { DynamoCsvError } from '../base/errors.js';
import { awsFailure, facts } from '../sources/aws/failures.js';

/** A request to Athena or Glue that failed. `action`: as IAM names it, `athena:StartQueryExecution`. */
export function engineRequestFailed(action: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  const failure = awsFailure(cause, {
    action,
    allow: (denied) => `allow ${denied} (docs/iam.md)`,
    regionOption: 'athena.region',
  });
  if (failure !== null) {
    const remedy =
      failure.kind === 'throttled'
        ? 'the service tries again; set -- every: to a longer time'
        : failure.remedy;
    return new DynamoCsvError(failure.code, `${action}: ${failure.why}`, { remedy, cause });
  }
  const { name, reason } = facts(cause);
  return new DynamoCsvError('ATHENA_REQUEST_FAILED', `${action}: ${name} ${reason}`, {
    remedy: 'check athena.workgroup, athena.database and athena.output',
    cause,
  });
}

/** A view's query that Athena did not finish. `reason`: Athena's own sentence, `line 3:8: Column 'x' cannot be resolved`. */
export function queryFailed(file: string, state: string, reason: string): DynamoCsvError {
  const place = /\bline (\d+):(\d+): ?/.exec(reason);
  const where = place === null ? file : `${file}, line ${place[1]}, column ${place[2]}`;
  const sentence = (place === null ? reason : reason.replace(place[0], '')).trim().replace(/[.;]+$/, '');
  return new DynamoCsvError('VIEW_BROKEN', `${where}: Athena: ${sentence || `the query ended as ${state}`}`, {
    remedy: 'correct the SQL of that view, or its tables in Athena',
  });
}

/** A view's query that took too long and was stopped. `limit` in milliseconds. */
export function queryTooLong(file: string, limit: number): DynamoCsvError {
  return new DynamoCsvError(
    'ATHENA_TIMED_OUT',
    `${file}: the query was stopped after ${formatDuration(limit)}`,
    {
      remedy: 'let it read fewer days: compare the column of the day with dates',
    },
  );
}

/** A result that is more than a dataset may have. */
export function resultTooLarge(file: string, rows: number, bytes: number): DynamoCsvError {
  const limit = `${rows.toLocaleString('en')} rows or ${Math.round(bytes / 1e6)} MB`;
  return new DynamoCsvError('ATHENA_RESULT_TOO_LARGE', `${file}: its result has more than ${limit}`, {
    remedy: 'aggregate further, or add a LIMIT',
  });
}

/** A view whose comment or statement cannot be carried out. `what`: a clause. */
export function engineViewWrong(file: string, what: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', `${file}: ${what}`, { remedy });
}

/** A table of that name in Glue that this service did not make. */
export function glueTableTaken(database: string, table: string): DynamoCsvError {
  return new DynamoCsvError(
    'GLUE_TABLE_TAKEN',
    `Glue has a table ${database}.${table} that this service did not make; it stays as it is`,
    { remedy: 'drop that table, or name another athena.database' },
  );
}
