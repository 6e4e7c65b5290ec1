/** The agents of AWS clients read all sockets into one buffer: what is received must not be overwritten by what follows. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { createHttpAgent, receiveBody } from '../../../src/sources/aws/receiving.js';

/** A server that answers `/3` with the fourth of these bodies. */
async function start(t: TestContext, bodies: readonly Buffer[], headers?: OutgoingHttpHeaders) {
  const server = createServer((incoming, response) => {
    const body = bodies[Number(incoming.url!.slice(1))]!;
    response.writeHead(200, headers ?? { 'content-length': body.length });
    if (headers?.['content-length'] === undefined) response.end(body);
    else response.write(body);
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

async function received(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  receiveBody(response, (bytes) => parts.push(Buffer.from(bytes)));
  await once(response, 'end');
  return Buffer.concat(parts);
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

test('all sockets are read into one buffer, and the parser copies no more of a body than comes with its head', async (t) => {
  const bodies = [randomBytes(2_000_000), randomBytes(2_000_000)];
  const ask = await start(t, bodies);
  await received(await ask(0));
  const memories = new Set<ArrayBufferLike>();
  const responses = await Promise.all([ask(0), ask(1)]);
  assert.notEqual(responses[0].socket, responses[1].socket);
  let copied = 0;
  for (const response of responses) {
    response.socket.on('data', ({ buffer }: Buffer) => memories.add(buffer));
    response.on('data', ({ length }: Buffer) => {
      copied += length;
    });
  }
  const found = await Promise.all(responses.map(received));
  assert.ok(found.every((body, index) => body.equals(bodies[index]!)));
  assert.equal(memories.size, 1);
  assert.ok(copied < 500_000, `${copied} bytes`);
});

for (const [what, headers] of [
  ['a body without a length', { 'transfer-encoding': 'chunked' }],
  ['a body of which some waits in the stream', undefined],
] as const) {
  test(`${what} arrives as it was sent`, async (t) => {
    const sent = randomBytes(1_000_000);
    const ask = await start(t, [sent, sent], headers);
    await received(await ask(0));
    const response = await ask(1);
    await once(response, 'readable');
    assert.ok((await received(response)).equals(sent));
  });
}

test('a body whose connection breaks is an error', async (t) => {
  const ask = await start(t, [randomBytes(300_000)], { 'content-length': '2000000' });
  const response = await ask(0);
  let size = 0;
  receiveBody(response, ({ length }) => {
    size += length;
    if (size === 300_000) response.socket.destroy();
  });
  await assert.rejects(finished(response), { code: 'ECONNRESET' });
});

test('a connection whose bodies were received is used again, for small ones too', async (t) => {
  const bodies = [randomBytes(1_000_000), Buffer.from('small'), Buffer.alloc(0)];
  const ask = await start(t, bodies);
  const sockets = new Set<unknown>();
  for (const index of [0, 1, 0, 2, 0, 1, 2]) {
    const response = await ask(index);
    sockets.add(response.socket);
    assert.ok((await received(response)).equals(bodies[index]!));
  }
  assert.equal(sockets.size, 1);
});
