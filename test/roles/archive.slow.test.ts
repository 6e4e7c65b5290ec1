import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { get, until } from '../app/world.js';
import { useS3 } from '../support/s3-servers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { hasRole, health, pair, pollsIn } from './world.js';

/** Several services with an archive, each with a disk of its own: processes, real files, moto's S3. */

const s3 = useS3();

async function world(t: TestContext, options = 'log: true, changes: true, interval: 500ms') {
  const archive = `archive: { bucket: ${await s3.newBucket()}, prefix: fleet/, every: 500ms }`;
  const services = await pair(t, options, archive);
  const start = async (env: Readonly<Record<string, string>> = {}) =>
    services.start({ AWS_ENDPOINT_URL_S3: s3.endpoint, ...env }, join(await temporaryFolder(t), 'data'));
  return { ...services, start };
}

/** A network between a service and the bucket that can be cut: connections are closed, and no new ones accepted. */
class Network {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: URL) {
    this.#server = createServer((socket) => {
      if (this.#isCut) return socket.destroy();
      const other = connect(Number(target.port), target.hostname);
      for (const one of [socket, other]) {
        this.#sockets.add(one);
        one.on('error', () => undefined).on('close', () => this.#sockets.delete(one));
      }
      socket.pipe(other).pipe(socket);
    });
  }

  static async to(t: TestContext, endpoint: string): Promise<Network> {
    const network = new Network(new URL(endpoint));
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      network.cut();
      network.#server.close();
    });
    return network;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }
}

test('a follower serves the archive, and goes on from there when the machine of the collector is lost', {
  skip: s3.skip,
}, async (t) => {
  const { table, put, start } = await world(t);
  await put(1, { state: 'free' });
  const first = await start();
  await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  const second = await start();
  const url = await second.url;
  await hasRole(second, 'follow');
  await until(url, `/csv/${table}`, ({ text }) => text.includes('free'));
  await put(2, { state: 'taken', area: 'north' });
  await until(url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
  await until(url, '/csv/per-state', ({ text }) => text.includes('taken'));
  assert.ok((await health(second)).behind! > 0);
  const before = (await get(url, `/csv/${table}`)).text;
  // Asked for later, for it grows all the time.
  assert.ok((await get(await first.url, `/csv/${table}`)).text.startsWith(before));
  await first.end('SIGKILL');
  await hasRole(second, 'collect');
  await put(3, { state: 'free' });
  const { text } = await until(url, `/csv/${table}`, ({ text }) => text.includes('\n3,'));
  assert.ok(text.startsWith(before));
  for (const [time, rows] of pollsIn(text)) assert.ok(rows <= 3, `${time}: ${rows}`);
  const changes = (await get(url, `/csv/${table}-changes`)).text;
  assert.deepEqual(changes.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3']);
  // It writes to the archive now: a third one follows it.
  const third = await start({ ROLE: 'follow' });
  await until(await third.url, `/csv/${table}`, ({ text }) => text.includes('\n3,'));
  assert.equal((await second.end()).code, 0);
});

test('the network to the archive is lost: a follower takes over, and the old collector follows once it is back', {
  skip: s3.skip,
}, async (t) => {
  const { table, put, start } = await world(t);
  const network = await Network.to(t, s3.endpoint);
  await put(1, { state: 'free' });
  const first = await start({ AWS_ENDPOINT_URL_S3: network.endpoint });
  await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  const second = await start();
  await hasRole(second, 'follow');
  await until(await second.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  network.cut();
  await hasRole(second, 'collect');
  // Alone, the first one still has what it reads itself.
  await put(2, { state: 'taken' });
  await until(await first.url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
  await until(await second.url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
  network.mend();
  await first.logged(({ msg }) => msg.includes('stops writing, and follows'));
  await hasRole(first, 'follow');
  await first.logged(({ msg }) => msg.includes('moved what it had aside'));
  await put(3, { state: 'free' });
  const { text } = await until(await first.url, `/csv/${table}-changes`, ({ text }) =>
    text.includes('insert,3'),
  );
  assert.deepEqual(text.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3']);
  assert.ok((await get(await second.url, `/csv/${table}-changes`)).text.startsWith(text));
  // What it collected alone is kept.
  const kept = join(first.dataDir, 'taken-over');
  const [folder] = await readdir(kept);
  assert.match(await readFile(join(kept, folder!, `${table}-changes.csv`), 'utf8'), /insert,2/);
  // And takes over again.
  await second.end('SIGKILL');
  await hasRole(first, 'collect');
  await put(4, { state: 'free' });
  await until(await first.url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,4'));
});

test('an archive that does not answer: the folder is served, and nobody collects without the lease', {
  skip: s3.skip,
}, async (t) => {
  const { table, put, start } = await world(t);
  const network = await Network.to(t, s3.endpoint);
  network.cut();
  await put(1, { state: 'free' });
  const service = await start({ AWS_ENDPOINT_URL_S3: network.endpoint });
  assert.equal((await health(service)).role, 'follow');
  assert.equal((await get(await service.url, '/readyz')).status, 503);
  network.mend();
  await hasRole(service, 'collect');
  await until(await service.url, `/csv/${table}`, ({ text }) => text.includes('free'));
});
