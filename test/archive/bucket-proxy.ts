import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What happens to requests for sealed days; all others are passed on. */
export type Behaviour =
  | 'passes'
  /** The connection breaks. */
  | 'away'
  /** The answer comes after that many milliseconds. */
  | { readonly slow: number }
  /** The answer has other bytes. */
  | 'lies'
  /** There is no such object. */
  | 'lost';

/** A proxy before an S3 server. */
export interface BucketProxy {
  readonly endpoint: string;
  days: Behaviour;
  /** The keys of sealed days that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

const NO_SUCH_KEY =
  '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>It is not here.</Message></Error>';

export async function startBucketProxy(upstream: string): Promise<BucketProxy> {
  const server = createServer((from, to) => void serve(from, to).catch(() => to.destroy()));
  const serve = async (from: IncomingMessage, to: ServerResponse) => {
    const body = await buffer(from);
    const isDay = from.method === 'GET' && /\.parquet(\?|$)/.test(from.url ?? '');
    const behaviour = isDay ? proxy.days : 'passes';
    if (isDay) proxy.asked.push(String(from.url));
    if (behaviour === 'away') return void from.socket.destroy();
    if (behaviour === 'lost') {
      to.writeHead(404, { 'content-type': 'application/xml' }).end(NO_SUCH_KEY);
      return;
    }
    if (typeof behaviour === 'object') await new Promise((resolve) => setTimeout(resolve, behaviour.slow));
    const answer = await pass(upstream, from, body);
    const bytes = await buffer(answer);
    if (behaviour === 'lies') bytes.fill('x', 4, 8);
    to.writeHead(answer.statusCode ?? 500, answer.headers).end(bytes);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: BucketProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    days: 'passes',
    asked: [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}

/** The headers stay, for they are signed. */
function pass(
  upstream: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false } as const;
    request(new URL(url ?? '/', upstream), options, resolve)
      .on('error', reject)
      .end(body);
  });
}
