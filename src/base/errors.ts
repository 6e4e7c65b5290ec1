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
  if (/region is missing/i.test(text)) {
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
