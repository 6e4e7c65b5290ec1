import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { createDynamoDbSource } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import { useTestAws, withEnvironment } from '../../support/aws.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';
import { SCRIPTED_TABLE } from '../../support/scripted-source.js';

useTestAws();
const threads = new ScanThreads({ size: 1 });
after(() => threads.close());

/** A proxy: forwards plain requests, and keeps what comes through a tunnel instead of connecting it. */
async function startProxy(t: TestContext) {
  const forwarded: string[] = [];
  const tunnels: { readonly target: string; readonly firstByte: number }[] = [];
  const proxy = createServer((incoming: IncomingMessage, response) => {
    forwarded.push(incoming.url ?? '');
    const { method, headers, url = '' } = incoming;
    const onward = request(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  proxy.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.once('data', (bytes) => {
      tunnels.push({ target: incoming.url ?? '', firstByte: bytes[0] ?? 0 });
      socket.destroy();
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, forwarded, tunnels };
}

async function read(t: TestContext, endpoint: string | null) {
  const source = createDynamoDbSource({
    ...SCRIPTED_TABLE,
    endpoint,
    threads,
  });
  t.after(() => source.close());
  return source.read({ known: [], signal: new AbortController().signal });
}

async function scripted(t: TestContext) {
  const server = await startScriptedDynamoDb(({ action }) => (action === 'Scan' ? page([1]) : described()));
  t.after(() => server.close());
  return server;
}

test('AWS is reached by a tunnel through HTTPS_PROXY', async (t) => {
  const proxy = await startProxy(t);
  const variables = { HTTPS_PROXY: proxy.url, AWS_MAX_ATTEMPTS: '1' };
  await withEnvironment(variables, () => assert.rejects(read(t, null), { code: 'DYNAMODB_UNREACHABLE' }));
  // The first byte of a TLS handshake.
  assert.deepEqual(proxy.tunnels, [{ target: 'dynamodb.eu-test-1.amazonaws.com:443', firstByte: 0x16 }]);
});

test('an http endpoint is read through HTTP_PROXY, in either case, and not where NO_PROXY names it', async (t) => {
  const proxy = await startProxy(t);
  const server = await scripted(t);
  for (const name of ['HTTP_PROXY', 'http_proxy']) {
    const reading = await withEnvironment({ [name]: proxy.url }, () => read(t, server.endpoint));
    assert.equal(reading.rows.ends.length, 1);
  }
  assert.deepEqual(proxy.forwarded, Array(4).fill(`${server.endpoint}/`));
  const direct = { HTTP_PROXY: proxy.url, NO_PROXY: 'localhost,127.0.0.1' };
  const reading = await withEnvironment(direct, () => read(t, server.endpoint));
  assert.equal(reading.rows.ends.length, 1);
  assert.equal(proxy.forwarded.length, 4);
});

test('an unreachable proxy is reported as such', async (t) => {
  const server = await scripted(t);
  await withEnvironment({ HTTP_PROXY: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' }, () =>
    assert.rejects(read(t, server.endpoint), {
      code: 'DYNAMODB_UNREACHABLE',
      message: /ECONNREFUSED 127\.0\.0\.1:1\b/,
    }),
  );
});
