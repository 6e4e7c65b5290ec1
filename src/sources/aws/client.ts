import { FRESH_FILES, renewCredentials } from './credentials.js';
import { DEADLINES, type Deadlines, keepDeadlines } from './deadlines.js';
import { createAgents } from './proxies.js';

/** The options of every SDK client of this service. */
export function clientOptions({
  maxSockets,
  silence,
}: {
  readonly maxSockets: number;
  readonly silence: number;
}) {
  const requestHandler = async () => ({
    connectionTimeout: CONNECTION_TIMEOUT,
    requestTimeout: silence,
    throwOnRequestTimeout: true,
    ...(await createAgents({ keepAlive: true, maxSockets })),
  });
  // The SDK takes a function here (`NodeHttpHandler`), although its type does not say so.
  return { ...FRESH_FILES, requestHandler: requestHandler as unknown as Record<string, unknown> };
}

/** Milliseconds to establish a connection. */
const CONNECTION_TIMEOUT = 5_000;

type Client = Parameters<typeof keepDeadlines>[0] & Parameters<typeof renewCredentials>[0];

/** Enforces deadlines on a client's requests, and renews its credentials once they are refused. */
export function prepareClient(client: Client, deadlines: Deadlines = DEADLINES): void {
  keepDeadlines(client, deadlines);
  renewCredentials(client);
}
