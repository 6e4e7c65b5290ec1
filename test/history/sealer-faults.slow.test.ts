import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Column, EncodedRows } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { LocalStore } from '../../src/history/local-store.js';
import type { ParquetFiles } from '../../src/history/parquet-files.js';
import { type Keeping, Sealer } from '../../src/history/sealer.js';
import { AppendedWriter } from '../../src/recorder/appended-writer.js';
import type { Files } from '../../src/volume/files.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { PlainDays } from '../support/plain-days.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** `RUNS=100000 node --test dist/test/history/sealer-faults.slow.test.js` looks for five minutes. */
const RUNS = Number(process.env.RUNS ?? 100);
const LONGEST_RUN = 300_000;
const DIR = '/data';
const CSV = `${DIR}/flags.csv`;
const HISTORY = `${DIR}/history/flags`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TWO_DAYS: Keeping = { keep: 2, retention: null };
const COLUMNS: Column[] = [
  { name: 'id', type: 'string', seen: true },
  { name: 'timestamp', type: 'time', seen: true },
];

/** One start of the service on a folder: a log, and what seals it. */
class Life {
  readonly log: AppendedWriter;
  readonly sealer: Sealer;
  readonly files: Files;

  private constructor(log: AppendedWriter, sealer: Sealer, files: Files) {
    this.log = log;
    this.sealer = sealer;
    this.files = files;
  }

  /** `now`: the service's clock; `timeZone`: whose days are sealed. */
  static async start(
    files: Files,
    now: number,
    { timeZone = 'UTC', parquet = new PlainDays(files) as ParquetFiles } = {},
  ): Promise<Life> {
    const clock = { now: () => now, sleep: async () => undefined };
    const { dataset } = await AppendedWriter.open({
      name: 'flags',
      kind: 'log',
      source: 'a test',
      description: '',
      path: CSV,
      files,
      health: new PollHealth(30_000, clock),
      known: COLUMNS,
      keys: ['id'],
      pollColumn: 'timestamp',
    });
    const days = new LocalDays(timeZone);
    const logger = pino({ level: 'silent' });
    const store = new LocalStore(DIR, files);
    const sealer = new Sealer({ store, days, parquet, clock, logger });
    await sealer.checkTimeZone();
    await sealer.restore(dataset);
    return new Life(dataset, sealer, files);
  }

  async append(...polls: readonly number[]): Promise<void> {
    await this.log.layOut(COLUMNS, ['id'], 'timestamp');
    for (const time of polls) await this.log.append(pollAt(time), time);
  }

  /** What readers see: the rows of the sealed days, then those of the file. */
  async visible(): Promise<string[]> {
    const lines: string[] = [];
    for (const path of this.log.sealedDays.flatMap((day) => day.paths)) {
      lines.push(...linesOf(await this.files.readFile(path)));
    }
    const content = this.log.version === null ? Buffer.alloc(0) : (await this.log.content()).bytes;
    assert.equal(this.log.status().rows ?? 0, linesOf(content).length);
    return [...lines, ...linesOf(content)];
  }

  get sealedDates(): string[] {
    return this.log.sealedDays.map((day) => day.date);
  }
}

function pollAt(time: number): EncodedRows {
  const iso = new Date(time).toISOString();
  return encodeRows(COLUMNS, [
    ['a,"b"\n', iso],
    ['c', iso],
  ]);
}

function linesOf(csv: Buffer): string[] {
  return csv
    .toString()
    .split(/(?<=Z\n)/)
    .map((line) => line.replace('id,timestamp\n', ''))
    .filter((line) => line !== '');
}

function expectedLines(times: Iterable<number>): string[] {
  return [...times].flatMap((time) => linesOf(pollAt(time).body));
}

async function assertVisible(life: Life, times: readonly number[]): Promise<void> {
  assert.deepEqual((await life.visible()).sort(), expectedLines(times).sort());
}

function newDisk(): VolatileDisk {
  return new VolatileDisk(DIR);
}

const FIRST = Date.parse('2026-11-20T00:00:00Z');
/** Three polls a day for five days. */
const POLLS = Array.from({ length: 15 }, (_, n) => FIRST + n * 8 * HOUR);
const NOW = FIRST + 5 * DAY - HOUR;

async function recordedDisk(): Promise<VolatileDisk> {
  const disk = newDisk();
  const life = await Life.start(disk, NOW);
  await life.append(...POLLS);
  await life.log.close();
  return disk.afterPowerLoss(() => true);
}

test('days older than those kept move to the history, and everything stays visible', async () => {
  const life = await Life.start(await recordedDisk(), NOW);
  assert.equal(await life.sealer.seal(life.log, TWO_DAYS), true);
  assert.deepEqual(life.sealedDates, ['2026-11-20', '2026-11-21', '2026-11-22']);
  assert.equal(life.log.status().rows, 12);
  await assertVisible(life, POLLS);
  await life.sealer.seal(life.log, TWO_DAYS);
  await assertVisible(life, POLLS);
  const again = await Life.start(life.files, NOW);
  assert.deepEqual(again.sealedDates, life.sealedDates);
  await assertVisible(again, POLLS);
});

async function operations(): Promise<readonly Operation[]> {
  const files = new FaultyFiles(await recordedDisk());
  const life = await Life.start(files, NOW);
  await life.sealer.seal(life.log, TWO_DAYS);
  return files.operations;
}

/** Seals with a fault; returns the life, null when it could not even start. */
async function sealWith(files: FaultyFiles, now = NOW): Promise<Life | null> {
  const life = await Life.start(files, now).catch(() => null);
  await life?.sealer.seal(life.log, TWO_DAYS).catch(() => undefined);
  return life;
}

test('stopped at any operation: nothing is lost or duplicated, immediately and after sealing again', async () => {
  const survivors = [null, () => false, () => true];
  for (const { index, name } of await operations()) {
    for (const part of name === 'write' ? [0, 0.5] : [0]) {
      for (const survives of survivors) {
        const disk = await recordedDisk();
        await sealWith(new FaultyFiles(disk, at(index, { stops: true, part })));
        const found = survives === null ? disk : disk.afterPowerLoss(survives);
        const life = await Life.start(found, NOW);
        await assertVisible(life, POLLS);
        // Nobody who reads the history meets half a file under a name of ours.
        for (const entry of await found.list(HISTORY)) {
          const names = await found.list(join(HISTORY, entry));
          assert.deepEqual(
            names.filter((file) => !/^\d{4}-\d\d-\d\d\.parquet$/.test(file)),
            [],
          );
        }
        await life.append(NOW);
        await life.sealer.seal(life.log, TWO_DAYS);
        assert.deepEqual(life.sealedDates, ['2026-11-20', '2026-11-21', '2026-11-22']);
        assert.ok(life.log.sealedDays.every(({ paths }) => paths.length === 1));
        await assertVisible(life, [...POLLS, NOW]);
        await assertVisible(
          await Life.start(
            found.afterPowerLoss(() => false),
            NOW,
          ),
          [...POLLS, NOW],
        );
      }
    }
  }
});

test('any operation fails: what readers see stays whole, and sealing again finishes it', async () => {
  const faults: Fault[] = [{ fails: 'ENOSPC', part: 0.5 }, { fails: 'EIO' }, { fails: 'EACCES' }];
  for (const { index } of await operations()) {
    for (const fault of faults) {
      const disk = await recordedDisk();
      const life = await sealWith(new FaultyFiles(disk, at(index, fault)));
      if (life === null) continue;
      await assertVisible(life, POLLS);
      await life.append(NOW);
      assert.equal(await life.sealer.seal(life.log, TWO_DAYS), true);
      assert.deepEqual(life.sealedDates, ['2026-11-20', '2026-11-21', '2026-11-22']);
      await assertVisible(life, [...POLLS, NOW]);
      await assertVisible(await Life.start(disk, NOW), [...POLLS, NOW]);
    }
  }
});

test('a start on a full disk after an interrupted sealing shows no row twice, and mends it when there is room', async () => {
  const disk = await recordedDisk();
  await sealWith(
    new FaultyFiles(disk, ({ name, path }) => (name === 'rename' && path === CSV ? { stops: true } : null)),
  );
  let isFull = true;
  const files = new FaultyFiles(disk, ({ name }) =>
    isFull && name === 'write' ? { fails: 'ENOSPC' } : null,
  );
  const life = await Life.start(files, NOW);
  await assertVisible(life, POLLS);
  assert.deepEqual(life.sealedDates, []);
  await assert.rejects(life.sealer.seal(life.log, { keep: 1, retention: null }), { code: 'ENOSPC' });
  await assertVisible(life, POLLS);
  isFull = false;
  await life.sealer.seal(life.log, { keep: 30, retention: null });
  assert.deepEqual(life.sealedDates, ['2026-11-20', '2026-11-21', '2026-11-22']);
  await assertVisible(life, POLLS);
});

test('an interrupted sealing is finished although more days are kept now, or the clock went back', async () => {
  for (const [now, keep] of [
    [NOW, 30],
    [FIRST - 40 * DAY, 2],
  ] as const) {
    const disk = await recordedDisk();
    await sealWith(
      new FaultyFiles(disk, ({ name, path }) => (name === 'rename' && path === CSV ? { stops: true } : null)),
    );
    const life = await Life.start(disk, now);
    await assertVisible(life, POLLS);
    await life.sealer.seal(life.log, { keep, retention: null });
    await assertVisible(life, POLLS);
    assert.equal(life.log.status().rows, 12);
  }
});

test('a poll that is recorded while its day is being sealed stays, and is sealed the next time', async () => {
  const disk = newDisk();
  const late = FIRST + DAY - 1_000;
  const box: { life: Life | null } = { life: null };
  const plain = new PlainDays(disk);
  const parquet: ParquetFiles = {
    queriesEnded: () => null,
    damageOf: async () => null,
    timesIn: (path, column) => plain.timesIn(path, column),
    writeParquet: async (rows, path) => {
      await plain.writeParquet(rows, path);
      if (path.includes('2026-11-20')) await box.life?.append(late);
      box.life = null;
    },
  };
  const life = await Life.start(disk, FIRST + DAY + 1_000, { parquet });
  await life.append(FIRST, FIRST + HOUR);
  box.life = life;
  await life.sealer.seal(life.log, { keep: 1, retention: null });
  await assertVisible(life, [FIRST, FIRST + HOUR, late]);
  assert.equal(life.log.status().rows, 2);
  await life.append(FIRST + DAY + 30_000);
  await life.sealer.seal(life.log, { keep: 1, retention: null });
  await assertVisible(life, [FIRST, FIRST + HOUR, late, FIRST + DAY + 30_000]);
  assert.deepEqual(
    life.log.sealedDays.flatMap(({ paths }) => paths.map((path) => basename(path))),
    ['2026-11-20.parquet', '2026-11-20-2.parquet'],
  );
});

test('a restored file: polls that are sealed already are dropped, others get a file beside', async () => {
  const disk = await recordedDisk();
  const whole = await disk.readFile(CSV);
  const first = await Life.start(disk, NOW);
  await first.sealer.seal(first.log, TWO_DAYS);
  await first.log.close();
  const missed = FIRST + 20 * HOUR;
  const restored = await disk.open(CSV, 'w+');
  const [header, ...rows] = whole.toString().split(/(?<=timestamp\n|Z\n)/);
  const withMissed = [...rows.slice(0, 6), ...linesOf(pollAt(missed).body), ...rows.slice(6)];
  await restored.write(Buffer.from([header, ...withMissed].join('')), 0);
  await restored.close();
  const life = await Life.start(disk, NOW);
  await assertVisible(life, [...POLLS, missed]);
  await life.sealer.seal(life.log, TWO_DAYS);
  await assertVisible(life, [...POLLS, missed]);
  assert.deepEqual(
    life.log.sealedDays[0]?.paths.map((path) => basename(path)),
    ['2026-11-20.parquet', '2026-11-20-2.parquet'],
  );
});

test('days beyond the retention go, folder and all; an interruption at any operation ends in the same', async () => {
  const later = NOW + 2 * DAY;
  const keeping = { keep: 2, retention: 4 };
  const kept = POLLS.filter((time) => time >= FIRST + 3 * DAY);
  const sealedDisk = async () => {
    const disk = await recordedDisk();
    const life = await Life.start(disk, NOW);
    await life.sealer.seal(life.log, TWO_DAYS);
    return disk;
  };
  const count = async () => {
    const files = new FaultyFiles(await sealedDisk());
    const life = await Life.start(files, later);
    await life.sealer.seal(life.log, keeping);
    assert.deepEqual(life.sealedDates, ['2026-11-23', '2026-11-24']);
    await assertVisible(life, kept);
    assert.deepEqual((await files.list(HISTORY)).sort(), ['date=2026-11-23', 'date=2026-11-24']);
    return files.operations.length;
  };
  for (let index = await count(); index >= 0; index--) {
    const disk = await sealedDisk();
    const files = new FaultyFiles(disk, at(index, { stops: true }));
    const stopped = await Life.start(files, later).catch(() => null);
    await stopped?.sealer.seal(stopped.log, keeping).catch(() => undefined);
    const life = await Life.start(disk, later);
    await life.sealer.seal(life.log, keeping);
    assert.deepEqual(life.sealedDates, ['2026-11-23', '2026-11-24']);
    await assertVisible(life, kept);
  }
});

test("another time zone's history is refused, with the remedy, and nothing is touched", async () => {
  const disk = await recordedDisk();
  const life = await Life.start(disk, NOW, { timeZone: 'America/New_York' });
  await life.sealer.seal(life.log, TWO_DAYS);
  await life.log.close();
  const files = new FaultyFiles(disk);
  await assert.rejects(Life.start(files, NOW, { timeZone: 'Europe/Berlin' }), {
    code: 'HISTORY_TIME_ZONE',
    message: /America\/New_York, but timeZone is Europe\/Berlin/,
    remedy: /set timeZone: America\/New_York/,
  });
  assert.deepEqual(
    files.operations.filter(({ name }) => name === 'write'),
    [],
  );
});

for (const [timeZone, day, hours] of [
  ['America/New_York', '2026-03-08', 23],
  ['America/New_York', '2026-11-01', 25],
  ['Africa/Cairo', '2026-04-24', 23],
  ['Australia/Lord_Howe', '2026-04-05', 24.5],
  ['Asia/Kathmandu', '2026-06-01', 24],
] as const) {
  test(`a day of ${hours} hours in ${timeZone} has exactly its own polls`, async () => {
    const days = new LocalDays(timeZone);
    const start = days.startOf(day);
    assert.equal(days.endOf(start) - start, hours * HOUR);
    const polls = [start - 1, start, start + 90 * 60_000, start + hours * HOUR - 1, start + hours * HOUR];
    const disk = newDisk();
    const life = await Life.start(disk, start + 3 * DAY, { timeZone });
    await life.append(...polls);
    await life.sealer.seal(life.log, { keep: 1, retention: null });
    await assertVisible(life, polls);
    const sealed = life.log.sealedDays.find(({ date }) => date === day);
    const lines = linesOf(await disk.readFile(sealed!.paths[0]!));
    assert.deepEqual(lines, expectedLines(polls.slice(1, 4)));
  });
}

test('rows that the recorder still needs are not sealed, and sealing reports that it is incomplete', async () => {
  const life = await Life.start(await recordedDisk(), NOW);
  life.log.neededAfter = POLLS[4]!;
  assert.equal(await life.sealer.seal(life.log, TWO_DAYS), false);
  await assertVisible(life, POLLS);
  assert.equal(life.log.firstAt, POLLS[5]);
  life.log.neededAfter = Number.POSITIVE_INFINITY;
  assert.equal(await life.sealer.seal(life.log, TWO_DAYS), true);
  await assertVisible(life, POLLS);
});

const step = fc.oneof(
  fc.record({ does: fc.constant('polls' as const), hours: fc.integer({ min: -30, max: 60 }) }),
  fc.record({
    does: fc.constant('seals' as const),
    keep: fc.integer({ min: 1, max: 4 }),
    stopAt: fc.option(fc.nat(80)),
    failAt: fc.option(fc.nat(60)),
    survives: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 6 })),
  }),
);

test('any polls, sealings, stops and clocks: every poll is there once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      let disk = newDisk();
      let now = FIRST;
      const polls: number[] = [];
      for (const one of steps) {
        if (one.does === 'polls') {
          now += one.hours * HOUR;
          const life = await Life.start(disk, now);
          const times = [0, 1, 2].map((n) => Math.max(now, (polls.at(-1) ?? 0) + 1) + n * HOUR);
          await life.append(...times);
          polls.push(...times);
          await life.log.close();
          continue;
        }
        const { keep, stopAt, failAt, survives } = one;
        const files = new FaultyFiles(disk, ({ index }) =>
          index === stopAt
            ? { stops: true, part: 0.5 }
            : index === failAt
              ? { fails: 'ENOSPC', part: 0.5 }
              : null,
        );
        const life = await Life.start(files, now).catch(() => null);
        await life?.sealer.seal(life.log, { keep, retention: null }).catch(() => undefined);
        let bit = 0;
        if (survives !== null) disk = disk.afterPowerLoss(() => survives[bit++ % survives.length]!);
        await assertVisible(await Life.start(disk, now), polls);
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: LONGEST_RUN, includeErrorInReport: true },
  );
});
