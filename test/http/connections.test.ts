import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MAX_CONNECTIONS } from '../../src/http/limits.js';
import { createWorld } from './world.js';

/** Milliseconds that stand for the server's own limits, so that nobody has to wait for these. */
const SOON = 100;

/** A client that never closes its side of the connection. */
async function open(t: TestContext, url: string, sent = ''): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  if (sent !== '') socket.write(sent);
  return socket;
}

const INCOMPLETE = [
  '',
  'GET /csv/flags HT',
  'GET /csv/flags HTTP/1.1\r\nHost: localhost\r\n',
  'POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nSELECT',
];

test('a client that does not complete its request gets an error, and its connection is closed', async (t) => {
  const { http, listen } = await createWorld(t, { config: { allowSql: true } });
  const { requestTimeout, headersTimeout, connectionsCheckingInterval, timeout } =
    http.server as typeof http.server & {
      connectionsCheckingInterval: number;
    };
  assert.ok(Math.max(requestTimeout, headersTimeout) + connectionsCheckingInterval < 60_000);
  assert.ok(timeout > 0);
  Object.assign(http.server, {
    requestTimeout: SOON,
    headersTimeout: SOON,
    connectionsCheckingInterval: SOON,
  });
  const closed = new Promise<void>((resolve) => {
    let left = INCOMPLETE.length;
    http.server.on('connection', (socket) =>
      socket.once('close', () => {
        left -= 1;
        if (left === 0) resolve();
      }),
    );
  });
  const url = await listen();
  for (const sent of INCOMPLETE) {
    const socket = await open(t, url, sent);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(
      String(answer),
      /^HTTP\/1\.1 408 [\s\S]*\r\n\r\nthe request did not arrive in time\n$/,
      sent,
    );
  }
  await closed;
});

test('a client that reads nothing is cut off', async (t) => {
  const { http, listen } = await createWorld(t);
  assert.ok(http.server.timeout > 0);
  http.server.timeout = SOON;
  const accepted = once(http.server, 'connection');
  const client = await open(t, await listen());
  client.pause();
  client.on('error', () => {});
  const ask = () => {
    while (client.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50)));
  };
  client.on('drain', ask);
  ask();
  const [socket] = (await accepted) as [Socket];
  await once(socket, 'close');
});

test('connections beyond the limit are closed at once, which is logged, until others end', async (t) => {
  const world = await createWorld(t);
  const url = await world.listen();
  const sockets: Socket[] = [];
  for (let count = 0; count < MAX_CONNECTIONS; count += 1) sockets.push(await open(t, url));
  for (let count = 0; count < 3; count += 1) {
    const refused = connect(Number(new URL(url).port), '127.0.0.1');
    refused.on('error', () => {});
    await once(refused, 'close');
    assert.equal(refused.bytesRead, 0);
  }
  const warnings = world.log.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    warnings.map(({ msg, limit }) => [msg, limit]),
    [['too many open connections, refusing new ones', MAX_CONNECTIONS]],
  );
  const freed = new Promise<void>((resolve) => {
    const look = () =>
      world.http.server.getConnections((_error, count) =>
        count < MAX_CONNECTIONS ? resolve() : setImmediate(look),
      );
    look();
  });
  for (const socket of sockets) socket.destroy();
  await freed;
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});
