/** Writers with a known history, and a service that is killed at every step: at the end the files equal the history. */
import { after, before, test } from 'node:test';
import { ScanThreads } from '../../src/sources/dynamodb/threads.js';
import { useTestAws } from '../support/aws.js';
import { at, FaultyFiles } from '../support/faulty-files.js';
import { ALL_KEPT, type Kept } from '../support/recorder-runs.js';
import { ScriptedStreams } from '../support/scripted-streams.js';
import { historyOf, type Life, Lives, seeded, type Written } from './history.js';

let threads: ScanThreads;
before(() => {
  useTestAws();
  threads = new ScanThreads({ size: 1 });
});
after(() => threads.close());

/** A clock that passes only while somebody sleeps. */
function sleepingClock() {
  let now = Date.now();
  return {
    now: () => now,
    sleep: async (time: number) => {
      now += time;
    },
  };
}

interface World {
  readonly streams: ScriptedStreams;
  readonly clock: ReturnType<typeof sleepingClock>;
  life(options?: Partial<Life>): Lives;
}

async function world(kept: Kept, seed: number, run: (world: World) => Promise<void>): Promise<void> {
  const clock = sleepingClock();
  const streams = await ScriptedStreams.start({ shards: 2 });
  streams.now = clock.now;
  const written: Written = {
    endpoint: streams.endpoint,
    table: streams.table,
    async write({ id, count, isExpiry = false }) {
      if (count === null) streams.remove(id, isExpiry ? 'time to live' : 'a person');
      else streams.put(id, { count: { N: String(count) } });
    },
    close: () => streams.close(),
  };
  const history = historyOf(seeded(seed), 60, 8, true);
  const life = (options: Partial<Life> = {}) =>
    new Lives({ written, history, before: 12, perReading: 8, kept, threads, clock, ...options });
  try {
    await run({ streams, clock, life });
  } finally {
    await streams.close();
  }
}

const KEPT: Readonly<Record<string, Kept>> = {
  'a snapshot': ALL_KEPT['a snapshot']!,
  'a snapshot and changes': ALL_KEPT['a snapshot and changes']!,
  'a snapshot, a log and changes': { log: true, changes: true, logName: 'items-log' },
};

/** Splits, rolls, drips and short answers while the service reads. */
function shaken(streams: ScriptedStreams): (reading: number) => void {
  return (reading) => {
    streams.script.mostRecords = 1 + (reading % 5);
    streams.script.emptyAnswers = reading % 3;
    streams.script.shardsPerPage = 2;
    if (reading % 3 === 0) streams.split(streams.open[0]!);
    if (reading % 4 === 0) streams.roll(streams.open.at(-1)!);
    if (reading % 5 === 0) streams.expireIterators();
  };
}

/**
 * Kills per kind of table, spread over all operations of its files. `KILLS=1000 node --test
 * dist/test/streams/scripted.slow.test.js` tries every operation.
 */
const KILLS = Number(process.env.KILLS ?? 16);

for (const [what, kept] of Object.entries(KEPT)) {
  /** One history, in which the service is killed at that operation; returns how many operations there were. */
  const killedAt = async (index: number) => {
    let operations = 0;
    await world(kept, index, async ({ streams, life }) => {
      // Half of the services write the items' file with each reading, the others now and then.
      const lives = life({ between: shaken(streams), ...(index % 2 === 0 ? {} : { writeRate: 1 }) });
      const files = new FaultyFiles(lives.disk, at(index, { stops: true, part: (index % 3) / 2 }));
      await lives.live(files).catch((error: Error) => {
        if (!files.isStopped) throw error;
      });
      operations = files.operations.length;
      if (index % 2 === 1) lives.loseVolatile(() => index % 4 === 1);
      if (files.isStopped) await lives.live();
      await lives.checkItems();
      await lives.checkExactChanges();
    }).catch((error) => {
      throw new Error(`killed at operation ${index}: ${error}`, { cause: error });
    });
    return operations;
  };

  test(`${what}: killed at any operation, each record is there once`, async () => {
    const operations = await killedAt(Number.MAX_SAFE_INTEGER);
    const step = Math.max(1, operations / KILLS);
    for (let kill = 0; kill * step < operations; kill += 1) await killedAt(Math.floor(kill * step));
  });
}

test('breaks shorter than the retention lose nothing', async () => {
  for (let seed = 0; seed < 3; seed += 1) {
    await world(KEPT['a snapshot and changes']!, seed, async ({ streams, clock, life }) => {
      const lives = life({
        between: async (reading) => {
          shaken(streams)(reading);
          if (reading === 4) await clock.sleep(23 * 3_600_000);
        },
      });
      await lives.live();
      await lives.checkItems();
      await lives.checkExactChanges();
    });
  }
});

test('after breaks longer than the retention the files equal the table, and changes lead there', async () => {
  for (let seed = 0; seed < 3; seed += 1) {
    await world(KEPT['a snapshot and changes']!, seed, async ({ streams, clock, life }) => {
      const lives = life({
        between: async (reading) => {
          if (reading !== 3 && reading !== 6) return shaken(streams)(reading);
          await clock.sleep(25 * 3_600_000);
          streams.trim();
        },
      });
      await lives.live();
      await lives.checkItems();
      await lives.checkFoldedChanges();
    });
  }
});
