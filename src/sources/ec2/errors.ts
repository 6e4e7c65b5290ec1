import { DynamoCsvError, describeError } from '../../base/errors.js';
import { awsFailure } from '../aws/failures.js';

const BAD_UPSTREAM = 502;

/**
 * A call for the instances of a region failed. `region`: null when it is left to the SDK; `action` as in IAM, such as
 * `ec2:DescribeInstances`; `cause`: what the SDK threw.
 */
export function instancesNotRead(region: string | null, action: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  const failure = awsFailure(cause, {
    action,
    allow: (denied) => `add ${denied} to the policy (docs/iam.md)`,
    regionOption: 'regions: under instances:',
  }) ?? {
    code: 'INSTANCES_NOT_READ',
    why: describeError(cause),
    remedy: 'it is tried again at the next poll',
  };
  const where = region === null ? '' : ` in ${region}`;
  return new DynamoCsvError(failure.code, `${action} failed${where}: ${failure.why}`, {
    remedy: failure.remedy,
    status: BAD_UPSTREAM,
    cause,
  });
}

/** The errors of the regions that could not be read, in one sentence. */
export function regionsNotRead(failures: readonly DynamoCsvError[]): DynamoCsvError {
  const [first, ...others] = failures as readonly [DynamoCsvError, ...DynamoCsvError[]];
  if (others.length === 0) return first;
  return new DynamoCsvError(first.code, failures.map(({ line }) => line).join('; '), {
    status: first.status,
    cause: first,
  });
}
