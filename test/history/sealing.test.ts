import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { LocalDays } from '../../src/base/local-days.js';
import { Sealing } from '../../src/history/sealing.js';
import type { AppendedWriter } from '../../src/recorder/appended-writer.js';
import { collectorWorld } from '../collect/world.js';
import { ManualClock } from '../support/manual-clock.js';

/** Half past four in the afternoon in New York. */
const START = '2026-11-24T21:29:50.000Z';
const SOON = '2026-11-24T21:30:00.000Z';

async function sealingWorld(t: TestContext, needed: readonly string[] = []) {
  const clock = new ManualClock(START);
  const flags = await collectorWorld(t, { clock, name: 'flags', record: { log: true, changes: true } });
  const zones = await collectorWorld(t, { clock, name: 'zones', record: { changes: true } });
  const sealed: string[] = [];
  const broken = new Set<string>();
  const early = new Set<string>(needed);
  const seal = async (dataset: AppendedWriter) => {
    sealed.push(`${new Date(clock.now()).toISOString()} ${dataset.name}`);
    if (broken.has(dataset.name)) throw new Error('disk full');
    return !early.has(dataset.name);
  };
  const keeping = { keep: 7, retention: null };
  const sealing = new Sealing({
    sealer: { seal },
    oneSchema: { unify: async () => true },
    days: new LocalDays('America/New_York'),
    clock,
  });
  for (const { collector } of [flags, zones]) sealing.add(collector, keeping);
  const stopping = new AbortController();
  const ended = sealing.run(stopping.signal);
  t.after(() => {
    stopping.abort();
    return ended;
  });
  await clock.asleep();
  await clock.next();
  /** Lets that much time pass. */
  const pass = async (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 60_000) {
      clock.advance(60_000);
      await clock.asleep();
    }
  };
  const taken = () => sealed.splice(0);
  return { flags, zones, sealing, keeping, asleep: () => clock.asleep(), early, broken, pass, taken };
}

describe('sealing', () => {
  it('comes soon after the start and a minute after each local midnight, for each log and all changes', async (t) => {
    const { pass, taken } = await sealingWorld(t);
    const names = ['flags', 'flags-changes', 'zones-changes'];
    assert.deepEqual(
      taken(),
      names.map((name) => `${SOON} ${name}`),
    );
    await pass(48 * 3_600_000);
    assert.deepEqual(
      taken(),
      ['2026-11-25', '2026-11-26'].flatMap((date) => names.map((name) => `${date}T05:01:00.000Z ${name}`)),
    );
  });

  it('that fails is tried again, shown and told of once; the other datasets are sealed all the same', async (t) => {
    const { flags, broken, pass, taken } = await sealingWorld(t);
    taken();
    broken.add('flags');
    await pass(8 * 3_600_000);
    assert.equal(flags.health.lastError?.code, 'SEALING_FAILED');
    assert.match(flags.health.lastError.message, /closed days of "flags" could not be sealed: disk full/);
    assert.deepEqual(
      taken().slice(0, 4),
      [
        '05:01:00.000Z flags',
        '05:01:00.000Z flags-changes',
        '05:01:00.000Z zones-changes',
        '05:11:00.000Z flags',
      ].map((line) => `2026-11-25T${line}`),
    );
    broken.clear();
    await pass(3_600_000);
    assert.equal(flags.health.lastError, null);
    const told = flags.lines.filter(({ level }) => level !== 'debug').map(({ level, msg }) => [level, msg]);
    assert.equal(told.length, 2);
    assert.deepEqual(told[1], ['info', 'closed days are sealed again']);
  });

  it('comes back soon for what the next poll has still to look at', async (t) => {
    const { early, pass, taken } = await sealingWorld(t, ['flags']);
    assert.equal(taken().length, 3);
    early.clear();
    await pass(3_600_000);
    assert.deepEqual(
      taken(),
      ['flags', 'flags-changes'].map((name) => `2026-11-24T21:31:00.000Z ${name}`),
    );
  });

  it('comes to a source that is added, soon after that, and no more to one that was removed', async (t) => {
    const { zones, sealing, keeping, asleep, pass, taken } = await sealingWorld(t);
    taken();
    assert.equal(await sealing.remove(zones.collector), true);
    await pass(24 * 3_600_000);
    assert.deepEqual(
      taken(),
      ['flags', 'flags-changes'].map((name) => `2026-11-25T05:01:00.000Z ${name}`),
    );
    sealing.add(zones.collector, keeping);
    await asleep();
    await pass(2 * 60_000);
    assert.deepEqual(taken(), ['2026-11-25T21:31:00.000Z zones-changes']);
  });
});
