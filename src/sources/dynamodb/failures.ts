import { DynamoCsvError, describeError } from '../../base/errors.js';
import {
  answerTooLarge,
  credentialsExpired,
  credentialsMissing,
  credentialsRejected,
  dynamoDbFailed,
  dynamoDbUnreachable,
  noDynamoDb,
  regionMissing,
  type TablePlace,
  tableAccessDenied,
  tableNotFound,
  tableThrottled,
} from './errors.js';
import { AnswerTooLarge } from './limits.js';

/**
 * What the SDK throws, by name, sorted into what a user can do about it.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html and
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
 */
const EXPIRED = new Set(['ExpiredTokenException', 'ExpiredToken', 'TokenRefreshRequired', 'RequestExpired']);
const REJECTED = new Set([
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'SignatureDoesNotMatch',
]);
const DENIED = new Set(['AccessDeniedException', 'AccessDenied', 'NotAuthorized', 'OptInRequired']);
const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequestsException',
]);
const UNREACHABLE = new Set([
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

/** What was thrown by a request, as the error a user reads. `action` as IAM names it: `dynamodb:Scan`. */
export function explainFailure(thrown: unknown, place: TablePlace, action: string): DynamoCsvError {
  if (thrown instanceof DynamoCsvError) return thrown;
  if (thrown instanceof AnswerTooLarge) return answerTooLarge(place, thrown);
  const { name, code, message } = facts(thrown);
  if (/^Region is missing|region=""/.test(message)) return regionMissing(place, thrown);
  if (EXPIRED.has(name) || (isProviderError(name) && /expired/i.test(message))) {
    return credentialsExpired(place, thrown);
  }
  if (isProviderError(name)) return credentialsMissing(place, process.env.AWS_PROFILE || null, thrown);
  if (REJECTED.has(name)) return credentialsRejected(place, message, thrown);
  if (name === 'ResourceNotFoundException') return tableNotFound(place, thrown);
  if (DENIED.has(name)) return tableAccessDenied(place, action, thrown);
  if (THROTTLED.has(name)) return tableThrottled(place, thrown);
  if (name === 'TimeoutError' || UNREACHABLE.has(code)) return dynamoDbUnreachable(place, message, thrown);
  if (place.endpoint !== null && !/^https?:\/\//.test(place.endpoint))
    return noDynamoDb(place, 'the endpoint does not begin with http:// or https://', thrown);
  if (thrown instanceof SyntaxError || message.includes('Deserialization error'))
    return noDynamoDb(place, 'something else answers there', thrown);
  return dynamoDbFailed(place, action, message, thrown);
}

/** The credential chain's own errors: `CredentialsProviderError`, `TokenProviderError`, `ProviderError`. */
function isProviderError(name: string): boolean {
  return name.endsWith('ProviderError');
}

/** Node reports a host with several addresses as an `AggregateError` without a message. */
function facts(thrown: unknown): { name: string; code: string; message: string } {
  const error = thrown instanceof AggregateError && thrown.message === '' ? thrown.errors[0] : thrown;
  const { name = '', code = '' } = (error ?? {}) as { name?: string; code?: unknown };
  return { name, code: String(code), message: describeError(error) };
}
