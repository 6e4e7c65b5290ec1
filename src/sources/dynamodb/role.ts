import { FRESH_FILES } from '../aws/credentials.js';
import { roleNotAssumed } from './errors.js';
import { fromNodeProviderChain, fromTemporaryCredentials } from './sdk.js';

/** A role that is assumed to read a table; plain data. */
export interface Role {
  readonly arn: string;
  /** What the trust policy of a role of another party asks for; null: nothing. */
  readonly externalId: string | null;
  /** How CloudTrail names the session. */
  readonly sessionName: string;
}

type Provider = ReturnType<typeof fromTemporaryCredentials>;

/**
 * Credentials of a role, for the option `credentials` of an SDK client: assumed with the credentials that the SDK finds, and
 * again five minutes before they expire. Rejects with a `DynamoCsvError` that has the sentence of STS.
 */
export function roleCredentials({ arn, externalId, sessionName }: Role): Provider {
  const assume = () =>
    fromTemporaryCredentials({
      masterCredentials: fromNodeProviderChain(FRESH_FILES),
      params: {
        RoleArn: arn,
        RoleSessionName: sessionName,
        ...(externalId === null ? {} : { ExternalId: externalId }),
      },
      // With three attempts a request to DynamoDB would time out before STS does.
      clientConfig: { maxAttempts: 2 },
    });
  let provider: Provider | null = null;
  return async (properties) => {
    provider ??= assume();
    try {
      return await provider(properties);
    } catch (thrown) {
      // The provider keeps the credentials that it assumed the role with: they may be the ones that were refused.
      provider = null;
      throw roleNotAssumed(arn, thrown);
    }
  };
}
