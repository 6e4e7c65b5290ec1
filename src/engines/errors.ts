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
  const sentence = withoutStop(reason);
  const known = REQUESTS.find(([pattern]) => pattern.test(sentence));
  return new DynamoCsvError('ATHENA_REQUEST_FAILED', `${action}: ${name}: ${sentence}`, {
    remedy: known?.[1] ?? 'check athena.workgroup, athena.database and athena.output',
    cause,
  });
}

/** Whether a request may succeed in a moment: AWS was not reached, throttled it, or had a failure of its own. */
export function isPassing(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  const { $metadata } = (cause ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  const isOfAws = ($metadata?.httpStatusCode ?? 0) >= 500;
  return isOfAws || code === 'AWS_UNREACHABLE' || code === 'AWS_THROTTLED';
}

/** What Athena says of requests that it refuses, and what helps. */
const REQUESTS: readonly (readonly [RegExp, string])[] = [
  [/workgroup .*(not found|does not exist)/i, 'create that workgroup, or correct athena.workgroup'],
  [/workgroup .*disabled/i, 'enable that workgroup, or name another as athena.workgroup'],
  [
    /output location|output bucket|results? configuration/i,
    'set athena.output, or the location of results in the workgroup, to a place in a bucket that exists, such as s3://my-bucket/athena/ (docs/iam.md)',
  ],
];

/** Where Athena's sentences name a place: `line 3:8: `, once behind the name of the error. */
const PLACE = /\bline (\d+):(\d+): ?/;

/** Athena's refusal of a view's text, which it parses before it runs it; null: another error. */
export function textRefused(file: string, cause: unknown): DynamoCsvError | null {
  const { name, reason } = facts(cause);
  // https://docs.aws.amazon.com/athena/latest/APIReference/API_InvalidRequestException.html
  const { AthenaErrorCode } = (cause ?? {}) as { readonly AthenaErrorCode?: unknown };
  const isText =
    name === 'InvalidRequestException' &&
    (AthenaErrorCode === 'MALFORMED_QUERY' ||
      PLACE.test(reason) ||
      /Queries of this type|Only one sql statement/i.test(reason));
  // It repeats the whole text.
  return isText ? viewBroken(saidOf(file, 'FAILED', reason.replace(/\. Got: .*$/s, ''))) : null;
}

/** What Athena says of queries that end for another reason than their SQL, and what helps. */
const ENDINGS: readonly (readonly [RegExp, string])[] = [
  [
    /bytes scanned limit/i,
    "let it read fewer days: compare the column of the day with dates; or raise the workgroup's limit on bytes",
  ],
  [
    /access denied|permission|not authorized to perform/i,
    'allow what it names to the credentials of the service (docs/iam.md)',
  ],
  [
    /exhausted resources|internal.?error|service.?unavailable|slow ?down|throttl/i,
    'it runs again when it is due',
  ],
];

/**
 * A view's query that Athena did not finish. `reason`: Athena's own sentence, `line 3:8: Column 'x' cannot be resolved`.
 * `VIEW_BROKEN` if the SQL is the reason, `ATHENA_QUERY_FAILED` otherwise.
 */
export function queryFailed(file: string, state: string, reason: string): DynamoCsvError {
  const what = saidOf(file, state, reason);
  const known = PLACE.test(reason) ? undefined : ENDINGS.find(([pattern]) => pattern.test(reason));
  if (known !== undefined) return new DynamoCsvError('ATHENA_QUERY_FAILED', what, { remedy: known[1] });
  if (state === 'CANCELLED') {
    const remedy = 'it runs again when it is due; see in Athena who cancelled it';
    return new DynamoCsvError('ATHENA_QUERY_FAILED', what, { remedy });
  }
  return viewBroken(what);
}

function viewBroken(what: string): DynamoCsvError {
  return new DynamoCsvError('VIEW_BROKEN', what, {
    remedy: 'correct the SQL of that view, or its tables in Athena',
  });
}

/** Athena's sentence, behind the place that it names. */
function saidOf(file: string, state: string, reason: string): string {
  const place = PLACE.exec(reason);
  const where = place === null ? file : `${file}, line ${place[1]}, column ${place[2]}`;
  const sentence = withoutStop(place === null ? reason : reason.replace(place[0], ''));
  return `${where}: Athena: ${sentence || `the query ended as ${state}`}`;
}

function withoutStop(sentence: string): string {
  return sentence.trim().replace(/[.;]+$/, '');
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
