import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import { AppendedFollower } from '../../src/recorder/appended-follower.js';
import { placesOf } from '../../src/recorder/recorder-options.js';
import type { Files } from '../../src/volume/files.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { ALL_KEPT, RecorderRuns } from '../support/recorder-runs.js';
import { checkChanges, checkLog, type Items, itemsOf, rowsOf, type Truth } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const DIR = '/data';
const KEPT = ALL_KEPT['a log and changes']!;

/** A new attribute in between widens both files; the rows of one poll are longer than a sector. */
const POLLS: readonly Items[] = [
  itemsOf({ a: { count: '1' }, 'b\n"c"': { count: '2' } }),
  itemsOf(
    Object.fromEntries(Array.from({ length: 30 }, (_, item) => [`taxi ${item}\n`, { count: `${item}` }])),
  ),
  itemsOf({ a: { count: '1', area: 'north, "east"' } }),
  itemsOf({}),
  itemsOf({ a: { count: 'many' } }),
];

/** Lets a reader read, and nothing else. */
function readOnly(files: Files): Files {
  const refuse = async (): Promise<never> => {
    throw new Error('a reader touched the volume');
  };
  return {
    open: (path, mode) => (mode === 'r' ? files.open(path, mode) : refuse()),
    readFile: (path) => files.readFile(path),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    rename: refuse,
    remove: refuse,
    removeFolder: refuse,
    makeFolder: refuse,
    syncFolder: refuse,
  };
}

/** Two readers beside a writer: of its log and of its changes. */
class Readers {
  readonly #followers: readonly AppendedFollower[];
  readonly #truth: Truth;

  constructor(disk: VolatileDisk, truth: Truth) {
    this.#truth = truth;
    const health = new PollHealth(30_000, { now: () => 0, sleep: async () => undefined });
    const facts = { name: 'flags', dataDir: DIR, files: readOnly(disk), health };
    this.#followers = placesOf({ name: 'flags', ...KEPT }).map(
      (place) => new AppendedFollower({ ...facts, place: place as AppendedFollowerPlace }),
    );
  }

  /** Whatever the writer is at: whole polls, and each that was confirmed. */
  async check(): Promise<void> {
    for (const follower of this.#followers) {
      await follower.refresh();
      const rows = follower.version === null ? [] : await rowsOf((await follower.content()).bytes);
      assert.equal(follower.status().rows ?? 0, rows.length);
      if (follower.kind === 'log') checkLog(rows, this.#truth);
      else checkChanges(rows, this.#truth);
    }
  }

  async close(): Promise<void> {
    for (const follower of this.#followers) await follower.close();
  }
}

type AppendedFollowerPlace = ConstructorParameters<typeof AppendedFollower>[0]['place'];

/** Records until the files stop, and has the readers look after each poll. */
async function record(runs: RecorderRuns, files: FaultyFiles, polls: readonly Items[], readers: Readers) {
  const recorder = await runs.open(files).catch(() => null);
  let done = 0;
  for (const items of recorder === null ? [] : polls) {
    const isKept = await runs.poll(recorder!, items);
    await readers.check();
    if (!isKept && files.isStopped) return done;
    done++;
  }
  await recorder?.close().catch(() => undefined);
  return done;
}

async function operations(): Promise<readonly Operation[]> {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  const runs = new RecorderRuns(DIR, KEPT);
  const files = new FaultyFiles(disk);
  await record(runs, files, POLLS, new Readers(disk, runs.truth));
  return files.operations;
}

test('a reader beside a writer that is killed anywhere sees whole polls only, and touches nothing', async () => {
  for (const { index, name, path } of await operations()) {
    for (const part of name === 'write' && path.endsWith('.csv') ? [0, 0.3, 0.9, 1] : [1]) {
      const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
      const runs = new RecorderRuns(DIR, KEPT);
      const readers = new Readers(disk, runs.truth);
      const fault: Fault = { stops: true, part };
      try {
        const done = await record(runs, new FaultyFiles(disk, at(index, fault)), POLLS, readers);
        await new Readers(disk, runs.truth).check();
        await record(runs, new FaultyFiles(disk), POLLS.slice(done), readers);
      } catch (error) {
        throw new Error(`operation ${index}, ${name} ${path}, part ${part}: ${error}`, { cause: error });
      }
      await readers.close();
    }
  }
});

test('a reader follows appends row by row, and reads everything again after the file was replaced', async () => {
  const disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  const runs = new RecorderRuns(DIR, KEPT);
  const recorder = await runs.open(disk);
  const health = new PollHealth(30_000, { now: () => 0, sleep: async () => undefined });
  const place = { dataset: 'flags', kind: 'log' } as const;
  const follower = new AppendedFollower({
    place,
    name: 'flags',
    dataDir: DIR,
    files: readOnly(disk),
    health,
  });
  await runs.poll(recorder, POLLS[0]!);
  await follower.refresh();
  const { version } = follower;
  await runs.poll(recorder, itemsOf({ a: { count: '7' } }));
  await follower.refresh();
  assert.equal(follower.appendedSince(version!)?.body.toString(), 'a,7,2026-11-24T09:31:00.000Z\n');
  await runs.poll(recorder, POLLS[2]!);
  await follower.refresh();
  assert.equal(follower.appendedSince(version!), null);
  assert.deepEqual(
    await follower.content().then(({ bytes }) => bytes),
    await disk.readFile(`${DIR}/flags.csv`),
  );
  await recorder.close();
});
