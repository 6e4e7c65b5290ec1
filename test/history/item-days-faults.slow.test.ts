import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Column } from '../../src/csv/rows.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { LocalStore } from '../../src/history/local-store.js';
import { Sealer } from '../../src/history/sealer.js';
import { AppendedWriter } from '../../src/recorder/appended-writer.js';
import type { Files } from '../../src/volume/files.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { PlainDays } from '../support/plain-days.js';
import { rowsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/*
 * A log of new items whose days are sealed by the items' own time. Late items of sealed days, and times that are not to be
 * believed, arrive between two sealings.
 */

const DIR = '/data';
const CSV = `${DIR}/readings.csv`;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FIRST = Date.parse('2026-11-20T12:00:00Z');
const NOW = FIRST + 5 * DAY;
const KEEPING = { keep: 2, retention: null };
const COLUMNS: Column[] = [
  { name: 'id', type: 'string', seen: true },
  { name: 'at', type: 'time', seen: true },
  { name: 'timestamp', type: 'time', seen: true },
];

/** What a poll finds: ids with the hours from it to their own time, null without one. */
type Found = Readonly<Record<string, number | null>>;

const POLLS: readonly { readonly at: number; readonly found: Found }[] = [
  { at: FIRST, found: { a: -1, b: -30, c: 0 } },
  { at: FIRST + DAY, found: { d: -1, e: -50 } },
  { at: FIRST + 2 * DAY, found: { f: 0, g: 20 } },
];
const LATE = { at: NOW - HOUR, found: { h: -5 * 24, i: -4 * 24, j: 0, k: null, l: 999_999, m: -999_999 } };

const isoTime = (instant: number) => new Date(instant).toISOString();

function rowsOfPoll({ at, found }: (typeof POLLS)[number]) {
  return encodeRows(
    COLUMNS,
    Object.entries(found).map(([id, hours]) => [
      id,
      hours === null ? null : isoTime(at + hours * HOUR),
      isoTime(at),
    ]),
  );
}

/** The days, in UTC, that items belong to. */
const DAYS: Readonly<Record<string, string>> = {
  a: '2026-11-20',
  b: '2026-11-19',
  c: '2026-11-20',
  d: '2026-11-21',
  e: '2026-11-19',
  f: '2026-11-22',
  g: '2026-11-23',
  h: '2026-11-20',
  i: '2026-11-21',
  j: '2026-11-25',
  k: '2026-11-25',
  l: '2026-11-25',
  m: '2026-11-25',
};

interface Life {
  readonly log: AppendedWriter;
  readonly sealer: Sealer;
}

async function start(files: Files, now = NOW): Promise<Life> {
  const clock = { now: () => now, sleep: async () => undefined };
  const { dataset } = await AppendedWriter.open({
    name: 'readings',
    kind: 'log',
    source: 'a test',
    description: '',
    path: CSV,
    files,
    health: new PollHealth(30_000, clock),
    known: COLUMNS,
    keys: ['id'],
    pollColumn: 'timestamp',
    itemTime: 'at',
  });
  const sealer = new Sealer({
    store: new LocalStore(DIR, files),
    days: new LocalDays('UTC'),
    parquet: new PlainDays(files),
    clock,
    logger: pino({ level: 'silent' }),
  });
  await sealer.restore(dataset);
  return { log: dataset, sealer };
}

async function append({ log }: Life, poll: (typeof POLLS)[number]): Promise<void> {
  await log.layOut(COLUMNS, ['id'], 'timestamp');
  await log.append(rowsOfPoll(poll), poll.at);
}

/** Each item once, and each sealed one in the files of its day. */
async function check({ log }: Life, files: Files, ids: string): Promise<void> {
  const seen: string[] = [];
  for (const { date, paths } of log.sealedDays) {
    for (const path of paths) {
      assert.equal(basename(dirname(path)), `date=${date}`);
      for (const { id } of await rowsOf(await files.readFile(path))) {
        assert.equal(DAYS[id!], date, `the day of ${id}`);
        seen.push(id!);
      }
    }
  }
  const unsealed = log.version === null ? [] : await rowsOf((await log.content()).bytes);
  seen.push(...unsealed.map(({ id }) => id!));
  assert.deepEqual(seen.sort(), [...ids]);
}

/** Four days are sealed, and late items have arrived. */
async function preparedDisk(): Promise<VolatileDisk> {
  const disk = new VolatileDisk(DIR);
  const life = await start(disk);
  for (const poll of POLLS) await append(life, poll);
  await life.sealer.seal(life.log, KEEPING);
  await append(life, LATE);
  await life.log.close();
  return disk.afterPowerLoss(() => true);
}

test('a day is that of the items, and a late item is sealed into its own', async () => {
  const disk = await preparedDisk();
  const life = await start(disk);
  await check(life, disk, 'abcdefghijklm');
  assert.equal(await life.sealer.seal(life.log, KEEPING), true);
  await check(life, disk, 'abcdefghijklm');
  assert.deepEqual(
    life.log.sealedDays.map(({ date, paths }) => [date, paths.length]),
    [
      ['2026-11-19', 1],
      ['2026-11-20', 2],
      ['2026-11-21', 2],
      ['2026-11-22', 1],
      ['2026-11-23', 1],
    ],
  );
  const unsealed = await rowsOf((await life.log.content()).bytes);
  assert.deepEqual(unsealed.map(({ id }) => id).join(''), 'jklm');
});

test('what is older than the retention makes no day, and leaves the log', async () => {
  const disk = new VolatileDisk(DIR);
  const life = await start(disk);
  await append(life, { at: NOW, found: { j: 0, h: -5 * 24, z: -40_000 } });
  await life.sealer.seal(life.log, { keep: 1, retention: 10 });
  await check(life, disk, 'hj');
  assert.deepEqual(await disk.list(`${DIR}/history/readings`), ['date=2026-11-20']);
  await check(await start(disk), disk, 'hj');
});

test('rows of a poll that are still needed stay, however old their items are', async () => {
  const disk = new VolatileDisk(DIR);
  const life = await start(disk);
  await append(life, POLLS[0]!);
  await append(life, POLLS[1]!);
  life.log.neededAfter = POLLS[0]!.at;
  assert.equal(await life.sealer.seal(life.log, KEEPING), false);
  assert.equal(life.log.status().rows, 2);
  await check(life, disk, 'abcde');
  life.log.neededAfter = POLLS[1]!.at;
  assert.equal(await life.sealer.seal(life.log, KEEPING), true);
  await check(life, disk, 'abcde');
});

/** Seals with a fault, then starts on what is left, checks, and seals again. */
async function faultAt({ index }: Operation, fault: Fault, survives: (() => boolean) | null): Promise<void> {
  const disk = await preparedDisk();
  const files = new FaultyFiles(disk, at(index, fault));
  const life = await start(files).catch(() => null);
  if (life !== null) {
    await life.sealer.seal(life.log, KEEPING).catch(() => undefined);
    if (!files.isStopped) await check(life, disk, 'abcdefghijklm');
  }
  const found = survives === null ? disk : disk.afterPowerLoss(survives);
  const next = await start(found);
  await check(next, found, 'abcdefghijklm');
  await next.sealer.seal(next.log, KEEPING);
  await check(next, found, 'abcdefghijklm');
  const after = found.afterPowerLoss(() => false);
  await check(await start(after), after, 'abcdefghijklm');
}

async function operations(): Promise<readonly Operation[]> {
  const files = new FaultyFiles(await preparedDisk());
  const { log, sealer } = await start(files);
  await sealer.seal(log, KEEPING);
  return files.operations;
}

test('stopped at any operation, no item is lost, none is there twice, and late ones are in their day', async () => {
  for (const operation of await operations()) {
    for (const survives of [null, () => false, () => true]) {
      for (const part of operation.name === 'write' ? [0, 0.5] : [0])
        await faultAt(operation, { stops: true, part }, survives);
    }
  }
});

test('any operation fails, and no item is lost, and none is there twice', async () => {
  for (const operation of await operations()) {
    for (const fails of ['ENOSPC', 'EIO'] as const) await faultAt(operation, { fails, part: 0.5 }, null);
  }
});

test('a start on a full disk after an interrupted sealing shows every item once', async () => {
  const disk = await preparedDisk();
  const stop = ({ name, path }: Operation) =>
    name === 'rename' && path === CSV ? { stops: true as const } : null;
  const life = await start(new FaultyFiles(disk, stop));
  await assert.rejects(life.sealer.seal(life.log, KEEPING));
  const full = new FaultyFiles(disk, ({ name }) => (name === 'write' ? { fails: 'ENOSPC' } : null));
  await check(await start(full), disk, 'abcdefghijklm');
});

test('a start after an interrupted sealing drops what is sealed, whatever the order of the days in the file', async () => {
  const disk = new VolatileDisk(DIR);
  const life = await start(disk);
  for (const poll of POLLS) await append(life, poll);
  await life.log.close();
  const stop = ({ name, path }: Operation) =>
    name === 'rename' && path === CSV ? { stops: true as const } : null;
  const interrupted = await start(new FaultyFiles(disk, stop));
  await assert.rejects(interrupted.sealer.seal(interrupted.log, KEEPING));
  const next = await start(disk);
  await check(next, disk, 'abcdefg');
  assert.equal(next.log.status().rows, 0);
});
