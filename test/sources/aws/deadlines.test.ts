import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { keepDeadlines } from '../../../src/sources/aws/deadlines.js';

/** Milliseconds without a byte after which a response is given up. */
const SILENCE = 200;

/** A response whose body has begun, watched as that of an SDK client, and the server's side of it. */
async function begun(t: TestContext) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = once(server, 'request');
  const request = get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  // Its own error comes with that of the body.
  request.on('error', () => undefined);
  const [, response] = (await asked) as [IncomingMessage, ServerResponse];
  response.write('first');
  const [body] = (await once(request, 'response')) as [IncomingMessage];
  const requestHandler = { handle: async () => ({ response: { body } }) };
  keepDeadlines(
    { send: async () => undefined, config: { requestHandler } },
    { silence: SILENCE, request: 60_000 },
  );
  await requestHandler.handle();
  return { response, received: text(body) };
}

test('what arrives while this process stands still is received', async (t) => {
  const { response, received } = await begun(t);
  response.write(' second');
  for (const until = performance.now() + 2 * SILENCE; performance.now() < until; );
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  response.end(' last');
  assert.equal(await received, 'first second last');
});

test('a body that stalls is given up', async (t) => {
  const { received } = await begun(t);
  await assert.rejects(received, { name: 'TimeoutError', message: 'nothing was received for 200ms' });
});
