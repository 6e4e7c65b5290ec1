import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Sealing } from '../../src/collect/sealing.js';
import type { AppendedDataset } from '../../src/datasets/appended-dataset.js';
import { LocalDays } from '../../src/datasets/local-day.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { collectorWorld, counted } from './world.js';

/** Half past four in the afternoon in New York. */
const START = '2026-11-24T21:29:50.000Z';
const SOON = '2026-11-24T21:30:00.000Z';

async function sealingWorld(t: TestContext) {
  const clock = new ManualClock(START);
  const flags = await collectorWorld(t, { clock, name: 'flags', record: { log: true, changes: true } });
  const zones = await collectorWorld(t, { clock, name: 'zones', record: { changes: true } });
  const sealed: string[] = [];
  const broken = new Set<string>();
  const seal = async (dataset: AppendedDataset) => {
    sealed.push(`${new Date(clock.now()).toISOString()} ${dataset.name}`);
    if (broken.has(dataset.name)) throw new Error('disk full');
  };
  const keeping = { keep: 7, retention: null };
  const sealing = new Sealing({
    sealer: { seal },
    sources: [flags, zones].map(({ collector }) => ({ collector, keeping })),
    days: new LocalDays('America/New_York'),
    clock,
  });
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
  return { clock, flags, zones, broken, pass, taken };
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

  it('waits until the changes of the past were read off the log', async (t) => {
    const clock = new ManualClock(START);
    const dataDir = await temporaryFolder(t);
    const past = 'id,count,timestamp\npickup,1,2026-01-01T00:00:00.000Z\npickup,5,2026-01-01T00:00:30.000Z\n';
    await writeFile(join(dataDir, 'flags.csv'), past);
    const record = { log: true, changes: true, dataDir };
    const { collector, source, run } = await collectorWorld(t, { clock, record });
    const sealed: string[] = [];
    const sealing = new Sealing({
      sealer: { seal: async ({ name }: AppendedDataset) => void sealed.push(name) },
      sources: [{ collector, keeping: { keep: 7, retention: null } }],
      days: new LocalDays('America/New_York'),
      clock,
    });
    const stopping = new AbortController();
    const ended = sealing.run(stopping.signal);
    t.after(() => {
      stopping.abort();
      return ended;
    });
    source.script = (poll) => (poll === 1 ? new Error('no credentials') : counted(7));
    run();
    await clock.asleep(2);
    await clock.next();
    await clock.next();
    assert.equal(source.asked.length, 1);
    assert.deepEqual(sealed, []);
    for (let wake = 1; wake <= 2; wake++) await clock.next();
    assert.equal(collector.recorder.changes!.status().rows, 3);
    assert.deepEqual(sealed, ['flags', 'flags-changes']);
  });
});
