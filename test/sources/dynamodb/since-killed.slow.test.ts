/** A log of new items: killed at any step, on a disk that refuses writes, after a long break. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PollHealth } from '../../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../../src/recorder/recorder-options.js';
import type { TableRecorder } from '../../../src/recorder/table-recorder.js';
import type { Files } from '../../../src/volume/files.js';
import { useEvents } from '../../support/events.js';
import { at, FaultyFiles } from '../../support/faulty-files.js';
import { logLines } from '../../support/log-lines.js';
import { openTestRecorder } from '../../support/test-recorder.js';
import { rowsOf } from '../../support/true-polls.js';
import { VolatileDisk } from '../../support/volatile-disk.js';

const events = useEvents();
const { create, put, follow } = events;

const signal = new AbortController().signal;

describe('a long break', () => {
  test('after a break with more Queries than a poll may have, the newest days are read, and the others logged', async () => {
    const table = await create();
    const { logger, lines } = logLines('warn');
    const query = {
      index: 'by-day',
      key: { day: Array.from({ length: 400 }, (_, n) => `{today}#${n}`) },
      since: 'at',
      overlap: 60_000,
    };
    const follower = follow(table, '2026-11-20T12:00:00Z', { query, logger });
    await follower.next();
    await put(
      table,
      ['lost', '2026-11-20T13:00:00Z', '2026-11-20#3'],
      ['kept', '2026-11-23T13:00:00Z', '2026-11-23#3'],
    );
    follower.clock.set('2026-11-24T09:00:00Z');
    assert.deepEqual(await follower.next(), ['kept']);
    const told = lines.find(({ msg }) => msg.startsWith('too many days'));
    assert.deepEqual([told?.from, told?.to], ['2026-11-20', '2026-11-22']);
  });
});

describe('a log of new items that is kept in another way from now on', () => {
  test('begins with what the Queries return, because the log before was moved aside', async () => {
    const table = await create();
    const disk = new VolatileDisk('/data/.dynamo-csv');
    const follower = follow(table, '2026-11-24T09:30:00Z');
    const byItemTime = { append: true, time: { column: 'at', unit: null } };
    const life = async (options: Partial<RecorderOptions>) => {
      const health = new PollHealth(10_000, follower.clock);
      const kept = { log: true, newItemsOnly: true, ...options };
      const recorder = await openTestRecorder({
        name: 'events',
        dataDir: '/data',
        files: disk,
        health,
        ...kept,
      });
      follower.clock.advance(10_000);
      const { known, position } = recorder;
      await recorder.record(await follower.source.read({ known, position, signal }), follower.clock.now());
      await recorder.close();
      return (await rowsOf(await disk.readFile('/data/events.csv'))).map(({ id }) => id);
    };
    await put(table, ['a', '2026-11-24T09:00:00Z'], ['b', '2026-11-24T09:20:00Z']);
    assert.deepEqual(await life({}), ['a', 'b']);
    assert.deepEqual(await life({}), ['a', 'b']);
    assert.deepEqual(await life(byItemTime), ['a', 'b']);
    assert.deepEqual(await life(byItemTime), ['a', 'b']);
    await put(table, ['c', '2026-11-24T09:21:00Z']);
    assert.deepEqual(await life({}), ['a', 'b', 'c']);
  });
});

/** How the items are kept: by the time of the poll that found them, or by their own. */
const KEPT: Readonly<Record<string, Partial<RecorderOptions>>> = {
  'a log of new items': {},
  'a log of new items by their own time': { append: true, time: { column: 'at', unit: null } },
};

for (const [kept, options] of Object.entries(KEPT))
  describe(kept, () => {
    const FOLDER = '/data';
    const FIRST = Date.parse('2026-11-24T23:59:30Z');

    /** Lives of the service on one disk, over the end of a day. What is written to the table depends on the poll alone. */
    async function service() {
      const table = await create();
      let now = FIRST;
      let written = 0;
      const clock = { now: () => now, sleep: async () => undefined };
      const follower = follow(table, '2026-11-24T00:00:00Z', { clock });
      const open = (files: Files) =>
        openTestRecorder({
          name: 'events',
          dataDir: FOLDER,
          files,
          health: new PollHealth(10_000, clock),
          log: true,
          newItemsOnly: true,
          ...options,
        });
      /** Puts two new items and a late one, and records a poll. */
      const poll = async (recorder: TableRecorder) => {
        now += 10_000;
        const time = (before: number) => new Date(now - before).toISOString();
        written += 1;
        await put(
          table,
          [`new${written}`, time(500)],
          [`late${written}`, time(25_000)],
          [`same${written}`, time(500)],
        );
        const { known, position } = recorder;
        return recorder.record(await follower.source.read({ known, position, signal }), now);
      };
      const idsIn = async (files: Files) => {
        const path = `${FOLDER}/events.csv`;
        const rows = (await files.stat(path)) === null ? [] : await rowsOf(await files.readFile(path));
        return rows.map(({ id }) => id!).sort();
      };
      const all = () =>
        Array.from({ length: written }, (_, n) => [`new${n + 1}`, `late${n + 1}`, `same${n + 1}`])
          .flat()
          .sort();
      return { open, poll, idsIn, all };
    }

    /** A disk with a first poll: from then on nothing may be missed. */
    async function begun(): Promise<VolatileDisk & { readonly of: Awaited<ReturnType<typeof service>> }> {
      const disk = new VolatileDisk(`${FOLDER}/.dynamo-csv`);
      const of = await service();
      const recorder = await of.open(disk);
      await of.poll(recorder);
      await recorder.close();
      return Object.assign(disk, { of });
    }

    /** A life of three polls. Resolves when it was stopped, too. */
    async function live(
      { open, poll }: Awaited<ReturnType<typeof service>>,
      files: FaultyFiles,
    ): Promise<void> {
      try {
        const recorder = await open(files);
        for (let polls = 0; polls < 3; polls += 1) await poll(recorder);
        await recorder.close();
      } catch (error) {
        if (!files.isStopped) throw error;
      }
    }

    /** The operations of a life without a fault. */
    async function countOperations(): Promise<number> {
      const disk = await begun();
      const files = new FaultyFiles(disk);
      await live(disk.of, files);
      return files.operations.length;
    }

    for (const end of ['killed', 'killed, with the power'] as const) {
      test(`${end}, at any step: it has every item once when it goes on`, async () => {
        const count = await countOperations();
        assert.ok(count > 20, String(count));
        for (let index = 0; index < count; index += 1) {
          const disk = await begun();
          const { open, poll, idsIn, all } = disk.of;
          await live(disk.of, new FaultyFiles(disk, at(index, { stops: true, part: 0.5 })));
          const after = end === 'killed' ? disk : disk.afterPowerLoss(() => index % 2 === 0);
          const recorder = await open(after);
          await poll(recorder);
          await recorder.close();
          assert.deepEqual(await idsIn(after), all(), `at operation ${index} of ${count}`);
        }
      });
    }

    test('a disk that refuses any one operation loses and doubles nothing', async () => {
      const count = await countOperations();
      for (let index = 0; index < count; index += 1) {
        const disk = await begun();
        const { open, poll, idsIn, all } = disk.of;
        const files = new FaultyFiles(disk, at(index, { fails: 'ENOSPC', part: 0.5 }));
        await live(disk.of, files).catch(() => undefined);
        const recorder = await open(disk);
        await poll(recorder);
        await recorder.close();
        assert.deepEqual(await idsIn(disk), all(), `failed at operation ${index} of ${count}`);
      }
    });
  });
