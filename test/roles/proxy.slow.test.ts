import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { get, until } from '../app/world.js';
import { freePort } from '../support/free-port.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { hasRole, pair } from './world.js';

/** The proxy of docker-compose.ha.yml: Caddy itself, with the file that Compose gives it. */

const withoutCaddy =
  spawnSync('caddy', ['version']).status === 0 ? false : 'caddy is not installed: apt-get install caddy';

/** Starts it in front of these services; resolves to its address. */
async function startProxy(t: TestContext, services: readonly string[]): Promise<string> {
  const port = await freePort();
  const folder = await temporaryFolder(t);
  const config = join(projectRoot, 'deploy', 'proxy.caddyfile');
  const child = spawn('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PORT: String(port),
      SERVICES: services.map((url) => new URL(url).host).join(' '),
    },
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  t.after(async () => {
    child.kill();
    await exit;
  });
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([
    answers(url),
    exit.then(() => {
      throw new Error('caddy ended');
    }),
  ]);
  return url;
}

async function answers(url: string): Promise<void> {
  for (;;) {
    const isThere = await fetch(`${url}/readyz`).then(
      ({ status }) => status !== 502,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A service that answers with its name, and is ready or not as the test says. */
class Stub {
  readonly name: string;
  isReady = true;
  #server: Server | null = null;
  #port = 0;

  constructor(name: string) {
    this.name = name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#server = createServer(({ url }, response) => {
      response.statusCode = url === '/readyz' && !this.isReady ? 503 : 200;
      response.end(this.name);
    });
    // The same after a stop.
    if (this.#port === 0) this.#port = await freePort();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    const closed = once(this.#server!, 'close');
    this.#server!.close();
    this.#server!.closeAllConnections();
    await closed;
  }
}

/** Who answers some requests, one after another. */
async function whoAnswers(url: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let count = 0; count < 6; count += 1) {
    const { status, text } = await get(url, '/csv/orders');
    assert.equal(status, 200);
    names.add(text);
  }
  return names;
}

async function untilOnly(url: string, ...names: readonly string[]): Promise<void> {
  const isSo = (found: ReadonlySet<string>) => [...found].sort().join() === [...names].sort().join();
  while (!isSo(await whoAnswers(url))) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('requests go to the services that are ready, in turn, and to no other', {
  skip: withoutCaddy,
}, async (t) => {
  const [a, b] = [new Stub('a'), new Stub('b')];
  for (const stub of [a, b]) {
    await stub.start();
    t.after(() => stub.stop().catch(() => undefined));
  }
  const url = await startProxy(t, [a.url, b.url]);
  await untilOnly(url, 'a', 'b');
  a.isReady = false;
  await untilOnly(url, 'b');
  for (let count = 0; count < 20; count += 1) assert.deepEqual([...(await whoAnswers(url))], ['b']);
  a.isReady = true;
  await untilOnly(url, 'a', 'b');
  // Down, and nobody notices: not even the first request.
  await b.stop();
  for (let count = 0; count < 20; count += 1) assert.deepEqual([...(await whoAnswers(url))], ['a']);
  await b.start();
  await untilOnly(url, 'a', 'b');
});

test('a killed collector behind the proxy: every request is answered with whole data', {
  skip: withoutCaddy,
}, async (t) => {
  const { table, put, start } = await pair(t, 'log: true, interval: 1s');
  await put(1, { state: 'free' });
  const first = await start();
  await until(await first.url, `/csv/${table}`, ({ status }) => status === 200);
  const second = await start();
  await until(await second.url, '/readyz', ({ status }) => status === 200);
  const url = await startProxy(t, [await first.url, await second.url]);
  let isOver = false;
  const asking = (async () => {
    let count = 0;
    while (!isOver) {
      const { status, text } = await get(url, `/csv/${table}?last=1h`);
      assert.equal(status, 200, text);
      assert.match(text, /^id,state,timestamp\n(1,free,\S+\n)+$/);
      count += 1;
    }
    return count;
  })();
  // The test learns of it at the end.
  asking.catch(() => undefined);
  await first.end('SIGKILL');
  await hasRole(second, 'collect');
  const before = (await get(url, `/csv/${table}`)).text;
  await until(url, `/csv/${table}`, ({ text }) => text.length > before.length && text.startsWith(before));
  isOver = true;
  assert.ok((await asking) > 0);
});

test('what a service says of itself comes from the one that collects, or from any while none does', {
  skip: withoutCaddy,
}, async (t) => {
  const { table, put, start } = await pair(t, 'interval: 1s');
  await put(1, { state: 'free' });
  const first = await start();
  await until(await first.url, `/csv/${table}`, ({ status }) => status === 200);
  const second = await start();
  await until(await second.url, '/readyz', ({ status }) => status === 200);
  // A follower counts no failures.
  const path = '/csv/collector?columns=dataset,failures';
  assert.equal((await get(await second.url, path)).text, `dataset,failures\n${table},\n`);
  const url = await startProxy(t, [await first.url, await second.url]);
  const ofCollector = `dataset,failures\n${table},0\n`;
  const answers = async () => {
    const all: string[] = [];
    for (let count = 0; count < 6; count += 1) all.push((await get(url, path)).text);
    return all;
  };
  while (!(await answers()).every((text) => text === ofCollector));
  for (let count = 0; count < 5; count += 1)
    assert.deepEqual(new Set(await answers()), new Set([ofCollector]));
  await first.end('SIGKILL');
  const { status, text } = await get(url, path);
  assert.equal(status, 200, text);
  await until(url, path, (answer) => answer.text === ofCollector);
});
