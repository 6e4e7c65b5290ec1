import { DynamoCsvError, describeError } from '../../base/errors.js';

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
