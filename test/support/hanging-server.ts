import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Deadlines } from '../../src/sources/aws/deadlines.js';

/** Ways in which an answer never ends. */
export type Hanging = 'no answer' | 'a body that stalls' | 'a body that drips';

/**
 * Short enough for a test, and longer than the pause between two drops, or before the first attempt, on a machine that does
 * other things too.
 */
export const SHORT_DEADLINES: Deadlines = { silence: 1_000, request: 3_000 };

/** Each way, with what is reported of it. */
export const HANGING: readonly (readonly [Hanging, RegExp])[] = [
  ['no answer', /does not answer.*: the answer was not complete after 3s \(.*1000 ms/],
  ['a body that stalls', /does not answer.*after 3s \(the latest attempt: nothing was received for 1s/],
  ['a body that drips', /does not answer.*: the answer was not complete after 3s(;|$)/],
];

/** Readings of which one has to be reported so. */
const MOST_READINGS = 5;

/**
 * The error of a reading that says so, or that of the last of a few: one during which the machine stood still for longer than
 * the deadlines has less to tell.
 */
export async function reported(words: RegExp, read: () => Promise<unknown>): Promise<unknown> {
  for (let reading = 1; ; reading += 1) {
    const error = await read().catch((error: unknown) => error);
    if (reading === MOST_READINGS || (error instanceof Error && words.test(error.message))) return error;
  }
}

const DROP_EVERY = 20;

/** Answers so that the answer never ends. */
export function hang(response: ServerResponse, how: Hanging): void {
  if (how === 'no answer') return;
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': 1_000_000 });
  response.write('{');
  if (how === 'a body that stalls') return;
  const dripping = setInterval(() => response.write(' '), DROP_EVERY);
  response.on('close', () => clearInterval(dripping));
}

/** A server on which every request hangs. */
export async function startHangingServer(how: Hanging) {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    hang(response, how);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
