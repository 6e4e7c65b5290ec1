import { isAboutCredentials } from './failures.js';

/**
 * The SDK keeps the credentials it once found, and the text of `~/.aws/credentials`, as long as the process runs. With
 * this in a client's configuration, which the credential chain gets to see, the files are read whenever credentials are
 * resolved: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export const FRESH_FILES = { ignoreCache: true };

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Send = (...args: readonly unknown[]) => Promise<unknown>;
type Resolve = (options?: { readonly forceRefresh: true }) => Promise<Credentials>;

interface Client {
  send: unknown;
  readonly config: { readonly credentials: unknown };
}

/**
 * A request that is refused for its credentials resolves them afresh, and is sent once more where there are others now:
 * keys that were renewed in `~/.aws/credentials`, or a role's.
 */
export function renewCredentials(client: Client): void {
  const send = (client.send as Send).bind(client);
  let generation = 0;
  let renewing: Promise<void> | null = null;
  const renew = async () => {
    if (await areRenewed(client.config.credentials as Resolve)) generation += 1;
  };
  client.send = (async (...args) => {
    const used = generation;
    try {
      return await send(...args);
    } catch (error) {
      if (!isAboutCredentials(error)) throw error;
      // Requests side by side are refused together: one of them renews.
      if (generation === used) {
        renewing ??= renew().finally(() => {
          renewing = null;
        });
        await renewing;
      }
      if (generation === used) throw error;
      return send(...args);
    }
  }) satisfies Send;
}

/** Whether resolving them afresh gives others. Where none are found, the refusal tells more. */
async function areRenewed(resolve: Resolve): Promise<boolean> {
  try {
    const before = await resolve();
    const now = await resolve({ forceRefresh: true });
    return (['accessKeyId', 'secretAccessKey', 'sessionToken'] as const).some(
      (part) => before[part] !== now[part],
    );
  } catch {
    return false;
  }
}
