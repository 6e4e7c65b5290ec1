import type { Agent as HttpAgent } from 'node:http';
import type { AgentConnectOpts } from 'agent-base';
import { type AgentOptions, createHttpAgent, createHttpsAgent } from './receiving.js';

interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpAgent;
}

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/**
 * The agents of an SDK client. Where HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is set (in upper or lower case), they go
 * through that proxy, except to the hosts of NO_PROXY; the SDK itself knows none of these variables.
 */
export async function createAgents(options: AgentOptions): Promise<Agents> {
  const isSet = VARIABLES.some((name) => process.env[name] || process.env[name.toLowerCase()]);
  if (!isSet) return { httpAgent: createHttpAgent(options), httpsAgent: createHttpsAgent(options) };
  const agent = await createProxyAgent(options);
  return { httpAgent: agent, httpsAgent: agent };
}

/** Loaded only where a proxy is set. */
async function createProxyAgent(options: AgentOptions): Promise<HttpAgent> {
  const [{ Agent }, { HttpProxyAgent }, { HttpsProxyAgent }, { getProxyForUrl }] = await Promise.all([
    import('agent-base'),
    import('http-proxy-agent'),
    import('https-proxy-agent'),
    import('proxy-from-env'),
  ]);
  const agents = new Map<string, HttpAgent>([
    ['http:', createHttpAgent(options)],
    ['https:', createHttpsAgent(options)],
  ]);
  const agentFor = (scheme: 'http:' | 'https:', proxy: string) => {
    const made =
      agents.get(scheme + proxy) ??
      (scheme === 'https:'
        ? new HttpsProxyAgent(proxy, options)
        : // On a connection that is used again, the request's line would have no host.
          new HttpProxyAgent(proxy, { ...options, keepAlive: false }));
    agents.set(scheme + proxy, made);
    return made;
  };
  class EnvironmentProxyAgent extends Agent {
    connect(_request: unknown, { secureEndpoint, host, port }: AgentConnectOpts): HttpAgent {
      const scheme = secureEndpoint ? 'https:' : 'http:';
      return agentFor(scheme, getProxyForUrl(`${scheme}//${host}:${port}`));
    }

    override destroy(): void {
      for (const agent of agents.values()) agent.destroy();
      super.destroy();
    }
  }
  return new EnvironmentProxyAgent(options);
}
