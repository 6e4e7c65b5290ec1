import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { COUNTS, createWorld } from './world.js';

async function ask(url: string, agent: Agent): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  return response;
}

async function text(response: IncomingMessage): Promise<string> {
  let all = '';
  for await (const piece of response) all += String(piece);
  return all;
}

test('closing lets running requests finish, takes no new ones and drops idle connections', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  let go = () => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  world.queries.answer = async function* () {
    await until;
    yield Buffer.from('finished\n');
  };
  const idle = connect(Number(new URL(base).port), '127.0.0.1');
  await once(idle, 'connect');
  await text(await ask(`${base}/healthz`, agent));
  const running = ask(`${base}/csv/flags?limit=1`, agent);
  while (world.queries.runs === 0) await new Promise(setImmediate);
  const idleGone = once(idle, 'close');
  const closed = world.http.close();
  await idleGone;
  await assert.rejects(ask(`${base}/healthz`, new Agent()), { code: 'ECONNREFUSED' });
  go();
  assert.equal(await text(await running), 'finished\n');
  await closed;
});

test('a request that does not end is cut off after the grace period, and its query stopped', async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const base = await world.listen();
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  world.queries.answer = async function* (_parameters, signal) {
    signal.addEventListener('abort', stop);
    await stopped;
    signal.throwIfAborted();
    yield Buffer.from('never');
  };
  const running = ask(`${base}/csv/flags?limit=1`, new Agent());
  running.catch(() => {});
  while (world.queries.runs === 0) await new Promise(setImmediate);
  await world.http.close();
  await stopped;
  await assert.rejects(running, { code: 'ECONNRESET' });
});
