import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { ALL_KEPT, type Kept, RecorderRuns } from '../support/recorder-runs.js';
import { type Items, itemsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** `RUNS=100000 node --test dist/test/recorder/recorder-faults.slow.test.js` looks for five minutes. */
const RUNS = Number(process.env.RUNS ?? 400);
const LONGEST_RUN = 300_000;
const DIR = '/data';

/** Inserts, updates, deletes, an item that comes back, a new attribute in between, a wider type, no items at all. */
const POLLS: readonly Items[] = [
  { a: { count: '1' }, b: { count: '2' }, c: { count: '3' } },
  { a: { count: '1' }, b: { count: '5' }, d: { count: '8' } },
  { a: { count: '1' }, b: { area: 'north, "east"', count: '6' }, c: { count: '9' } },
  { a: { count: '1' }, b: { area: 'north, "east"', count: '6' }, c: { count: '9' } },
  {},
  { a: { count: 'many' }, c: { count: '1' } },
].map(itemsOf);

function newDisk(): VolatileDisk {
  return new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
}

/** Records the polls until the files stop; returns how many of them were confirmed. */
async function record(runs: RecorderRuns, files: FaultyFiles, polls: readonly Items[]): Promise<number> {
  const recorder = await runs.open(files).catch(() => null);
  let done = 0;
  for (const items of recorder === null ? [] : polls) {
    if (!(await runs.poll(recorder!, items)) && files.isStopped) return done;
    done++;
  }
  await recorder?.close().catch(() => undefined);
  return done;
}

/** The operations of a recording in which nothing goes wrong. */
async function operationsOf(kept: Kept): Promise<readonly Operation[]> {
  const files = new FaultyFiles(newDisk());
  const runs = new RecorderRuns(DIR, kept);
  await record(runs, files, POLLS);
  await runs.check(files);
  assert.equal(runs.truth.confirmed.size, POLLS.length);
  return files.operations;
}

/** Stops at one operation, opens again what then stands on the disk, and goes on with the poll that was interrupted. */
async function stopAt(
  kept: Kept,
  index: number,
  fault: Fault,
  restart: (disk: VolatileDisk) => VolatileDisk,
) {
  const runs = new RecorderRuns(DIR, kept);
  const disk = newDisk();
  const done = await record(runs, new FaultyFiles(disk, at(index, fault)), POLLS);
  const found = restart(disk);
  await record(runs, new FaultyFiles(found), POLLS.slice(done));
  await runs.check(found);
}

/** An error names the operation at which it was provoked. */
async function atEach(operations: readonly Operation[], run: (operation: Operation) => Promise<void>) {
  for (const operation of operations) {
    await run(operation).catch((error) => {
      const { index, name, path } = operation;
      throw new Error(`operation ${index}, ${name} ${path}: ${error}`, { cause: error });
    });
  }
}

for (const [what, kept] of Object.entries(ALL_KEPT)) {
  test(`${what}: killed before any operation, and within any write`, async () => {
    await atEach(await operationsOf(kept), async ({ index, name }) => {
      await stopAt(kept, index, { stops: true }, (disk) => disk);
      if (name === 'write') await stopAt(kept, index, { stops: true, part: 0.6 }, (disk) => disk);
    });
  });

  test(`${what}: the power fails at any operation and nothing unsynced survives`, async () => {
    await atEach(await operationsOf(kept), ({ index }) =>
      stopAt(kept, index, { stops: true, part: 1 }, (disk) => disk.afterPowerLoss(() => false)),
    );
  });

  test(`${what}: any operation fails once`, async () => {
    const faults: Fault[] = [{ fails: 'EIO' }, { fails: 'ENOSPC', part: 0.5 }, { short: true, part: 0.5 }];
    await atEach(await operationsOf(kept), async ({ index, name }) => {
      for (const fault of name === 'write' ? faults : faults.slice(0, 1)) {
        const runs = new RecorderRuns(DIR, kept);
        const disk = newDisk();
        const done = await record(runs, new FaultyFiles(disk, at(index, fault)), POLLS);
        assert.ok(runs.truth.confirmed.size >= done - 1, 'the poll after it is written');
        await runs.check(disk);
        await record(runs, new FaultyFiles(disk), POLLS.slice(-2));
        await runs.check(disk);
      }
    });
  });
}

const items: fc.Arbitrary<Items> = fc
  .dictionary(
    fc.constantFrom('a', 'b', 'c', 'd', 'e f', '"g"'),
    fc.record(
      {
        count: fc.oneof(fc.nat(3).map(String), fc.constantFrom('', 'many', '1,5')),
        area: fc.constantFrom('north', 'a\nb'),
        zone: fc.nat(2).map(String),
      },
      { requiredKeys: [] },
    ),
    { maxKeys: 5, noNullPrototype: true },
  )
  .map(itemsOf);

/** From one start of the service to its end: what it polls, what fails on the way, how it ends. */
interface Life {
  readonly polls: readonly Items[];
  /** From that operation on, for so many, the disk has no room, or every operation fails. */
  readonly trouble: { readonly from: number; readonly count: number; readonly fault: Fault } | null;
  readonly stop: { readonly at: number; readonly part: number } | null;
  /** Which of the unsynced things survive in turn; null: the process dies and the disk does not. */
  readonly survives: readonly boolean[] | null;
}

const life: fc.Arbitrary<Life> = fc.record({
  polls: fc.array(items, { maxLength: 4 }),
  trouble: fc.option(
    fc.record({
      from: fc.nat(120),
      count: fc.oneof(fc.constant(1), fc.nat(60)),
      fault: fc.record({
        fails: fc.constantFrom('ENOSPC' as const, 'EIO' as const, 'EDQUOT' as const, 'EACCES' as const),
        part: fc.constantFrom(0, 0.5, 1),
      }),
    }),
  ),
  stop: fc.option(fc.record({ at: fc.nat(150), part: fc.constantFrom(0, 0.5, 1) })),
  survives: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })),
});

test('any polls, any troubles, any stops, over several lives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(ALL_KEPT)),
      fc.array(life, { minLength: 1, maxLength: 4 }),
      fc.array(items, { minLength: 1, maxLength: 2 }),
      async (kept, lives, lastPolls) => {
        const runs = new RecorderRuns(DIR, kept);
        let disk = newDisk();
        for (const { polls, trouble, stop, survives } of lives) {
          const faultAt = ({ index }: Operation): Fault | null => {
            if (stop !== null && index >= stop.at) return { stops: true, part: stop.part };
            if (trouble === null || index < trouble.from || index >= trouble.from + trouble.count)
              return null;
            return trouble.fault;
          };
          await record(runs, new FaultyFiles(disk, faultAt), polls);
          let bit = 0;
          if (survives !== null) disk = disk.afterPowerLoss(() => survives[bit++ % survives.length]!);
        }
        const before = runs.truth.confirmed.size;
        await record(runs, new FaultyFiles(disk), lastPolls);
        assert.equal(runs.truth.confirmed.size, before + lastPolls.length);
        await runs.check(disk);
      },
    ),
    {
      numRuns: RUNS,
      interruptAfterTimeLimit: LONGEST_RUN,
      includeErrorInReport: true,
    },
  );
});
