import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../src/sql/admission.js';

const NEVER = new AbortController().signal;
const MINUTE = 60_000;

/** Work that has a permit now, until it is told to end. */
async function held(admission: Admission) {
  let end = () => {};
  let running: Promise<void> = Promise.resolve();
  await new Promise<void>((begun) => {
    const work = () => {
      begun();
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    running = admission.run(work, NEVER);
  });
  return () => {
    end();
    return running;
  };
}

test('when the queue is full the next query is refused immediately, until one has finished', async () => {
  const admission = new Admission({ permits: 1, mostWaiting: 2, longestWait: MINUTE });
  const end = await held(admission);
  const waiting = [1, 2].map((n) => admission.run(async () => n, NEVER));
  await assert.rejects(
    admission.run(async () => 3, NEVER),
    { code: 'TOO_MANY_QUERIES', status: 503 },
  );
  await end();
  assert.deepEqual(await Promise.all(waiting), [1, 2]);
  assert.equal(await admission.run(async () => 4, NEVER), 4);
});

test('a query that has waited too long is refused, and takes no place of another', async () => {
  const admission = new Admission({ permits: 1, mostWaiting: 1, longestWait: 1 });
  const end = await held(admission);
  for (let times = 0; times < 3; times++) {
    await assert.rejects(
      admission.run(async () => 1, NEVER),
      { code: 'TOO_MANY_QUERIES', status: 503 },
    );
  }
  await end();
  assert.equal(await admission.run(async () => 4, NEVER), 4);
});

test('a query whose client has gone leaves the queue', async () => {
  const admission = new Admission({ permits: 1, mostWaiting: 1, longestWait: MINUTE });
  const end = await held(admission);
  const gone = new AbortController();
  const left = admission.run(async () => 1, gone.signal);
  gone.abort(new Error('gone'));
  await assert.rejects(left, /gone/);
  const next = admission.run(async () => 2, NEVER);
  await end();
  assert.equal(await next, 2);
});

test('work that takes longer than a query may wait is not interrupted', async () => {
  const admission = new Admission({ permits: 1, mostWaiting: 1, longestWait: 1 });
  const end = await held(admission);
  await assert.rejects(admission.run(async () => 1, NEVER));
  await end();
});
