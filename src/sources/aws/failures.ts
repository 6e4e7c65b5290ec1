import { describeError } from '../../base/errors.js';

/** Why a call to AWS failed, if something can be done about it. */
export interface AwsFailure {
  readonly kind: FailureKind;
  /** The code, unless a kind of source has its own. */
  readonly code: string;
  /** A clause without a full stop, with AWS's own sentence if there is one: `AWS does not allow it: User … is not authorized`. */
  readonly why: string;
  /** AWS's own sentence, or the SDK's. */
  readonly reason: string;
  /** Where credentials were looked for: ` in profile "dev"`, or the empty string. */
  readonly where?: string;
  /** An imperative without a full stop. */
  readonly remedy: string;
}

export type FailureKind =
  | 'regionMissing'
  | 'credentialsMissing'
  | 'credentialsExpired'
  | 'credentialsRejected'
  | 'accessDenied'
  | 'throttled'
  | 'unreachable';

/** Errors of AWS and of the SDK by name: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html, https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const NAMES: Readonly<Record<string, FailureKind>> = {
  ExpiredTokenException: 'credentialsExpired',
  ExpiredToken: 'credentialsExpired',
  TokenRefreshRequired: 'credentialsExpired',
  RequestExpired: 'credentialsExpired',
  AuthFailure: 'credentialsRejected',
  UnrecognizedClientException: 'credentialsRejected',
  InvalidSignatureException: 'credentialsRejected',
  IncompleteSignature: 'credentialsRejected',
  IncompleteSignatureException: 'credentialsRejected',
  InvalidClientTokenId: 'credentialsRejected',
  MissingAuthenticationToken: 'credentialsRejected',
  MissingAuthenticationTokenException: 'credentialsRejected',
  SignatureDoesNotMatch: 'credentialsRejected',
  InvalidAccessKeyId: 'credentialsRejected',
  InvalidToken: 'credentialsRejected',
  RequestTimeTooSkewed: 'credentialsRejected',
  AccessDeniedException: 'accessDenied',
  AccessDenied: 'accessDenied',
  NotAuthorized: 'accessDenied',
  OptInRequired: 'accessDenied',
  UnauthorizedOperation: 'accessDenied',
  KMSAccessDeniedException: 'accessDenied',
  ProvisionedThroughputExceededException: 'throttled',
  ThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  Throttling: 'throttled',
  RequestLimitExceeded: 'throttled',
  TooManyRequestsException: 'throttled',
  SlowDown: 'throttled',
  TimeoutError: 'unreachable',
};

/** Node's codes for a connection that fails or breaks. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EPROTO',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** A call to AWS, in the words of the kind of source that makes it. */
export interface AwsCall {
  /** As IAM names it: `dynamodb:Scan`. */
  readonly action: string;
  /** How a user allows an action, as an imperative. */
  allow(action: string): string;
  /** Where the configuration names the region. */
  readonly regionOption: string;
}

/** Classifies what the SDK threw; null: something else. */
export function awsFailure(thrown: unknown, { action, allow, regionOption }: AwsCall): AwsFailure | null {
  const { reason } = facts(thrown);
  const kind = failureKind(thrown);
  switch (kind) {
    case 'regionMissing':
      return {
        kind,
        code: 'REGION_MISSING',
        why: 'no AWS region is set',
        reason,
        remedy: `set AWS_REGION, or ${regionOption}`,
      };
    case 'credentialsMissing':
      return { kind, code: 'CREDENTIALS_MISSING', reason, ...missingCredentials(reason) };
    case 'credentialsExpired':
      return {
        kind,
        code: 'CREDENTIALS_EXPIRED',
        why: `the AWS credentials have expired: ${reason}`,
        reason,
        remedy: 'renew them, for example by aws sso login, or use a role, which renews them by itself',
      };
    case 'credentialsRejected':
      return {
        kind,
        code: 'CREDENTIALS_REJECTED',
        why: `AWS does not accept these credentials: ${reason}`,
        reason,
        remedy: 'check the access key and its secret, and the clock of this machine',
      };
    case 'accessDenied':
      return {
        kind,
        code: 'AWS_ACCESS_DENIED',
        why: `AWS does not allow it: ${reason}`,
        reason,
        remedy: accessRemedy(reason, action, allow),
      };
    case 'throttled':
      return {
        kind,
        code: 'AWS_THROTTLED',
        why: `AWS throttles it: ${reason}`,
        reason,
        remedy: 'set a longer interval',
      };
    case 'unreachable':
      return {
        kind,
        code: 'AWS_UNREACHABLE',
        why: `AWS does not answer: ${reason}`,
        reason,
        remedy: 'check the region, the endpoint and the network',
      };
    case null:
      return null;
  }
}

/** Whether other credentials may help: then they are resolved again before the next request. */
export function isAboutCredentials(thrown: unknown): boolean {
  return failureKind(thrown)?.startsWith('credentials') ?? false;
}

/** Whether AWS asked for fewer requests. */
export function isThrottling(thrown: unknown): boolean {
  return failureKind(thrown) === 'throttled';
}

function failureKind(thrown: unknown): FailureKind | null {
  const { name, code, reason } = facts(thrown);
  if (/^Region is missing|region=""/i.test(reason)) return 'regionMissing';
  const known = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (known !== undefined) return known;
  // The credential chain's own errors: CredentialsProviderError, TokenProviderError, ProviderError.
  if (name.endsWith('ProviderError'))
    return /expired/i.test(reason) ? 'credentialsExpired' : 'credentialsMissing';
  return UNREACHABLE.has(code) ? 'unreachable' : null;
}

/** What the SDK appends to any error message while it reads a response. */
const READING_HINT = /\s*Deserialization error: to see the raw response.*$/;

/**
 * The thrown error without the SDK's hint; `whileReading`: whether it had that hint. Node reports a host with several
 * addresses as an `AggregateError` without a message.
 */
export function facts(thrown: unknown): {
  name: string;
  code: string;
  reason: string;
  whileReading: boolean;
} {
  const error = thrown instanceof AggregateError && thrown.message === '' ? thrown.errors[0] : thrown;
  const { name = '', code = '' } = (error ?? {}) as { name?: string; code?: unknown };
  const text = describeError(error);
  return {
    name,
    code: String(code),
    reason: text.replace(READING_HINT, ''),
    whileReading: READING_HINT.test(text),
  };
}

function missingCredentials(reason: string): Pick<AwsFailure, 'why' | 'where' | 'remedy'> {
  const profile = process.env.AWS_PROFILE || null;
  const where = profile === null ? '' : ` in profile ${JSON.stringify(profile)}`;
  return {
    where,
    why: `no AWS credentials were found${where}: ${reason}`,
    remedy:
      profile === null
        ? 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where an IAM role is attached'
        : 'set AWS_PROFILE to a profile of ~/.aws/credentials or ~/.aws/config, or unset it',
  };
}

/** Policies other than those of IAM identities, as AWS's sentences name them, with who can change them. */
const POLICIES: readonly (readonly [RegExp, (action: string) => string])[] = [
  [
    /service control policy|resource control policy/i,
    (action) =>
      `ask the administrators of your AWS organization to allow ${action}: its policies override those of this account`,
  ],
  [/VPC endpoint policy/i, (action) => `allow ${action} in the policy of the VPC endpoint`],
  [
    /permissions boundary/i,
    (action) => `allow ${action} in the permissions boundary of the role or user of these credentials`,
  ],
  [/session policy/i, (action) => `allow ${action} in the session policy with which the role is assumed`],
  [
    /explicit deny in an? resource-based policy/i,
    (action) => `remove the statement that denies ${action} from the policy of the resource`,
  ],
  [
    /explicit deny/i,
    (action) => `remove the statement that denies ${action} from the policies of the role or user`,
  ],
];

/**
 * How to get access: AWS's sentence names the action and the type of policy
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
 */
function accessRemedy(reason: string, action: string, allow: AwsCall['allow']): string {
  const denied = /not authorized to perform: ([\w-]+:\w+)/.exec(reason)?.[1] ?? action;
  const policy = POLICIES.find(([pattern]) => pattern.test(reason));
  if (policy !== undefined) return policy[1](denied);
  if (/\bkms\b|KMS/.test(reason)) {
    return 'allow kms:Decrypt on the key that encrypts the table, in IAM and in the policy of the key, and check that the key is enabled (docs/iam.md)';
  }
  return allow(denied);
}
