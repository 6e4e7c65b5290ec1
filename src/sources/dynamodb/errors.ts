import { DynamoCsvError } from '../../base/errors.js';
import { type AwsFailure, awsFailure, type FailureKind, facts } from '../aws/failures.js';
import { columnOfPath, parsePath } from './paths.js';
import { meaningOf } from './status.js';

/** Where a DynamoDB table was looked for. */
export interface TablePlace {
  readonly table: string;
  /** The index that was read; null or absent: the table. */
  readonly index?: string | null;
  /** Null when the SDK found no region. */
  readonly region: string | null;
  /** The endpoint that was asked, e.g. `https://dynamodb.us-east-1.amazonaws.com`; null before the first request. */
  readonly endpoint: string | null;
}

/** The table or index and where it was looked for, for a sentence. */
export function at({ table, index = null, region, endpoint }: TablePlace): string {
  const parts = [region === null ? null : `region ${region}`, endpoint].filter((part) => part !== null);
  const what = index === null ? `table ${table}` : `index ${index} of table ${table}`;
  return parts.length === 0 ? what : `${what} (${parts.join(', ')})`;
}

const BAD_UPSTREAM = 502;

/** Codes and wording of this kind for AWS failures. */
const AWS_FAILURES: Readonly<
  Record<
    FailureKind,
    {
      readonly code?: string;
      readonly remedy?: string;
      sentence(at: string, failure: AwsFailure): string;
    }
  >
> = {
  regionMissing: { sentence: (at) => `No AWS region is set, so ${at} was not looked for` },
  credentialsMissing: {
    sentence: (at, { where = '', reason }) =>
      `No AWS credentials were found${where} to read ${at}: ${reason}`,
  },
  credentialsExpired: {
    sentence: (at, { reason }) => `The AWS credentials have expired: cannot read ${at}: ${reason}`,
  },
  credentialsRejected: {
    sentence: (at, { reason }) => `AWS does not accept these credentials for ${at}: ${reason}`,
  },
  accessDenied: {
    code: 'TABLE_ACCESS_DENIED',
    sentence: (at, { reason }) => `These credentials may not read ${at}: ${reason}`,
  },
  throttled: {
    code: 'TABLE_THROTTLED',
    remedy: 'set maxReadCapacity, a longer interval, or give the table more read capacity',
    sentence: (at, { reason }) => `DynamoDB throttles the reading of ${at}: ${reason}`,
  },
  unreachable: {
    code: 'DYNAMODB_UNREACHABLE',
    sentence: (at, { reason }) => `DynamoDB does not answer for ${at}: ${reason}`,
  },
};

/** AWS refused to read the table, or could not be reached. */
export function tableNotRead(place: TablePlace, failure: AwsFailure, cause: unknown): DynamoCsvError {
  const own = AWS_FAILURES[failure.kind];
  return new DynamoCsvError(own.code ?? failure.code, own.sentence(at(place), failure), {
    remedy: own.remedy ?? failure.remedy,
    status: BAD_UPSTREAM,
    cause,
  });
}

export function tableNotFound(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('TABLE_NOT_FOUND', `There is no ${at(place)}`, {
    remedy: 'check the name of the table, its region and the account of the credentials',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** The table exists but is not `ACTIVE`. `reason`: why reading it failed, if known. */
export function tableNotActive(place: TablePlace, status: string, reason: string | null): DynamoCsvError {
  const { is, remedy } = meaningOf(status);
  const sentence = `The ${at(place)} ${is} (its status is ${status})`;
  return new DynamoCsvError('TABLE_NOT_ACTIVE', reason === null ? sentence : `${sentence}. ${reason}`, {
    remedy,
    status: BAD_UPSTREAM,
  });
}

/** The endpoint is not a URL, or is not DynamoDB. `what` completes the sentence. */
export function noDynamoDb(place: TablePlace, what: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('NO_DYNAMODB', `There is no DynamoDB for ${at(place)}: ${what}`, {
    remedy: 'set AWS_ENDPOINT_URL_DYNAMODB to an address such as http://localhost:8000, or unset it for AWS',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** Anything else that the SDK reports; `action` as IAM names it, `reason` in the SDK's words. */
export function dynamoDbFailed(
  place: TablePlace,
  action: string,
  reason: string,
  cause: unknown,
): DynamoCsvError {
  return new DynamoCsvError('DYNAMODB_FAILED', `${action} failed on ${at(place)}: ${reason}`, {
    ...expressionRemedy(reason),
    status: BAD_UPSTREAM,
    cause,
  });
}

/** What to do about a filter that DynamoDB does not accept. */
function expressionRemedy(reason: string): { readonly remedy?: string } {
  const reserved = /reserved keyword: (\w+)/.exec(reason)?.[1];
  if (reserved !== undefined)
    return {
      remedy: `write #${reserved} in filter.expression, and '#${reserved}': ${reserved} in filter.names`,
    };
  return /FilterExpression/.test(reason)
    ? { remedy: 'correct filter in the configuration of this table' }
    : {};
}

/** A response larger than any that DynamoDB sends. */
export function answerTooLarge(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'ANSWER_TOO_LARGE',
    `The endpoint sent an answer for ${at(place)} that is larger than any page of DynamoDB`,
    {
      remedy: 'check that the endpoint is DynamoDB, and not a proxy that changes its answers',
      status: BAD_UPSTREAM,
      cause,
    },
  );
}

/** A Scan or Query whose pages repeat. `page` counts the pages of the segment or Query, from 1. */
export function scanRepeats(
  table: string,
  segment: number,
  page: number,
  operation: 'Scan' | 'Query' = 'Scan',
): DynamoCsvError {
  const of = operation === 'Scan' ? 'segment' : 'Query';
  return new DynamoCsvError(
    'SCAN_REPEATS',
    `The ${operation} of table ${table} does not end: page ${page} of ${of} ${segment} has the LastEvaluatedKey of an earlier page`,
    { remedy: 'check that the endpoint is DynamoDB', status: BAD_UPSTREAM },
  );
}

/** `limit`: the bytes of pages that one poll may read. */
export function tableTooLarge(table: string, limit: number): DynamoCsvError {
  const megabytes = Math.floor(limit / 1e6);
  return new DynamoCsvError(
    'TABLE_TOO_LARGE',
    `Table ${table} has more than ${megabytes} MB of JSON, the most that one poll may read`,
    {
      remedy: 'leave attributes out with only, or raise maxPollMegabytes if this machine has the memory',
      status: BAD_UPSTREAM,
    },
  );
}

export function columnCollision(
  table: string,
  column: string,
  /** Attributes or paths, as `pathText`. */
  attributes: readonly string[],
): DynamoCsvError {
  const names = attributes.map((name) => JSON.stringify(columnOfPath(name)));
  const isPath = attributes.map((name) => columnOfPath(name) === name && (parsePath(name)?.length ?? 0) > 1);
  const what = isPath.includes(true)
    ? names.map((name, index) => `${isPath[index] ? 'path' : 'attribute'} ${name}`).join(' and the ')
    : `attributes ${names.join(' and ')}`;
  return new DynamoCsvError(
    'COLUMN_COLLISION',
    `The ${what} of table ${table} would both be the column ${JSON.stringify(column)}`,
    { remedy: 'rename one of them to another column, or leave one out with only', status: BAD_UPSTREAM },
  );
}

/** The table was replaced by one with another key while it was read; the next reading knows the new key. */
export function keyAttributeMissing(table: string, attribute: string, type: string): DynamoCsvError {
  return new DynamoCsvError(
    'KEY_CHANGED',
    `An item of table ${table} has no key attribute ${JSON.stringify(attribute)} of type ${type}`,
    { remedy: 'the key of the table is read again at the next poll', status: BAD_UPSTREAM },
  );
}

/** STS did not assume the role. `cause`: what the SDK threw. */
export function roleNotAssumed(arn: string, cause: unknown): DynamoCsvError {
  const { name, reason } = facts(cause);
  const isDenied = name === 'AccessDenied' || name === 'AccessDeniedException';
  return new DynamoCsvError('ROLE_NOT_ASSUMED', `The role ${arn} was not assumed: ${reason}`, {
    remedy: isDenied
      ? 'allow sts:AssumeRole on this role for these credentials, and allow them in the trust policy of the role, with its external id if it has one (docs/iam.md)'
      : (awsFailure(cause, {
          action: 'sts:AssumeRole',
          allow: () => '',
          regionOption: 'region in the configuration of this table',
        })?.remedy ?? 'check role in the configuration of this table'),
    status: BAD_UPSTREAM,
    cause,
  });
}

export function notADynamoDbNumber(text: string): DynamoCsvError {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  return new DynamoCsvError('NOT_A_NUMBER', `DynamoDB sent ${shown} as a number`, { status: BAD_UPSTREAM });
}

export function unknownAttributeType(members: readonly string[]): DynamoCsvError {
  const names = members.map((name) => JSON.stringify(name)).join(', ') || 'no type';
  return new DynamoCsvError('ATTRIBUTE_TYPE_UNKNOWN', `DynamoDB sent an attribute value of ${names}`, {
    remedy: 'update this service: it does not know this attribute type',
    status: BAD_UPSTREAM,
  });
}
