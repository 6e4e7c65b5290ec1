/** A bare `node:http` that answers 4 KB: the least that an answer over HTTP costs on this machine, and what it waits there. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveRequests } from './harness.js';

export interface BareServerResult {
  readonly port: number;
}

const BODY = Buffer.alloc(4_096, 'dispatch,69671,2026-11-25T02:28:29.313Z\n');
const HEAD = { 'content-type': 'text/csv; charset=utf-8', 'content-length': BODY.length };

serveRequests<object, BareServerResult>(async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, HEAD);
    response.end(BODY);
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
});
