import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import dynalite from 'dynalite';

/** How long `close` waits for answers that are being computed, in milliseconds. */
const PATIENCE = 10_000;

/** A running dynalite. */
export interface Dynalite {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** Ends it: no new requests, then the answers being computed, then its store. */
  close(): Promise<void>;
}

/**
 * Starts dynalite in this process, in memory, on a free port of the loopback interface.
 *
 * dynalite closes its store while it still computes answers (4.0.0); they then throw out of any caller's reach, and
 * the process ends. So `close` lets them finish first, also those whose client has gone.
 */
export async function startDynalite(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  const computing = new Set<ServerResponse>();
  let onIdle: (() => void) | null = null;
  const done = (response: ServerResponse) => {
    computing.delete(response);
    if (computing.size === 0) onIdle?.();
  };
  server.prependListener('request', (request, response) => {
    computing.add(response);
    const end = response.end;
    response.end = (...given: unknown[]) => {
      done(response);
      return Reflect.apply(end, response, given);
    };
    // A request that was not received as a whole gets no answer.
    request.once('close', () => request.readableEnded || done(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.removeAllListeners('request');
      server.on('request', (request) => request.destroy());
      if (computing.size > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, PATIENCE);
          onIdle = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      });
    },
  };
}
