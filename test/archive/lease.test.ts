import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArchiveLease, LEASE_TIME, RENEWAL } from '../../src/archive/lease.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryObjects } from './memory-objects.js';

const START = '2026-11-24T10:00:00Z';
const never = new AbortController().signal;
const holder = (name: string) => ({ name, token: `token of ${name}` });

test('a lease is taken at once where there is none, or where it was released', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  const first = await ArchiveLease.take(objects, holder('a'), { clock, signal: never });
  assert.equal(first.fence, 1);
  await first.release();
  const second = await ArchiveLease.take(objects, holder('b'), { clock, signal: never });
  assert.equal(second.fence, 2);
});

test('a holder that renews keeps it; who waits is told who that is', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  const held = await ArchiveLease.take(objects, holder('host-1'), { clock, signal: never });
  const waiting = ArchiveLease.take(objects, holder('host-2'), { clock, signal: never });
  const refused = assert.rejects(waiting, { code: 'ARCHIVE_HELD', message: /memory:\/\/archive\/: host-1/ });
  for (let passed = 0; passed < LEASE_TIME; passed += 1_000) {
    await clock.asleep();
    if (passed % RENEWAL === 0) await held.renew();
    clock.advance(1_000);
  }
  await refused;
  assert.equal(held.isHeld, true);
});

test('a holder that is gone loses it, whatever its clock said, and stops when it comes back', async () => {
  const objects = new MemoryObjects();
  const frozen = new ManualClock('2031-01-01T00:00:00Z');
  const lost = await ArchiveLease.take(objects, holder('host-1'), { clock: frozen, signal: never });
  const clock = new ManualClock(START);
  const taking = ArchiveLease.take(objects, holder('host-2'), { clock, signal: never });
  for (let passed = 0; passed < LEASE_TIME; passed += 1_000) {
    await clock.asleep();
    clock.advance(1_000);
  }
  const taken = await taking;
  assert.equal(taken.fence, 2);
  await assert.rejects(lost.renew(), {
    code: 'ARCHIVE_LOST',
    message: /took over the archive memory:\/\/archive\/: host-2/,
  });
  assert.throws(() => lost.isHeld, { code: 'ARCHIVE_LOST' });
  await lost.release();
  await taken.renew();
});

test('a holder that is gone loses it, however long the archive takes to answer', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  await ArchiveLease.take(objects, holder('host-1'), { clock, signal: never });
  // With this answer time a look falls after `LEASE_TIME` since the first question, and before it since the first answer.
  objects.before = () => clock.advance(300);
  const taking = ArchiveLease.take(objects, holder('host-2'), { clock, signal: never });
  let isOver = false;
  const over = taking.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await Promise.race([clock.asleep(), over]);
    clock.advance(1_000);
  }
  assert.equal((await taking).fence, 2);
});

test('a machine that stood still does not take the holder for dead, which may have stood still with it', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  const held = await ArchiveLease.take(objects, holder('host-1'), { clock, signal: never });
  const stopping = new AbortController();
  const taking = ArchiveLease.take(objects, holder('host-2'), {
    clock,
    signal: stopping.signal,
    patience: Number.POSITIVE_INFINITY,
  });
  const stopped = assert.rejects(taking, /enough/);
  await clock.asleep();
  clock.advance(2 * LEASE_TIME);
  await clock.asleep();
  await held.renew();
  for (let passed = 0; passed < LEASE_TIME - 1_000; passed += 1_000) await clock.next();
  assert.equal(held.isHeld, true);
  stopping.abort(new Error('enough'));
  await stopped;
  await held.renew();
});

test('a holder that could not renew for that long does not believe in it any more', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  const lease = await ArchiveLease.take(objects, holder('a'), { clock, signal: never });
  objects.away = new Error('the network is down');
  clock.advance(LEASE_TIME);
  await assert.rejects(lease.renew(), /the network is down/);
  assert.equal(lease.isHeld, false);
  objects.away = null;
  await lease.renew();
  assert.equal(lease.isHeld, true);
});

test('of two that find it free one gets it', async () => {
  const [objects, clock] = [new MemoryObjects(), new ManualClock(START)];
  const stopping = new AbortController();
  const takes = ['a', 'b', 'c'].map((name) =>
    ArchiveLease.take(objects, holder(name), { clock, signal: stopping.signal }),
  );
  const first = await Promise.race(takes);
  assert.equal(first.fence, 1);
  await clock.asleep(2);
  stopping.abort(new Error('enough'));
  const results = await Promise.allSettled(takes);
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
});
