/** The agents of AWS clients read all sockets into one buffer: what is received must not be overwritten by what follows. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createHttpAgent, noteBodyChunk } from '../../../src/sources/aws/receiving.js';

/** A server that answers `/3` with the fourth of these bodies. */
async function start(t: TestContext, bodies: readonly Buffer[]) {
  const server = createServer((incoming, response) => {
    response.end(bodies[Number(incoming.url!.slice(1))]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = createHttpAgent({ keepAlive: true, maxSockets: 16 });
  t.after(() => {
    agent.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return async (index: number) => {
    const sent = request({ agent, port, host: '127.0.0.1', path: `/${index}` }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
}

/** Keeps the chunks as they are, without copying them. */
async function received(response: IncomingMessage): Promise<Buffer> {
  const { socket } = response;
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => {
    noteBodyChunk(socket, chunk);
    chunks.push(chunk);
  });
  await once(response, 'end');
  return Buffer.concat(chunks);
}

test('bodies that wait while others are received arrive as they were sent', async (t) => {
  const bodies = Array.from({ length: 8 }, () => randomBytes(1_000_000));
  const ask = await start(t, bodies);
  // From the second round on, connections are used again and the buffer is shared.
  for (let round = 0; round < 3; round += 1) {
    const responses = await Promise.all(bodies.map((_, index) => ask(index)));
    const last = await received(responses.pop()!);
    assert.ok(last.equals(bodies[7]!));
    const found = await Promise.all(responses.map(received));
    for (const [index, body] of found.entries()) assert.ok(body.equals(bodies[index]!), `body ${index}`);
  }
});

test('once a body was seen to be a copy, all sockets are read into one buffer', async (t) => {
  const bodies = [randomBytes(2_000_000), randomBytes(2_000_000)];
  const ask = await start(t, bodies);
  await received(await ask(0));
  const memories = new Set<ArrayBufferLike>();
  const responses = await Promise.all([ask(0), ask(1)]);
  assert.notEqual(responses[0].socket, responses[1].socket);
  for (const { socket } of responses) socket.on('data', ({ buffer }: Buffer) => memories.add(buffer));
  const found = await Promise.all(responses.map(received));
  assert.ok(found.every((body, index) => body.equals(bodies[index]!)));
  assert.equal(memories.size, 1);
});
