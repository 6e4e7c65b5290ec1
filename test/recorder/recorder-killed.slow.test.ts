import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { AppendedDataset } from '../../src/recorder/appended-dataset.js';
import { itemsOfPoll, openTable, timeOfPoll } from '../support/endless-table.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import {
  checkChanges,
  checkLog,
  checkNewItems,
  checkSnapshot,
  rowsOf,
  type Truth,
} from '../support/true-polls.js';

/**
 * Kills per kind of table. `KILLS=1000 node --test dist/test/recorder/recorder-killed.slow.test.js` looks longer for what a
 * usual run does not meet.
 */
const KILLS = Number(process.env.KILLS ?? 70);
/** A poll takes a few milliseconds: the kill comes at any moment of one. */
const LONGEST_DELAY = 6;
const MOST_POLLS = 6;

/** The process as one file: it is started hundreds of times, and to load some hundred files takes most of such a start. */
let script = '';
before(async () => {
  const source = fileURLToPath(new URL('../support/endless-recorder.js', import.meta.url));
  // Within the build, so that packages are found.
  script = join(await mkdtemp(join(dirname(source), 'endless-')), 'recorder.mjs');
  const external = ['pino', 'fs-native-extensions'];
  const options = { bundle: true, platform: 'node', format: 'esm', external } as const;
  await build({ ...options, entryPoints: [source], outfile: script });
});
after(() => rm(dirname(script), { recursive: true, force: true }));

/** Lets a process record until a random moment, kills it, and notes what it told. */
async function recordAndKill(child: ChildProcess, truth: Truth): Promise<void> {
  const exit = once(child, 'exit');
  child.send(truth.polls.length);
  // The kill comes after so many messages: of opening the folder, then of each poll that begins.
  let left = Math.floor(Math.random() * (MOST_POLLS + 1));
  for await (const [message] of on(child, 'message', { close: ['disconnect'] })) {
    const { begins, confirmed } = message as { begins?: number; confirmed?: number };
    if (begins !== undefined) truth.polls.push({ at: timeOfPoll(begins), items: itemsOfPoll(begins) });
    if (confirmed !== undefined) truth.confirmed.add(timeOfPoll(confirmed));
    else if (left-- === 0) killSoon(child);
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
}

/** After a random time, in steps much finer than a timer's. */
function killSoon(child: ChildProcess): void {
  const at = performance.now() + Math.random() * LONGEST_DELAY;
  while (performance.now() < at);
  child.kill('SIGKILL');
}

/** Holds a copy of the folder to the promises; the next process starts on the folder as the killed one left it. */
async function check(dataDir: string, kept: string, truth: Truth): Promise<void> {
  const copy = `${dataDir}.copy`;
  await cp(dataDir, copy, { recursive: true });
  try {
    const { recorder, snapshotPath } = await openTable(copy, kept, truth.polls.length);
    const { log, changes } = recorder;
    if (log !== null && log.itemTime === null) checkLog(await allRows(log), truth);
    if (log !== null && log.itemTime !== null) {
      checkNewItems(await allRows(log), truth);
      await checkDays(log);
    }
    if (changes !== null) checkChanges(await allRows(changes), truth);
    if (recorder.datasets[0]?.kind === 'snapshot') {
      const bytes = await readFile(snapshotPath).catch(() => null);
      if (bytes !== null) checkSnapshot(await rowsOf(bytes), truth);
      else assert.equal(truth.confirmed.size, 0);
    }
    await recorder.close();
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** Every sealed item is in its own day's files; one without a time in those of its poll. */
async function checkDays(log: AppendedDataset): Promise<void> {
  for (const { date, paths } of log.sealedDays) {
    const rows = (await Promise.all(paths.map(async (path) => rowsOf(await readFile(path))))).flat();
    assert.deepEqual(
      new Set(rows.map(({ at, timestamp }) => (at ?? timestamp)!.slice(0, 10))),
      new Set([date]),
    );
  }
}

async function allRows(dataset: AppendedDataset): Promise<Record<string, string>[]> {
  const sealed = dataset.sealedDays.flatMap((day) => day.paths);
  const parts = await Promise.all(sealed.map(async (path) => rowsOf(await readFile(path))));
  return [
    ...parts.flat(),
    ...(dataset.version === null ? [] : await rowsOf((await dataset.content()).bytes)),
  ];
}

describe('a process that is killed again and again', { concurrency: true }, () => {
  for (const kept of [
    'a snapshot and changes',
    'a log and changes',
    'a snapshot, a log and changes',
    'a log of new items',
  ]) {
    it(`${kept}: every confirmed poll is there, whole and once`, async (t) => {
      const dataDir = join(await temporaryFolder(t), 'data');
      const truth: Truth = { polls: [], confirmed: new Set() };
      const spawn = () => fork(script, [dataDir, kept], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      // The next one starts up while the folder is checked; it touches nothing before it is told to.
      let next = spawn();
      t.after(() => next.kill('SIGKILL'));
      for (let kill = 1; kill <= KILLS; kill++) {
        await recordAndKill(next, truth);
        next = spawn();
        await check(dataDir, kept, truth).catch((error) => {
          throw new Error(`after kill ${kill}, poll ${truth.polls.length}: ${error}`, { cause: error });
        });
      }
      assert.ok(truth.confirmed.size > KILLS, 'most processes got to record something');
    });
  }
});
