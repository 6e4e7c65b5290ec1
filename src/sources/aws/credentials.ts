import { isAboutCredentials } from './failures.js';

/**
 * The SDK keeps the credentials it once found, and the text of `~/.aws/credentials`, as long as the process runs. With
 * this in a client's configuration, which the credential chain gets to see, the files are read whenever credentials are
 * resolved: https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */
export const FRESH_FILES = { ignoreCache: true };

type Send = (...args: readonly unknown[]) => Promise<unknown>;

interface Client {
  send: unknown;
  readonly config: { readonly credentials: unknown };
}

/** After a refusal for its credentials, a client resolves them afresh before the next request. */
export function renewCredentials(client: Client): void {
  const send = (client.send as Send).bind(client);
  let areRefused = false;
  client.send = (async (...args) => {
    // A failure to find any is the request's to tell.
    if (areRefused) await resolveAfresh(client).catch(() => undefined);
    try {
      const answer = await send(...args);
      areRefused = false;
      return answer;
    } catch (error) {
      areRefused ||= isAboutCredentials(error);
      throw error;
    }
  }) satisfies Send;
}

async function resolveAfresh({ config }: Client): Promise<void> {
  const resolve = config.credentials as (options: { readonly forceRefresh: true }) => Promise<unknown>;
  await resolve({ forceRefresh: true });
}
