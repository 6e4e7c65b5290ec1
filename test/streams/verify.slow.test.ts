/** `verify`: what the stream did not say is healed by a Scan, told, and recorded once, although the service is killed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ScanThreads } from '../../src/sources/dynamodb/threads.js';
import { useTestAws } from '../support/aws.js';
import { at, FaultyFiles } from '../support/faulty-files.js';
import { logLines } from '../support/log-lines.js';
import { ALL_KEPT, type Kept } from '../support/recorder-runs.js';
import { ScriptedStreams } from '../support/scripted-streams.js';
import { historyOf, Lives, seeded, type Write, type Written } from './history.js';

let threads: ScanThreads;
before(() => {
  useTestAws();
  threads = new ScanThreads({ size: 1 });
});
after(() => threads.close());

const KEPT: Readonly<Record<string, Kept>> = {
  'a snapshot': ALL_KEPT['a snapshot']!,
  'a snapshot and changes': ALL_KEPT['a snapshot and changes']!,
  'a snapshot, a log and changes': { log: true, changes: true, logName: 'items-log' },
};
/** Kills per kind of table, spread over all operations of its files: `KILLS=1000` tries every operation. */
const KILLS = Number(process.env.KILLS ?? 12);
/** An item that the stream forgets, one whose deletion it forgets, and a change that it forgets. */
const BEFORE: readonly Write[] = [
  { id: 'silently-changed', count: 1 },
  { id: 'silently-removed', count: 1 },
];
const SILENT: readonly Write[] = [
  { id: 'silently-added', count: 7, isSilent: true },
  { id: 'silently-changed', count: 7, isSilent: true },
  { id: 'silently-removed', count: null, isSilent: true },
];
const HISTORY = [
  ...BEFORE,
  ...historyOf(seeded(3), 24, 5, false),
  ...SILENT,
  ...historyOf(seeded(4), 16, 5, false).map((write) => ({ ...write, id: `other-${write.id}` })),
];

function writtenTo(streams: ScriptedStreams): Written {
  return {
    endpoint: streams.endpoint,
    table: streams.table,
    async write({ id, count, isSilent = false }) {
      if (count === null) isSilent ? streams.removeSilently(id) : streams.remove(id);
      else streams[isSilent ? 'putSilently' : 'put'](id, { count: { N: String(count) } });
    },
    close: () => streams.close(),
  };
}

for (const [what, kept] of Object.entries(KEPT)) {
  /** One history, in which the service is killed at that operation. Returns how many there were, and what was told. */
  const killedAt = async (index: number) => {
    let now = Date.now();
    const clock = {
      now: () => now,
      sleep: async (time: number) => {
        now += time;
      },
    };
    const streams = await ScriptedStreams.start({ shards: 2 });
    streams.now = clock.now;
    const { logger, lines } = logLines('info');
    const lives = new Lives({
      written: writtenTo(streams),
      history: HISTORY,
      before: BEFORE.length + 10,
      perReading: 6,
      kept,
      threads,
      clock,
      verify: 1_000,
      logger,
      ...(index % 2 === 0 ? {} : { writeRate: 1 }),
    });
    const files = new FaultyFiles(lives.disk, at(index, { stops: true, part: (index % 3) / 2 }));
    try {
      await lives.live(files).catch((error: Error) => {
        if (!files.isStopped) throw error;
      });
      if (index % 2 === 1) lives.loseVolatile(() => index % 4 === 1);
      if (files.isStopped) await lives.live();
      await lives.checkItems();
      await lives.checkExactChanges();
    } catch (error) {
      throw new Error(`killed at operation ${index}: ${error}`, { cause: error });
    } finally {
      await streams.close();
    }
    return { operations: files.operations.length, lines };
  };

  test(`${what}: what the stream did not say is healed and told`, async () => {
    const { operations, lines } = await killedAt(Number.MAX_SAFE_INTEGER);
    const told = lines.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      told.map(({ dataset, differing }) => [dataset, differing]),
      [['items', SILENT.length]],
    );
    assert.match(told[0]!.msg, /found items that differ from what its stream said: they are corrected/);
    assert.match(lines.at(-1)!.msg, /^verified: the data is that of the table$/);
    const step = Math.max(1, operations / KILLS);
    for (let kill = 0; kill * step < operations; kill += 1) await killedAt(Math.floor(kill * step));
  });
}
