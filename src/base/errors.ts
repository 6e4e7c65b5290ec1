/**
 * Every error that a user can meet, in one file: a code, a sentence that says what was wrong and where,
 * and a remedy that says what to do. Other rooms call these functions and never word an error themselves.
 */

/** An error with a stable code, the sentence a user reads and, where there is one, the remedy. */
export class DynamoCsvError extends Error {
  override readonly name = 'DynamoCsvError';
  /** Stable and greppable, e.g. `DATASET_UNKNOWN`. */
  readonly code: string;
  /** What to do about it: an imperative sentence without a full stop, or null. */
  readonly remedy: string | null;
  /** The HTTP status this error answers with when a request meets it. */
  readonly status: number;

  constructor(
    code: string,
    sentence: string,
    options: { remedy?: string; status?: number; cause?: unknown } = {},
  ) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? null;
    this.status = options.status ?? 500;
  }

  /** Sentence and remedy on exactly one line, as logs, `/healthz` and HTTP error bodies show it. */
  get line(): string {
    const text = this.remedy === null ? this.message : `${this.message}; ${this.remedy}`;
    return text.replace(/\s*[\r\n]+\s*/g, ' ');
  }
}

/** What was thrown, as one line of text, whatever it was. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof DynamoCsvError) return thrown.line;
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

// ---- src/csv ----

/** A CSV that cannot be read as one. `name` is the file, `what` ends the sentence `line 7 of zones.csv …`. */
export function csvMalformed(name: string, line: number, what: string): DynamoCsvError {
  return new DynamoCsvError('CSV_MALFORMED', `Line ${line} of ${name} ${what}`, {
    remedy: 'correct that line',
  });
}

/** A file on the volume that could not be written, by the system's error. Writing may be tried again later. */
export function fileNotWritten(path: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  switch (systemCode(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DynamoCsvError('VOLUME_FULL', `There is no room to write ${path}`, {
        remedy: 'free space on that disk; writing resumes by itself',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new DynamoCsvError('VOLUME_NOT_WRITABLE', `This service may not write ${path}`, {
        remedy: 'give the user that runs it the right to write that file and its folder',
        cause,
      });
    case 'EROFS':
      return volumeReadOnly(path, cause);
    default:
      return new DynamoCsvError('VOLUME_WRITE_FAILED', `Writing ${path} failed: ${describeError(cause)}`, {
        remedy: 'check the disk that holds it',
        cause,
      });
  }
}

/** A path on a file system that is mounted read-only. */
export function volumeReadOnly(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('VOLUME_READ_ONLY', `${path} is on a file system that is mounted read-only`, {
    remedy: 'mount it writable (in Docker: a volume without `:ro`), or set DATA_DIR to another folder',
    cause,
  });
}

/** A file on the volume that is there and could not be read. */
export function fileNotRead(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('VOLUME_READ_FAILED', `Reading ${path} failed: ${describeError(cause)}`, {
    remedy: 'check the disk that holds it and the rights of that file',
    cause,
  });
}

/** A log that something else wrote to, or replaced, while this service has it open. */
export function logChangedOutside(path: string, what: string): DynamoCsvError {
  return new DynamoCsvError(
    'LOG_CHANGED_OUTSIDE',
    `Another program ${what} ${path} while this service writes it`,
    {
      remedy: 'stop that program, then restart this service: it takes the file as it is then',
    },
  );
}

/** Who a path belongs to, and who we are; ids as the system has them. */
export interface Ownership {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, e.g. 0o755. */
  readonly mode: number;
  readonly ourUid: number;
  readonly ourGid: number;
}

/** A folder or file of the volume that our user may not write. */
export function volumeNotWritable(owner: Ownership, cause: unknown): DynamoCsvError {
  const { path, uid, gid, mode, ourUid, ourGid } = owner;
  const sentence =
    `${path} cannot be written: it belongs to ${uid}:${gid} with mode ${mode.toString(8)}, ` +
    `and this service runs as ${ourUid}:${ourGid}`;
  const command = uid === ourUid ? `chmod -R u+rwX '${path}'` : `chown -R ${ourUid}:${ourGid} '${path}'`;
  return new DynamoCsvError('VOLUME_NOT_WRITABLE', sentence, {
    remedy: `run ${command} as root (for a mounted folder: on the host), or set DATA_DIR to another folder`,
    cause,
  });
}

/** The data folder's path leads to, or through, something that is not a folder. */
export function volumeNotFolder(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'VOLUME_NOT_A_FOLDER',
    `${path} cannot be the data folder: a file is in the way`,
    {
      remedy: 'set DATA_DIR to a folder, or move that file away',
      cause,
    },
  );
}

/** Another service works on this volume. `holder` is what it wrote about itself, or null when that is unreadable. */
export function volumeHeld(
  path: string,
  holder: { readonly host: string; readonly pid: number; readonly since: string } | null,
): DynamoCsvError {
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid} on host ${holder.host}, since ${holder.since}`;
  return new DynamoCsvError('VOLUME_HELD', `The data folder ${path} is in use by ${who}`, {
    remedy: 'stop that one first, or set DATA_DIR to another folder',
  });
}

/** The file system under the data folder has no locks, so nothing keeps two services apart. */
export function volumeNotLockable(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'VOLUME_NOT_LOCKABLE',
    `The file system of ${path} cannot lock a file: ${describeError(cause)}`,
    { remedy: 'use a local disk or a network file system with locks (NFS 4)', cause },
  );
}

function systemCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/* EC2 and CloudWatch */

/**
 * A call for the instances of a region failed. `region`: null when it is left to the SDK; `action` as in IAM, such as
 * `ec2:DescribeInstances`; `cause`: what the SDK threw.
 */
export function instancesNotRead(region: string | null, action: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  const where = region === null ? '' : ` in ${region}`;
  const name = cause instanceof Error ? cause.name : '';
  const text = describeError(cause);
  const failed = (code: string, why: string, remedy: string) =>
    new DynamoCsvError(code, `${action} failed${where}: ${why}`, { remedy, cause });
  if (name === 'CredentialsProviderError') {
    const remedy =
      'set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role';
    return failed('AWS_CREDENTIALS_MISSING', 'there are no AWS credentials', remedy);
  }
  if (/region is missing|region=""/i.test(text)) {
    return failed('AWS_REGION_MISSING', 'no region is known', 'set AWS_REGION, or regions: under instances:');
  }
  if (/Unauthorized|AccessDenied|NotAuthorized/.test(name)) {
    return failed('AWS_ACCESS_DENIED', 'AWS does not allow it', `add ${action} to the policy (docs/iam.md)`);
  }
  if (
    /AuthFailure|InvalidClientTokenId|ExpiredToken|RequestExpired|UnrecognizedClient|Signature/.test(name)
  ) {
    const remedy = 'renew the credentials, and check the clock of this machine';
    return failed('AWS_CREDENTIALS_REFUSED', `AWS does not accept the credentials (${name})`, remedy);
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) {
    const remedy = 'check that the region exists and that this machine reaches it';
    return failed('AWS_REGION_UNREACHABLE', 'its endpoint has no address', remedy);
  }
  return failed('INSTANCES_NOT_READ', text, 'it is tried again at the next poll');
}

/** What the regions that could not be read said, in one sentence. */
export function regionsNotRead(failures: readonly DynamoCsvError[]): DynamoCsvError {
  const [first, ...others] = failures as readonly [DynamoCsvError, ...DynamoCsvError[]];
  if (others.length === 0) return first;
  return new DynamoCsvError(first.code, failures.map(({ line }) => line).join('; '), { cause: first });
}

// ---- src/datasets and src/collect ----

/** A dataset of which there is nothing yet. `lastError`: why, when a poll failed already, or its rows found no room. */
export function datasetNotReadYet(
  name: string,
  lastError: { readonly code: string; readonly message: string } | null,
): DynamoCsvError {
  const sentence = `dataset "${name}" ${whyNotReadYet(lastError)}`;
  return new DynamoCsvError('DATASET_NOT_READ_YET', sentence, { status: 503 });
}

function whyNotReadYet(lastError: { readonly code: string; readonly message: string } | null): string {
  if (lastError === null) return 'has not been read yet: its first poll has not ended';
  const { code, message } = lastError;
  return code === 'NOT_PERSISTED'
    ? `was read, but has no file yet: ${message}`
    : `has not been read yet: its polls fail: ${message}`;
}

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

/** A lookup's file is called like a dataset that is there already; `source`: where that one comes from. */
export function lookupNameTaken(name: string, source: string): DynamoCsvError {
  const remedy = 'rename the file';
  return new DynamoCsvError('LOOKUP_NAME_TAKEN', `${source} is called "${name}" already`, { remedy });
}

export function lookupNotText(source: string): DynamoCsvError {
  const remedy = 'save it as CSV in UTF-8';
  return new DynamoCsvError('LOOKUP_NOT_TEXT', `${source} is no text in UTF-8`, { remedy });
}

/** A poll that failed in a way no room has words for. */
export function pollFailed(thrown: unknown): DynamoCsvError {
  return thrown instanceof DynamoCsvError
    ? thrown
    : new DynamoCsvError('POLL_FAILED', describeError(thrown), { cause: thrown });
}

/** Closed days stay in the CSV file of a log or of changes until they can be sealed. */
export function sealingFailed(name: string, cause: unknown): DynamoCsvError {
  const sentence = `The closed days of "${name}" could not be sealed: ${describeError(cause)}`;
  return new DynamoCsvError('SEALING_FAILED', sentence, {
    ...(cause instanceof DynamoCsvError
      ? {}
      : { remedy: 'they stay in the CSV file, and it is tried again' }),
    cause,
  });
}

/** Sealed days are cut by a time zone's midnights; another zone's would double some hours and lose others. */
export function historyInOtherTimeZone(folder: string, found: string, configured: string): DynamoCsvError {
  return new DynamoCsvError(
    'HISTORY_TIME_ZONE',
    `${folder} holds days of the time zone ${found}, but timeZone is ${configured}`,
    { remedy: `set timeZone: ${found}, or move that folder away to start a new history` },
  );
}

// ---- src/dynamodb ----

/** Where a DynamoDB table was looked for. */
export interface TablePlace {
  readonly table: string;
  /** Null when the SDK found no region. */
  readonly region: string | null;
  /** The endpoint that was asked, e.g. `https://dynamodb.us-east-1.amazonaws.com`; null when none was reached for. */
  readonly endpoint: string | null;
}

function at({ table, region, endpoint }: TablePlace): string {
  const parts = [region === null ? null : `region ${region}`, endpoint].filter((part) => part !== null);
  return parts.length === 0 ? `table ${table}` : `table ${table} (${parts.join(', ')})`;
}

const BAD_UPSTREAM = 502;

export function regionMissing(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('REGION_MISSING', `No AWS region is set, so ${at(place)} was not looked for`, {
    remedy: 'set AWS_REGION, or region in the configuration of this table',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** `profile`: what AWS_PROFILE says, null when it is not set. */
export function credentialsMissing(
  place: TablePlace,
  profile: string | null,
  cause: unknown,
): DynamoCsvError {
  const where = profile === null ? '' : ` in profile ${JSON.stringify(profile)}`;
  return new DynamoCsvError(
    'CREDENTIALS_MISSING',
    `No AWS credentials were found${where} to read ${at(place)}`,
    {
      remedy:
        profile === null
          ? 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where an IAM role is attached'
          : 'set AWS_PROFILE to a profile of ~/.aws/credentials or ~/.aws/config, or unset it',
      status: BAD_UPSTREAM,
      cause,
    },
  );
}

export function credentialsExpired(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'CREDENTIALS_EXPIRED',
    `The AWS credentials have expired: cannot read ${at(place)}`,
    {
      remedy: 'renew them, for example by aws sso login, or use a role that renews them by itself',
      status: BAD_UPSTREAM,
      cause,
    },
  );
}

export function credentialsRejected(place: TablePlace, reason: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'CREDENTIALS_REJECTED',
    `AWS does not accept these credentials for ${at(place)}: ${reason}`,
    {
      remedy: 'check the access key and its secret, and that the clock of this machine is right',
      status: BAD_UPSTREAM,
      cause,
    },
  );
}

export function tableNotFound(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('TABLE_NOT_FOUND', `There is no ${at(place)}`, {
    remedy: 'check the name of the table, its region and the account of the credentials',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** `action` as IAM names it: `dynamodb:Scan`. */
export function tableAccessDenied(place: TablePlace, action: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('TABLE_ACCESS_DENIED', `These credentials may not read ${at(place)}`, {
    remedy: `allow the action ${action} on this table in IAM`,
    status: BAD_UPSTREAM,
    cause,
  });
}

export function dynamoDbUnreachable(place: TablePlace, reason: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('DYNAMODB_UNREACHABLE', `DynamoDB does not answer for ${at(place)}: ${reason}`, {
    remedy: 'check the region, the endpoint and the network',
    status: BAD_UPSTREAM,
    cause,
  });
}

export function tableThrottled(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('TABLE_THROTTLED', `DynamoDB throttles the reading of ${at(place)}`, {
    remedy: 'set maxReadCapacity, a longer interval, or give the table more read capacity',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** What the endpoint is, or what answers there, is no DynamoDB. `what` ends the sentence. */
export function noDynamoDb(place: TablePlace, what: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('NO_DYNAMODB', `There is no DynamoDB for ${at(place)}: ${what}`, {
    remedy: 'set AWS_ENDPOINT_URL_DYNAMODB to an address such as http://localhost:8000, or unset it for AWS',
    status: BAD_UPSTREAM,
    cause,
  });
}

/** Anything else the SDK reports; `action` as IAM names it, `reason` in the SDK's words. */
export function dynamoDbFailed(
  place: TablePlace,
  action: string,
  reason: string,
  cause: unknown,
): DynamoCsvError {
  return new DynamoCsvError('DYNAMODB_FAILED', `${action} failed on ${at(place)}: ${reason}`, {
    status: BAD_UPSTREAM,
    cause,
  });
}

export function columnCollision(
  table: string,
  column: string,
  attributes: readonly string[],
): DynamoCsvError {
  const names = attributes.map((name) => JSON.stringify(name)).join(' and ');
  return new DynamoCsvError(
    'COLUMN_COLLISION',
    `The attributes ${names} of table ${table} would both be the column ${JSON.stringify(column)}`,
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

/** An error as data, for the way between threads, which keeps neither class nor fields of an error. */
export type ErrorData = Pick<DynamoCsvError, 'code' | 'message' | 'remedy' | 'status'>;

export function errorToData({ code, message, remedy, status }: DynamoCsvError): ErrorData {
  return { code, message, remedy, status };
}

export function errorFromData({ code, message, remedy, status }: ErrorData): DynamoCsvError {
  return new DynamoCsvError(code, message, { ...(remedy === null ? {} : { remedy }), status });
}

// ---- src/datasets/windows ----

/** A parameter of a request that is wrong. `sentence` begins with the parameter; `remedy` says what to write. */
export function badParameter(sentence: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('BAD_PARAMETER', sentence, { remedy, status: 400 });
}

/** DuckDB ended a query before its last row: it failed half way, or was interrupted. */
export function answerIncomplete(): DynamoCsvError {
  return new DynamoCsvError('ANSWER_INCOMPLETE', 'The query ended before its last row');
}

// ---- src/datasets/engine ----

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

/** Foreign SQL that DuckDB does not take; `place` is line and column, from 1. */
export function sqlFailed(
  reason: string,
  place: { readonly line: number; readonly column: number } | null,
): DynamoCsvError {
  const where = place === null ? '' : `line ${place.line}, column ${place.column}: `;
  return new DynamoCsvError('SQL_FAILED', `${where}${reason}`, { status: 400 });
}

/** Foreign SQL whose answer is larger than anybody should fetch. */
export function sqlTooManyRows(limit: number): DynamoCsvError {
  return new DynamoCsvError('SQL_TOO_MANY_ROWS', `The answer has more than ${limit} rows`, {
    remedy: 'add a LIMIT or a filter',
    status: 400,
  });
}

// ---- src/http ----

/** No dataset has that name. */
export function datasetUnknown(name: string, closest: string | undefined): DynamoCsvError {
  return new DynamoCsvError('DATASET_UNKNOWN', `there is no dataset ${JSON.stringify(name)}`, {
    remedy: closest === undefined ? 'see /datasets for their names' : `did you mean ${closest}?`,
    status: 404,
  });
}

/** Nothing answers at that path. */
export function routeUnknown(path: string): DynamoCsvError {
  return new DynamoCsvError('ROUTE_UNKNOWN', `there is nothing at ${shortened(path)}`, {
    remedy: 'see /datasets for the datasets and /docs for everything else',
    status: 404,
  });
}

/** Something answers at that path, but not to this method. */
export function methodNotAllowed(method: string, path: string, allowed: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('METHOD_NOT_ALLOWED', `${shortened(path)} does not take ${method}`, {
    remedy: `use ${allowed.join(' or ')}`,
    status: 405,
  });
}

/** `length` and `limit` in characters. */
export function urlTooLong(length: number, limit: number): DynamoCsvError {
  return new DynamoCsvError('URL_TOO_LONG', `this URL has ${length} characters, of ${limit} at most`, {
    remedy: 'ask with fewer values; SQL can be sent by POST /sql',
    status: 414,
  });
}

/** A URL that cannot be decoded. */
export function badUrl(): DynamoCsvError {
  return new DynamoCsvError('BAD_URL', 'this URL is not percent-encoded as UTF-8', {
    remedy: 'write a percent sign as %25',
    status: 400,
  });
}

/** A request that HTTP itself, or the framework, refuses; `what` in its words. */
export function requestRefused(status: number, what: string): DynamoCsvError {
  return new DynamoCsvError('REQUEST_REFUSED', what, { status });
}

export function tokenMissing(): DynamoCsvError {
  return new DynamoCsvError('TOKEN_MISSING', 'this needs the token of the service', {
    remedy: 'send the header Authorization: Bearer with the value of API_TOKEN',
    status: 401,
  });
}

export function tokenWrong(): DynamoCsvError {
  return new DynamoCsvError('TOKEN_WRONG', 'this is not the token of the service', {
    remedy: 'send the header Authorization: Bearer with the value of API_TOKEN',
    status: 401,
  });
}

export function overloaded(): DynamoCsvError {
  return new DynamoCsvError('OVERLOADED', 'the service has more to do than it can', {
    remedy: 'ask again in a few seconds',
    status: 503,
  });
}

export function sqlNotAllowed(): DynamoCsvError {
  return new DynamoCsvError('SQL_NOT_ALLOWED', 'this service does not answer SQL', {
    remedy: 'set ALLOW_SQL=true to open it',
    status: 404,
  });
}

export function sqlMissing(): DynamoCsvError {
  return new DynamoCsvError('SQL_MISSING', 'no SQL was sent', {
    remedy: 'write /csv?sql=SELECT…, or POST /sql with the SELECT as text/plain',
    status: 400,
  });
}

/** What went wrong is in the log only, under that id. */
export function internalError(requestId: string): DynamoCsvError {
  return new DynamoCsvError('INTERNAL_ERROR', `something went wrong in this service (${requestId})`, {
    remedy: 'its log says what',
  });
}

/** Long enough to recognise what was asked for. */
function shortened(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

// ---- src/app.ts, src/server.ts, src/check.ts ----

/** The service's port is taken, or its address is not one of this machine. */
export function notListening(host: string, port: number, cause: unknown): DynamoCsvError {
  const code = systemCode(cause);
  const at = `${host} port ${port}`;
  if (code === 'EADDRINUSE') {
    return new DynamoCsvError('PORT_TAKEN', `Another program listens on ${at}`, {
      remedy: 'stop it, or set PORT to another port',
      cause,
    });
  }
  return new DynamoCsvError('NOT_LISTENING', `Cannot listen on ${at}: ${describeError(cause)}`, {
    remedy: 'set HOST to an address of this machine, and PORT to a port that this user may open',
    cause,
  });
}

// ---- src/demo ----

/** The demo was told something it does not know. */
export function demoArgumentUnknown(argument: string, known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError(
    'DEMO_ARGUMENT_UNKNOWN',
    `${JSON.stringify(argument)} is nothing that the demo knows`,
    { remedy: `write ${known.join(' or ')}`, status: 400 },
  );
}

/** `--incident` without the name of one. */
export function demoIncidentMissing(known: readonly string[]): DynamoCsvError {
  return new DynamoCsvError('DEMO_INCIDENT_MISSING', '--incident names no incident', {
    remedy: `write ${known.join(' or ')}`,
    status: 400,
  });
}

/** The demo writes made-up data: only where it has a folder to itself. */
export function demoFolderForeign(dataDir: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_FOLDER_FOREIGN', `${dataDir} holds data that is not the demo's`, {
    remedy: 'set DATA_DIR to an empty or a new folder, or leave it out',
  });
}

/** The service that the demo started ended before it was ready; it said why itself. */
export function demoServiceEnded(how: string): DynamoCsvError {
  return new DynamoCsvError('DEMO_SERVICE_ENDED', `The service ended ${how}; what it said stands above`);
}
