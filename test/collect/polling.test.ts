import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Loop, Polling } from '../../src/collect/polling.js';
import { ManualClock } from '../support/manual-clock.js';
import { collectorWorld, counted } from './world.js';

const START = '2026-11-24T21:29:50.000Z';

/** Polling over the real collectors of these tables, which answer at once. */
async function pollingWorld(t: Parameters<typeof collectorWorld>[0], names: readonly string[]) {
  const clock = new ManualClock(START);
  const polling = new Polling(clock);
  t.after(() => polling.stop());
  const tables = [];
  for (const name of names) {
    const table = await collectorWorld(t, { clock, name });
    table.source.script = (poll) => counted(poll);
    tables.push(table);
  }
  /** Lets the polls begin that are due, when so many loops wait for theirs. */
  const begin = async (loops: number) => {
    await clock.asleep(loops);
    clock.advance(0);
  };
  return { clock, polling, begin, tables };
}

test('a loop added while others run starts immediately, and removing one does not end the others', async (t) => {
  const { clock, polling, begin, tables } = await pollingWorld(t, ['flags', 'zones']);
  const [flags, zones] = tables;
  polling.add(flags!.collector);
  assert.equal(flags!.source.asked.length, 0, 'nothing runs before the start');
  polling.start();
  await begin(1);
  await flags!.source.askedTimes(1);
  polling.add(zones!.collector);
  await begin(2);
  await zones!.source.askedTimes(1);
  await clock.asleep(2);
  assert.equal(await polling.remove(flags!.collector), true);
  await clock.next();
  await zones!.source.askedTimes(2);
  assert.equal(flags!.source.asked.length, 1);
  polling.add(flags!.collector);
  await begin(2);
  await flags!.source.askedTimes(2);
});

test('a read under way is dropped when its loop is removed, and a poll that is being recorded is finished', async (t) => {
  const { polling, begin, tables } = await pollingWorld(t, ['flags']);
  const { source, collector, recorder } = tables[0]!;
  source.script = null;
  polling.add(collector);
  polling.start();
  await begin(1);
  const asked = await source.askedTimes(1);
  assert.equal(await polling.remove(collector), true);
  assert.equal(asked.signal.aborted, true);
  assert.equal(recorder.datasets[0]!.version, null);
  source.script = () => counted(7);
  polling.add(collector);
  await begin(1);
  await source.askedTimes(2);
  assert.equal(await polling.remove(collector), true);
  assert.equal(await tables[0]!.served(), 'id,count\npickup,7\n');
});

test('removing a loop that does not end waits 2.5 seconds and reports it', async () => {
  const clock = new ManualClock(START);
  const polling = new Polling(clock);
  const stuck: Loop = { run: () => new Promise(() => undefined) };
  polling.add(stuck);
  polling.start();
  const removed = polling.remove(stuck);
  await clock.asleep();
  clock.advance(2_500);
  assert.equal(await removed, false);
});

test('a loop that is removed before the start never runs', async (t) => {
  const { polling, begin, tables } = await pollingWorld(t, ['flags', 'zones']);
  for (const { collector } of tables) polling.add(collector);
  assert.equal(await polling.remove(tables[0]!.collector), true);
  polling.start();
  await begin(1);
  await tables[1]!.source.askedTimes(1);
  assert.equal(tables[0]!.source.asked.length, 0);
});
