import { isAboutCredentials } from './failures.js';

/**
 * The SDK caches credentials, and the text of `~/.aws/credentials`, for the life of the process. With this in a client's
 * configuration, which is passed to the credential chain, the files are read whenever credentials are resolved: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
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
 * Resolves credentials again after a request is refused because of them, and retries the request once if they differ:
 * keys renewed in `~/.aws/credentials`, or those of a role.
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
      // Concurrent requests are refused together: one of them renews.
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

/** Whether resolving credentials again returns different ones. If none are found, the refusal is the better error. */
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
